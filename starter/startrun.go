package main

import (
	"context"
	"fmt"
	"time"

	"farewell/migration"
)

const (
	// closesWithin is how long Temporal may take to close a run that has
	// written its end to the ledger: one workflow task, on a worker that is busy.
	closesWithin = 15 * time.Second
	// closesLookEvery is how often a start is tried meanwhile.
	closesLookEvery = 200 * time.Millisecond
)

// startRun starts a run; running tells that one is under way already. A run
// writes its end to the ledger, where a watch sees it, before Temporal closes
// it. In between it only seems to run, and a start that took it for running
// would bring nothing and say that all is well.
func startRun(ctx context.Context, s *session, m migration.Migration, o migration.Options) (run string, running bool, err error) {
	deadline := time.NewTimer(closesWithin)
	defer deadline.Stop()
	tick := time.NewTicker(closesLookEvery)
	defer tick.Stop()
	for {
		run, running, err = s.temporal.Start(ctx, m, o)
		if err != nil || !running {
			return run, running, err
		}
		ended, err := hasEnded(ctx, s, m, run)
		if err != nil || !ended {
			return run, running, err
		}
		select {
		case <-tick.C:
		case <-deadline.C:
			return "", false, fmt.Errorf("start %s: its last run has ended, but Temporal has not closed it within %s: that takes a worker; see that one runs, then start again", m.WorkflowID(), span(closesWithin))
		case <-ctx.Done():
			return "", false, ctx.Err()
		}
	}
}

// hasEnded tells that the ledger knows how this run ended.
func hasEnded(ctx context.Context, s *session, m migration.Migration, run string) (bool, error) {
	runs, err := s.memory.Runs(ctx, &m, false)
	if err != nil {
		return false, ledgerDown(fmt.Errorf("ask for the last run of %s: %w", m, err))
	}
	for _, r := range runs {
		if r.Run == run && r.State.Ended() {
			return true, nil
		}
	}
	return false, nil
}
