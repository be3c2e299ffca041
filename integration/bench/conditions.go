package main

import (
	"fmt"
	"log/slog"
	"os"
	"strings"
	"time"

	"go.temporal.io/sdk/log"

	"farewell/integration/figures"
)

// busyFor is how long the machine is watched before anything is measured.
const busyFor = 2 * time.Second

// conditions says on what the figures were got.
func (b *bench) conditions(r *figures.Report) error {
	busy, err := machineBusy(busyFor)
	if err != nil {
		return err
	}
	if err := r.NoteMachine(); err != nil {
		return err
	}
	r.Note("before the first run other processes kept %.0f %% of the cores busy", 100*busy)
	r.Note("Postgres (source and ledger, fsync on), Temporal, the sandbox, worker and loop share these cores")
	r.Note("large: %s", b.large.filled)
	r.Note("small: %s", b.small.filled)
	r.Note("loop and migration: %d lanes, %d batches of 100 in flight in each", productLanes, laneFlight)
	return nil
}

// machineBusy is the share of all cores' time that is not idle.
func machineBusy(d time.Duration) (float64, error) {
	idle, all, err := cpuTicks()
	if err != nil {
		return 0, err
	}
	time.Sleep(d)
	idleAfter, allAfter, err := cpuTicks()
	if err != nil || allAfter == all {
		return 0, err
	}
	return 1 - float64(idleAfter-idle)/float64(allAfter-all), nil
}

// cpuTicks reads the first line of /proc/stat, see proc(5): the fourth and
// fifth number are idle time.
func cpuTicks() (idle, all int64, err error) {
	text, err := os.ReadFile("/proc/stat")
	if err != nil {
		return 0, 0, fmt.Errorf("read the machine's CPU time, which needs Linux: %w", err)
	}
	line, _, _ := strings.Cut(string(text), "\n")
	for i, word := range strings.Fields(line)[1:] {
		var n int64
		if _, err := fmt.Sscan(word, &n); err != nil {
			return 0, 0, err
		}
		if i == 3 || i == 4 {
			idle += n
		}
		all += n
	}
	return idle, all, nil
}

// quiet keeps the client's log out of the report.
func quiet() log.Logger { return log.NewStructuredLogger(slog.New(slog.DiscardHandler)) }
