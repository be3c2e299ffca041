package activities_test

import (
	"context"
	"sync"
	"sync/atomic"
	"testing"

	"farewell/activities"
	"farewell/destination"
	"farewell/migration"
)

// held keeps the request for users until it may leave.
type held struct {
	destination.Batches
	reached, leave chan struct{}
}

func (h *held) Submit(ctx context.Context, b migration.Batch, p destination.Parcel) (destination.Receipt, error) {
	if b.Entity == migration.Users {
		h.reached <- struct{}{}
		<-h.leave
	}
	return h.Batches.Submit(ctx, b, p)
}

// errands tells of a worker's errands for users.
type errands struct {
	activities.Ledger
	refused chan struct{} // one for each time that another worker had the place
	begun   atomic.Bool
}

func (e *errands) Errand(ctx context.Context, m migration.Migration, of migration.Entity, worker string, running bool) (bool, error) {
	granted, err := e.Ledger.Errand(ctx, m, of, worker, running)
	if err == nil && !granted {
		e.refused <- struct{}{}
	}
	return granted, err
}

func (e *errands) TakeOver(ctx context.Context, m migration.Migration, p migration.Partition, run string) (migration.PartitionState, error) {
	if p.IsOnDemand() && p.Entity == migration.Users {
		e.begun.Store(true)
	}
	return e.Ledger.TakeOver(ctx, m, p, run)
}

// Two workers whose tickets name people on demand would fence each other, and
// take what the other has just sent for lost.
func TestWorkersBringPeopleOnDemandOneAfterTheOtherAndSayWhyTheyWait(t *testing.T) {
	s := newPeopledStage(t, 4)
	s.ticket(0, "15", "")
	s.ticket(1, "16", "")
	s.ticket(2, "16", "")
	s.ticket(3, "17", "")
	first, second := s.hire(), s.hire()
	first.does.Worker, second.does.Worker = "first", "second"
	gate := &held{reached: make(chan struct{}), leave: make(chan struct{})}
	first.through(func(b destination.Batches) destination.Batches { gate.Batches = b; return gate })
	watched := &errands{Ledger: second.does.Ledger, refused: make(chan struct{}, 10_000)}
	second.does.Ledger = watched

	var both sync.WaitGroup
	export := func(w *worker, p migration.Partition) {
		both.Go(func() {
			if out, err := w.exportOf(p); err != nil || !out.Done {
				t.Errorf("export %s: %+v, %v", p.ID, out, err)
			}
		})
	}
	export(first, migration.Partition{ID: "tickets-0001", Entity: migration.Tickets, UpTo: "1002", Rows: 2})
	<-gate.reached
	export(second, migration.Partition{ID: "tickets-0002", Entity: migration.Tickets, After: "1002", Rows: 2})
	<-watched.refused
	if reason := second.does.Reasons.Current()[acme]; reason.Code != "people_on_demand" {
		t.Errorf("the second worker says %+v", reason)
	}
	<-watched.refused
	if watched.begun.Load() {
		t.Error("the second worker began while the first brought people")
	}
	close(gate.leave)
	both.Wait()
	if !watched.begun.Load() {
		t.Error("the second worker brought nobody")
	}
	s.wantAllOnce()
}
