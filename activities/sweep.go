package activities

import (
	"context"
	"fmt"
	"time"

	"farewell/destination"
	"farewell/migration"
)

// sweepMargin is how far before the run's beginning a sweep starts: clocks differ.
const sweepMargin = 5 * time.Minute

// SweepDuplicates makes one pass over what the account gained since the run
// began. Of records that are there more than once, the ledger's own stays; a
// copy that is provably of this run is deleted; any other needs an operator.
func (a *Activities) SweepDuplicates(ctx context.Context, in migration.SweepInput) (migration.SweepOutcome, error) {
	opened, err := a.Destinations.Open(ctx, in.Migration)
	if err != nil {
		return migration.SweepOutcome{}, err
	}
	dest, ok := opened.(destination.Batches)
	if !ok {
		return migration.SweepOutcome{}, nil // a bundle is made anew as a whole
	}
	lane, leave := a.Reasons.join(in.Migration, dest.WaitingFor)
	defer leave()
	pulse := startPulse(ctx, func() migration.Reason { return a.Reasons.of(lane) })
	defer pulse.stopBeating()
	run, err := a.Ledger.Run(ctx, in.Migration, in.Run)
	if err != nil {
		return migration.SweepOutcome{}, fmt.Errorf("read run %s: %w", in.Run, err)
	}
	since := run.StartedAt.Add(-sweepMargin)
	sweep, err := dest.Sweep(ctx, destination.SweepInput{Entity: migration.Tickets, Since: since})
	if err != nil {
		return migration.SweepOutcome{}, fmt.Errorf("sweep account %s: %w", in.Migration.Account, err)
	}
	pulse.progress(0)
	var out migration.SweepOutcome
	if err := a.repair(ctx, dest, in, since, sweep.Duplicates, &out); err != nil {
		return out, err
	}
	err = a.Ledger.CreatedTargets(ctx, in.Migration, in.Run, migration.Tickets, func(_, targetID string) error {
		if !sweep.Targets[targetID] {
			out.Missing++
		}
		return nil
	})
	if err != nil {
		return out, fmt.Errorf("compare the ledger with the sweep: %w", err)
	}
	return out, nil
}

// repair judges each duplicate.
func (a *Activities) repair(ctx context.Context, dest destination.Batches, in migration.SweepInput, since time.Time, duplicates []destination.Duplicate, out *migration.SweepOutcome) error {
	ids := make([]string, len(duplicates))
	for i := range duplicates {
		ids[i] = duplicates[i].SourceID
	}
	ours, err := a.Ledger.SettledTargets(ctx, in.Migration, migration.Tickets, ids)
	if err != nil {
		return fmt.Errorf("read the targets of %d duplicates: %w", len(ids), err)
	}
	for _, d := range duplicates {
		for _, c := range d.Copies {
			switch {
			case c.TargetID == ours[d.SourceID]:
			case !in.Repair || ours[d.SourceID] == "" || !c.Tagged || c.MadeAt.Before(since):
				out.Unresolved++
			default:
				if err := dest.Delete(ctx, migration.Tickets, c.TargetID); err != nil {
					return fmt.Errorf("delete the copy %s of ticket %s: %w", c.TargetID, d.SourceID, err)
				}
				out.Repaired++
			}
		}
	}
	return nil
}
