package workflows

import (
	"slices"

	"go.temporal.io/sdk/workflow"

	"farewell/migration"
)

// catchUp brings what the source gained meanwhile.
func (r *run) catchUp(ctx workflow.Context) error {
	var entities []migration.Entity // all
	if r.suspendsLast {
		entities = slices.DeleteFunc(migration.Work(), func(e migration.Entity) bool { return e == migration.Suspensions })
	}
	return r.compare(ctx, entities, &r.comparison, r.export)
}

// catchUpAgain brings what had no outcome when the sum was wrong. A bundle is
// published by then: a new start makes another. A run of an earlier program
// only added up again.
func (r *run) catchUpAgain(ctx workflow.Context) error {
	if r.streams || workflow.GetVersion(ctx, "retry compares again", workflow.DefaultVersion, 1) == workflow.DefaultVersion {
		return nil
	}
	return r.catchUp(ctx)
}

// compare looks for what the source has and the ledger does not, and has it
// exported, a bounded number of times.
func (r *run) compare(ctx workflow.Context, entities []migration.Entity, found *migration.Comparison, export func(workflow.Context, []migration.Partition) error) error {
	for pass := 1; ; pass++ {
		if err := r.enter(ctx, migration.StateVerifying); err != nil {
			return err
		}
		final := pass > catchUpPasses
		id := r.try("compare")
		out, err := execute(ctx, looks(id, "compare the source's ids with the ledger"), migration.CompareSource, migration.CompareInput{
			Migration: r.in.Migration,
			Run:       r.id,
			Entities:  entities,
			Final:     final,
			Limited:   r.in.Options.Limit > 0,
		})
		if err != nil {
			return err
		}
		*found = out.Comparison
		if len(out.Partitions) == 0 || final {
			return nil
		}
		todo := r.notGivenUp(ctx, out.Partitions)
		if len(todo) == 0 {
			pass = catchUpPasses // the last comparison lists what was given up
			continue
		}
		if err := export(ctx, todo); err != nil {
			return err
		}
	}
}

// notGivenUp leaves out the partitions that an operator has skipped. A run of
// an earlier program tried those again.
func (r *run) notGivenUp(ctx workflow.Context, found []migration.Partition) []migration.Partition {
	skipped := func(p migration.Partition) bool { return r.skipped[p.ID] }
	if !slices.ContainsFunc(found, skipped) || workflow.GetVersion(ctx, "skipped stays skipped", workflow.DefaultVersion, 1) == workflow.DefaultVersion {
		return found
	}
	return slices.DeleteFunc(found, skipped)
}

// exportLast brings what must come when the last ticket is there: Zendesk takes
// no ticket of a user who is suspended.
func (r *run) exportLast(ctx workflow.Context) error {
	if len(r.last) == 0 || r.in.Options.Limit > 0 {
		return nil // a trial takes the people whom its tickets name, on demand
	}
	export := func(ctx workflow.Context, partitions []migration.Partition) error {
		return r.exportAll(ctx, partitions, peopleLanes, new(int64))
	}
	var todo []migration.Partition
	for i := range r.last {
		if r.last[i].Work {
			todo = append(todo, r.last[i].Partition)
		}
		r.last[i].Work = false // the next time is only for what the comparison finds
	}
	if err := export(ctx, todo); err != nil {
		return err
	}
	return r.compare(ctx, []migration.Entity{migration.Suspensions}, &r.compared, export)
}
