package main

import (
	"context"
	"fmt"

	"farewell/migration"
)

// runBook knows the newest run of each migration. Runs that have ended are
// remembered, so that a watch of 2,000 customers asks only about those that
// still move.
type runBook struct {
	memory memory
	filled bool
	newest map[migration.Migration]migration.RunRecord
}

// fewMigrations is up to how many are asked about one by one rather than by
// listing all.
const fewMigrations = 4

// refresh asks the ledger again. With no migrations named it is about all.
// executions are Temporal's word of them, from before.
func (b *runBook) refresh(ctx context.Context, of []migration.Migration, executions map[string]execution) error {
	ctx, cancel := context.WithTimeout(ctx, askWithin)
	defer cancel()
	if b.newest == nil {
		b.newest = map[migration.Migration]migration.RunRecord{}
	}
	if len(of) > 0 && len(of) <= fewMigrations {
		for _, m := range of {
			if err := b.ask(ctx, &m, false); err != nil {
				return err
			}
		}
		return nil
	}
	if !b.filled {
		if err := b.ask(ctx, nil, false); err != nil {
			return err
		}
		b.filled = true
		return nil
	}
	if err := b.refreshActive(ctx); err != nil {
		return err
	}
	return b.refreshMissed(ctx, of, executions)
}

// refreshActive lists the runs that have not ended. Those that were among them
// the last time have ended since, and are asked about once more.
func (b *runBook) refreshActive(ctx context.Context) error {
	before := map[migration.Migration]bool{}
	for m, r := range b.newest {
		if !r.State.Ended() {
			before[m] = true
		}
	}
	runs, err := b.memory.Runs(ctx, nil, true)
	if err != nil {
		return askingFailed(err)
	}
	for _, r := range runs {
		b.newest[r.Migration] = r
		delete(before, r.Migration)
	}
	for m := range before {
		if err := b.ask(ctx, &m, false); err != nil {
			return err
		}
	}
	return nil
}

// refreshMissed asks about runs that began and ended between two looks: they
// were never among those that go on.
func (b *runBook) refreshMissed(ctx context.Context, of []migration.Migration, executions map[string]execution) error {
	var missed []migration.Migration
	for _, m := range of {
		if e := executions[m.WorkflowID()]; e.Status.closed() && e.Run != b.newest[m].Run {
			missed = append(missed, m)
		}
	}
	if len(missed) > fewMigrations {
		return b.ask(ctx, nil, false)
	}
	for _, m := range missed {
		if err := b.ask(ctx, &m, false); err != nil {
			return err
		}
	}
	return nil
}

func (b *runBook) ask(ctx context.Context, of *migration.Migration, active bool) error {
	runs, err := b.memory.Runs(ctx, of, active)
	if err != nil {
		return askingFailed(err)
	}
	for _, r := range runs {
		b.newest[r.Migration] = r
	}
	return nil
}

// of is nil when the ledger knows of no run.
func (b *runBook) of(m migration.Migration) *migration.RunRecord {
	r, ok := b.newest[m]
	if !ok {
		return nil
	}
	return &r
}

func askingFailed(err error) error { return ledgerDown(fmt.Errorf("ask for runs: %w", err)) }
