package activities

import (
	"context"
	"fmt"
	"time"

	"farewell/destination"
	"farewell/migration"
)

// Reconcile rebuilds the ledger of a migration from what is in the account:
// every record that is there with our external id is written down as already
// there. It may be repeated; it never overrules what the ledger knows.
func (a *Activities) Reconcile(ctx context.Context, in migration.ReconcileInput) (migration.ReconcileOutcome, error) {
	opened, err := a.Destinations.Open(ctx, in.Migration)
	if err != nil {
		return migration.ReconcileOutcome{}, err
	}
	lane, leave := a.Reasons.join(in.Migration, opened.WaitingFor)
	defer leave()
	pulse := startPulse(ctx, func() migration.Reason { return a.Reasons.of(lane) })
	defer pulse.stopBeating()
	if err := a.Ledger.BeginRun(ctx, in.Migration, in.Run, migration.Options{}); err != nil {
		return migration.ReconcileOutcome{}, fmt.Errorf("open run %s in the ledger: %w", in.Run, err)
	}
	plan, err := a.plan(ctx, in.Migration)
	if err != nil {
		return migration.ReconcileOutcome{}, err
	}
	out := migration.ReconcileOutcome{Found: map[migration.Entity]int64{}}
	for _, e := range migration.Entities() {
		found, err := a.reconcileEntity(ctx, opened, in, plan.Of(e), pulse)
		if err != nil {
			return out, fmt.Errorf("reconcile %s: %w", e, err)
		}
		out.Found[e] = found
	}
	err = a.Ledger.RecordState(ctx, migration.RecordStateInput{
		Migration: in.Migration, Run: in.Run, State: migration.StateCompleted, Control: migration.ControlRun, Ended: true,
	})
	return out, err
}

// reconcileEntity finds the records of an entity in the account and settles
// those that the ledger does not know.
func (a *Activities) reconcileEntity(ctx context.Context, dest destination.Destination, in migration.ReconcileInput, partitions []migration.Partition, pulse *pulse) (int64, error) {
	e := partitions[0].Entity
	listed := map[string][]migration.Listed{}
	var ids []string
	for _, p := range partitions {
		of, err := a.Source.IDs(ctx, in.Migration.Customer, p)
		if err != nil {
			return 0, fmt.Errorf("list the ids of %s: %w", p.ID, err)
		}
		listed[p.ID] = of
		for _, r := range of {
			ids = append(ids, r.ID)
		}
		pulse.progress(0)
	}
	there := map[string]migration.Item{}
	note := func(item migration.Item) error {
		item.Outcome = migration.AlreadyThere
		there[item.SourceID] = item
		pulse.progress(0)
		return nil
	}
	if err := inventory(ctx, dest, e, ids, note); err != nil {
		return 0, err
	}
	var found int64
	for _, p := range partitions {
		n, err := a.reconcilePartition(ctx, in, p, listed[p.ID], there)
		if err != nil {
			return found, err
		}
		found += n
		pulse.progress(0)
	}
	return found, nil
}

func inventory(ctx context.Context, dest destination.Destination, e migration.Entity, ids []string, note func(migration.Item) error) error {
	switch d := dest.(type) {
	case destination.Batches:
		return d.Inventory(ctx, e, ids, note)
	case destination.Streams:
		return d.Inventory(ctx, e, note)
	}
	return fmt.Errorf("the destination has no inventory")
}

// reconcilePartition writes down the records of a partition that are there, as
// one batch, and ends the partition: what is not there is found by the next
// run's comparison.
func (a *Activities) reconcilePartition(ctx context.Context, in migration.ReconcileInput, p migration.Partition, listed []migration.Listed, there map[string]migration.Item) (int64, error) {
	state, err := a.Ledger.TakeOver(ctx, in.Migration, p, in.Run)
	if err != nil {
		return 0, fmt.Errorf("take over %s: %w", p.ID, err)
	}
	known := map[string]bool{}
	for _, b := range state.Batches {
		for _, id := range b.SourceIDs {
			known[id] = true
		}
	}
	var items []migration.Item
	for _, r := range listed {
		if item, ok := there[r.ID]; ok && !known[r.ID] {
			items = append(items, item)
		}
	}
	if len(items) > 0 {
		ids := itemIDs(items)
		b := migration.Batch{
			ID:     migration.BatchID(in.Migration, p.ID+"/reconciled", 0, 0, ids),
			Entity: p.Entity, Partition: p.ID, SourceIDs: ids, ReadAt: time.Now(),
		}
		if _, err := a.Ledger.Intend(ctx, state.Hold, b, time.Second); err != nil {
			return 0, fmt.Errorf("write down what is there of %s: %w", p.ID, err)
		}
		if err := a.Ledger.Settle(ctx, state.Hold, b.ID, migration.Settlement{Items: items, Verdict: verdictFound}); err != nil {
			return 0, fmt.Errorf("settle what is there of %s: %w", p.ID, err)
		}
	}
	if err := a.Ledger.EndPartition(ctx, state.Hold); err != nil {
		return 0, fmt.Errorf("end %s: %w", p.ID, err)
	}
	return int64(len(items)), nil
}
