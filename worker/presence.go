package main

import (
	"context"
	"fmt"
	"os"
	"time"

	"farewell/activities"
	"farewell/migration"
)

// presenceEvery is how often a worker tells the ledger that it lives, and why
// its migrations wait if they do.
const presenceEvery = 2 * time.Second

// presence is a worker's sign of life.
type presence struct {
	cancel context.CancelFunc
	done   chan struct{}
}

// workerName tells this process from all others that live now.
func workerName() string {
	host, err := os.Hostname()
	if err != nil {
		host = "unknown-host"
	}
	return fmt.Sprintf("%d@%s", os.Getpid(), host)
}

func startPresence(h *house, reasons *activities.Reasons) *presence {
	started := time.Now()
	ctx, cancel := context.WithCancel(context.Background())
	p := &presence{
		cancel: cancel,
		done:   make(chan struct{}),
	}
	sign := migration.Presence{Worker: h.name, Egress: h.config.Egress, Queue: h.config.TaskQueue, Started: started}
	go p.run(ctx, h, sign, reasons)
	return p
}

func (p *presence) run(ctx context.Context, h *house, sign migration.Presence, reasons *activities.Reasons) {
	defer close(p.done)
	ticker := time.NewTicker(presenceEvery)
	defer ticker.Stop()
	said := map[migration.Migration]string{}
	for {
		sign.Seen = time.Now()
		now := reasons.Current()
		said = logReasons(h.log, said, now)
		err := h.ledger.BeatWorker(ctx, sign)
		if err == nil {
			err = h.ledger.ReportReasons(ctx, h.name, now)
		}
		if err != nil && ctx.Err() == nil {
			h.log.Warn("the sign of life could not be written", "error", err)
		}
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
	}
}

func (p *presence) stop() {
	p.cancel()
	<-p.done
}
