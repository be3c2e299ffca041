package activities_test

import (
	"context"
	"sync"
	"time"

	"farewell/activities"
	"farewell/destination"
	"farewell/ledger"
	"farewell/migration"
)

// step is where a worker dies.
type step int

const (
	beforeIntent step = iota + 1
	afterIntent
	afterSubmit
	beforeSettle
	afterSettle
)

// death ends a worker at a step, the n-th time that it comes there: from then
// on nothing that it does reaches anybody.
type death struct {
	mu   sync.Mutex
	at   step
	left int
	dead bool
}

// comes tells whether the worker is dead, or dies here.
func (d *death) comes(at step) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.at == at && !d.dead {
		d.left--
		d.dead = d.left <= 0
	}
	return d.dead
}

func (d *death) here() bool { return d.comes(0) }

// dyingAt gives the worker a ledger and an account that fall silent.
func (w *worker) dyingAt(at step, n int) *worker {
	d := &death{at: at, left: n}
	w.does.Ledger = &mortalLedger{Ledger: w.does.Ledger, death: d}
	return w.through(func(b destination.Batches) destination.Batches { return &mortalAccount{Batches: b, death: d} })
}

type mortalLedger struct {
	activities.Ledger
	*death
}

// tickets only: the people whom they name come before, by errands.
func ticketsOf(h migration.Hold) bool { return h.Partition.Entity == migration.Tickets }

func (l *mortalLedger) Intend(ctx context.Context, h migration.Hold, b migration.Batch, within time.Duration) (time.Time, error) {
	if ticketsOf(h) && l.comes(beforeIntent) {
		return time.Time{}, errDead
	}
	by, err := l.Ledger.Intend(ctx, h, b, within)
	if ticketsOf(h) && l.comes(afterIntent) {
		return time.Time{}, errDead
	}
	return by, err
}

func (l *mortalLedger) Record(ctx context.Context, m migration.Migration, id string, e migration.Evidence) error {
	if l.here() {
		return errDead
	}
	return l.Ledger.Record(ctx, m, id, e)
}

func (l *mortalLedger) RecordAndSettle(ctx context.Context, h migration.Hold, id string, e migration.Evidence, s migration.Settlement) error {
	if ticketsOf(h) && l.comes(beforeSettle) {
		return errDead
	}
	err := l.Ledger.RecordAndSettle(ctx, h, id, e, s)
	if ticketsOf(h) && l.comes(afterSettle) {
		return errDead
	}
	return err
}

func (l *mortalLedger) EndPartition(ctx context.Context, h migration.Hold) error {
	if l.here() {
		return errDead
	}
	return l.Ledger.EndPartition(ctx, h)
}

func (l *mortalLedger) PartitionCounts(ctx context.Context, m migration.Migration, run, partition string) (migration.Counts, error) {
	if l.here() {
		return migration.Counts{}, errDead
	}
	return l.Ledger.PartitionCounts(ctx, m, run, partition)
}

var _ activities.Ledger = (*ledger.Ledger)(nil)

type mortalAccount struct {
	destination.Batches
	*death
}

func (a *mortalAccount) Submit(ctx context.Context, b migration.Batch, p destination.Parcel) (destination.Receipt, error) {
	if a.here() {
		return destination.Receipt{}, &destination.Error{Op: "import", Kind: destination.InDoubt, Code: "dead", Err: errDead}
	}
	receipt, err := a.Batches.Submit(ctx, b, p)
	if b.Entity == migration.Tickets && a.comes(afterSubmit) {
		return destination.Receipt{}, &destination.Error{Op: "import", Kind: destination.InDoubt, Code: "dead", Err: errDead}
	}
	return receipt, err
}

func (a *mortalAccount) Await(ctx context.Context, job string, e migration.Entity, sent []string) (destination.JobResult, error) {
	if a.here() {
		return destination.JobResult{}, errDead
	}
	return a.Batches.Await(ctx, job, e, sent)
}
