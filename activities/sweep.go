package activities

import (
	"context"
	"fmt"
	"slices"
	"time"

	"farewell/destination"
	"farewell/ledger"
	"farewell/migration"
)

// sweepMargin is how far before the runs' beginning a sweep starts: clocks differ.
const sweepMargin = 5 * time.Minute

// SweepDuplicates makes one pass over what the account gained since the run
// began, or an earlier one that ended without a sweep. Of records that are
// there more than once, the ledger's own stays; a copy that is provably of
// these runs is deleted; any other needs an operator.
func (a *Activities) SweepDuplicates(ctx context.Context, in migration.SweepInput) (migration.SweepOutcome, error) {
	unswept, err := a.Ledger.Unswept(ctx, in.Migration)
	if err != nil {
		return migration.SweepOutcome{}, fmt.Errorf("ask the ledger what to sweep: %w", err)
	}
	return a.sweep(ctx, in, unswept)
}

func (a *Activities) sweep(ctx context.Context, in migration.SweepInput, runs ledger.Unswept) (migration.SweepOutcome, error) {
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
	since := runs.Since.Add(-sweepMargin)
	sweep, err := dest.Sweep(ctx, destination.SweepInput{Entity: migration.Tickets, Since: since})
	if err != nil {
		return migration.SweepOutcome{}, fmt.Errorf("sweep account %s: %w", in.Migration.Account, err)
	}
	pulse.progress(0)
	out := migration.SweepOutcome{InAccount: sweep.Records}
	listed, err := a.repair(ctx, dest, in, since, sweep.Duplicates, &out, pulse)
	if err != nil {
		return out, err
	}
	err = a.Ledger.AllOutcomes(ctx, in.Migration, migration.Tickets, func(partition, id string, st ledger.RecordState) error {
		if runs.Has(st.Run) && st.Outcome == migration.Created && !sweep.Saw(st.TargetID) {
			out.Missing++
			listed = append(listed, migration.Failure{
				Entity: migration.Tickets, SourceID: id, Outcome: migration.NotInAccount, Code: migration.NotInAccount, Partition: partition,
				Text: "was created as ticket " + st.TargetID + ", which is not in the account any more",
			})
		}
		return nil
	})
	if err != nil {
		return out, fmt.Errorf("compare the ledger with the sweep: %w", err)
	}
	if err := a.Ledger.Swept(ctx, in.Migration, in.Run, migration.Tickets, listed); err != nil {
		return out, fmt.Errorf("list %d findings of the sweep: %w", len(listed), err)
	}
	return out, nil
}

// repair judges each duplicate and says what it did about it.
func (a *Activities) repair(ctx context.Context, dest destination.Batches, in migration.SweepInput, since time.Time, duplicates []destination.Duplicate, out *migration.SweepOutcome, pulse *pulse) (listed []migration.Failure, err error) {
	ids := make([]string, len(duplicates))
	for i := range duplicates {
		ids[i] = duplicates[i].SourceID
	}
	known, err := a.Ledger.SettledTargets(ctx, in.Migration, migration.Tickets, ids)
	if err != nil {
		return nil, fmt.Errorf("read the targets of %d duplicates: %w", len(ids), err)
	}
	for _, d := range duplicates {
		settled := known[d.SourceID]
		for _, c := range d.Copies {
			if len(settled) > 0 && c.TargetID == settled[0] {
				continue // the ledger's own
			}
			f := migration.Failure{Entity: migration.Tickets, SourceID: d.SourceID, Outcome: migration.Duplicate, Code: "duplicate_repaired", Text: "the copy " + c.TargetID + " was deleted"}
			ours := len(settled) > 0 && c.Tagged && !c.MadeAt.Before(since) && !slices.Contains(settled, c.TargetID)
			if ours && !in.Repair {
				f.Code, f.Text = "duplicate_found", "the account also holds a copy of ours, ticket "+c.TargetID
				out.Unresolved++
			} else if !ours {
				f.Code, f.Text = "duplicate_unresolved", "the account also holds ticket "+c.TargetID+", and it is not certain that this run made it"
				out.Unresolved++
			} else if err := dest.Delete(ctx, migration.Tickets, c.TargetID); err != nil {
				return nil, fmt.Errorf("delete the copy %s of ticket %s: %w", c.TargetID, d.SourceID, err)
			} else {
				out.Repaired++
				pulse.progress(0)
			}
			listed = append(listed, f)
		}
	}
	return listed, nil
}
