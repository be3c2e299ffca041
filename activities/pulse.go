package activities

import (
	"context"
	"sync"
	"time"

	"go.temporal.io/sdk/activity"

	"farewell/migration"
)

const (
	// pulseEvery is how often a living lane is allowed to beat; the SDK sends
	// only one beat per throttle interval.
	pulseEvery = 5 * time.Second

	// quietLimit is how long a lane may be without progress and without a
	// known reason before it stops beating, so that Temporal gives its
	// partition to another. The longest single call takes 20 s.
	quietLimit = 2 * time.Minute
)

// Beat is what a heartbeat carries: a hint for people, since the ledger is the
// checkpoint.
type Beat struct {
	Settled int64  `json:"settled"`
	Reason  string `json:"reason,omitempty"` // a reason's code
}

// pulse beats for an activity for as long as there is progress or a known
// reason for having none. A beat from a bare ticker would hide a hang.
type pulse struct {
	mu      sync.Mutex
	at      time.Time // of the last progress
	settled int64
	reason  func() migration.Reason
	end     chan struct{}
	stopped chan struct{}
}

// startPulse begins to beat; stopBeating must be called before the activity
// returns. reason is asked for the one reason to wait now. Beats outlive the
// activity's context: what is on its way is brought to its end after a
// cancellation too, and a beat that is cut off would count as one.
func startPulse(ctx context.Context, reason func() migration.Reason) *pulse {
	p := &pulse{at: time.Now(), reason: reason, end: make(chan struct{}), stopped: make(chan struct{})}
	go p.run(context.WithoutCancel(ctx))
	return p
}

func (p *pulse) run(ctx context.Context) {
	defer close(p.stopped)
	timer := time.NewTimer(firstBeat(ctx))
	defer timer.Stop()
	for {
		select {
		case <-p.end:
			return
		case <-timer.C:
			p.beat(ctx)
			timer.Reset(pulseEvery)
		}
	}
}

// firstBeat is how long Temporal is content to know that the activity was
// started: beats are billed, and most activities end before they need one. It
// is the share of the timeout at which the SDK sends later ones.
func firstBeat(ctx context.Context) time.Duration {
	if timeout := activity.GetInfo(ctx).HeartbeatTimeout; timeout > 0 {
		return timeout * 4 / 5
	}
	return pulseEvery
}

func (p *pulse) beat(ctx context.Context) {
	reason := p.reason()
	p.mu.Lock()
	quiet := time.Since(p.at)
	beat := Beat{Settled: p.settled, Reason: reason.Code}
	p.mu.Unlock()
	if reason.Code != "" || quiet < quietLimit {
		activity.RecordHeartbeat(ctx, beat)
	}
}

// progress notes that something moved, and how many records were settled by it.
func (p *pulse) progress(settled int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.at = time.Now()
	p.settled += int64(settled)
}

// stopBeating returns once no beat will be sent any more.
func (p *pulse) stopBeating() {
	close(p.end)
	<-p.stopped
}
