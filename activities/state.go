package activities

import (
	"context"
	"fmt"
	"time"

	"farewell/migration"
)

// RecordState writes a run's state and its word to all workers to the ledger,
// and adds up what the ledger knows, by distinct source id.
func (a *Activities) RecordState(ctx context.Context, in migration.RecordStateInput) (migration.RecordStateOutcome, error) {
	if err := a.Ledger.RecordState(ctx, in); err != nil {
		return migration.RecordStateOutcome{}, fmt.Errorf("record state %s of %s: %w", in.State, in.Migration, err)
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
	run, err := a.Ledger.Run(ctx, in.Migration, in.Run)
	if err != nil {
		return migration.CheckProgressOutcome{}, fmt.Errorf("read run %s: %w", in.Run, err)
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

// SettleOpen brings the batches that are still open to their end, as far as
// their jobs end and look-ups tell within the time that one attempt has. What is
// left stays in doubt for the next run.
func (a *Activities) SettleOpen(ctx context.Context, in migration.SettleOpenInput) (migration.SettleOpenOutcome, error) {
	open, err := a.Ledger.OpenPartitions(ctx, in.Migration)
	if err != nil {
		return migration.SettleOpenOutcome{}, fmt.Errorf("list the open batches of %s: %w", in.Migration, err)
	}
	for _, p := range open {
		if err := a.settlePartition(ctx, in, p); err != nil {
			return migration.SettleOpenOutcome{}, err
		}
	}
	counts, err := a.Ledger.Counts(ctx, in.Migration, in.Run)
	return migration.SettleOpenOutcome{Counts: counts}, err
}
