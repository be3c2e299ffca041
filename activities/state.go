package activities

import (
	"context"
	"fmt"
	"time"

	"golang.org/x/sync/errgroup"

	"farewell/destination"
	"farewell/ledger"
	"farewell/migration"
)

// RecordState writes a run's state and its word to all workers to the ledger,
// and when asked adds up what the ledger knows, by distinct source id.
func (a *Activities) RecordState(ctx context.Context, in migration.RecordStateInput) (migration.RecordStateOutcome, error) {
	if err := a.Ledger.RecordState(ctx, in); err != nil {
		return migration.RecordStateOutcome{}, fmt.Errorf("record state %s of %s: %w", in.State, in.Migration, err)
	}
	if !in.AddUp {
		return migration.RecordStateOutcome{}, nil
	}
	counts, err := a.Ledger.ExactCounts(ctx, in.Migration, in.Run)
	if err != nil {
		return migration.RecordStateOutcome{}, fmt.Errorf("add up %s: %w", in.Migration, err)
	}
	return migration.RecordStateOutcome{Counts: counts}, nil
}

// CheckProgress answers the watchdog: what is settled, and whether anything
// was, lately.
func (a *Activities) CheckProgress(ctx context.Context, in migration.CheckProgressInput) (migration.CheckProgressOutcome, error) {
	run, err := a.newestRun(ctx, in.Migration)
	if err != nil {
		return migration.CheckProgressOutcome{}, err
	}
	out := migration.CheckProgressOutcome{Counts: run.Counts, Reason: run.Reason}
	last := run.LastSettle
	if last.Before(run.StartedAt) {
		last = run.StartedAt
	}
	if quiet := time.Since(last); quiet > in.Timings.StallAfter {
		out.Stalled = true
		if out.Reason.Code == "" {
			out.Reason = migration.Reason{Code: "stalled", Text: "nothing was settled for " + quiet.Round(time.Second).String(), Since: last}
		}
	}
	return out, nil
}

// newestRun is the run that is under way.
func (a *Activities) newestRun(ctx context.Context, m migration.Migration) (migration.RunRecord, error) {
	runs, err := a.Ledger.Runs(ctx, ledger.RunFilter{Migration: &m})
	if err != nil {
		return migration.RunRecord{}, fmt.Errorf("read the run of %s: %w", m, err)
	}
	if len(runs) == 0 {
		return migration.RunRecord{}, fmt.Errorf("the ledger knows no run of %s; was it dropped meanwhile?", m)
	}
	return runs[0], nil
}

// SettleOpen polls the jobs of the batches that are still open to their end, of
// all partitions at once, for as long as a lane may wait. A batch in doubt, or
// with a job that takes longer, stays in doubt: finding out takes minutes, and
// the next run does it first.
func (a *Activities) SettleOpen(ctx context.Context, in migration.SettleOpenInput) (migration.SettleOpenOutcome, error) {
	open, err := a.Ledger.OpenPartitions(ctx, in.Migration)
	if err != nil {
		return migration.SettleOpenOutcome{}, fmt.Errorf("list the open batches of %s: %w", in.Migration, err)
	}
	var partitions errgroup.Group
	for _, p := range open {
		partitions.Go(func() error { return a.settlePartition(ctx, in, p) })
	}
	if err := partitions.Wait(); err != nil {
		return migration.SettleOpenOutcome{}, err
	}
	counts, err := a.Ledger.Counts(ctx, in.Migration, in.Run)
	return migration.SettleOpenOutcome{Counts: counts}, err
}

// settlePartition settles what is open in one partition and sends nothing.
func (a *Activities) settlePartition(ctx context.Context, in migration.SettleOpenInput, p migration.Partition) error {
	dest, err := a.Destinations.Open(ctx, in.Migration)
	if err != nil {
		return err
	}
	export := migration.ExportInput{Migration: in.Migration, Run: in.Run, Partition: p, Timings: in.Timings}
	batches, ok := dest.(destination.Batches)
	if !ok {
		state, err := a.Ledger.TakeOver(ctx, in.Migration, p, in.Run)
		if err != nil {
			return fmt.Errorf("take over %s: %w", p.ID, err)
		}
		return a.settleRecorded(ctx, state)
	}
	l, err := a.startLane(ctx, batches, export, settleOnly)
	if err != nil {
		return err
	}
	defer l.end()
	l.stopFeed() // nothing is read, looked up or sent
	return l.wait()
}
