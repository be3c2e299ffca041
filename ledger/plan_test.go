package ledger_test

import (
	"reflect"
	"sync"
	"testing"
	"time"

	"farewell/migration"
)

func TestFirstPlanStays(t *testing.T) {
	t.Parallel()
	l, _ := open(t)
	if _, ok, err := l.Plan(t.Context(), acme); ok || err != nil {
		t.Fatalf("a plan of an unknown migration: %v", err)
	}
	first := migration.Plan{
		AsOf: time.Date(2026, 7, 1, 12, 0, 0, 123456000, time.UTC),
		Partitions: []migration.Partition{
			{ID: "users-0001", Entity: migration.Users, Rows: 3},
			{ID: "tickets-0001", Entity: migration.Tickets, UpTo: "2000", Rows: 2000},
			{ID: "tickets-0002", Entity: migration.Tickets, After: "2000", Rows: 7},
		},
	}
	takeOver(t, l, migration.OnDemand(migration.Users), "run-1") // is not part of the plan
	var all sync.WaitGroup
	plans := make([]migration.Plan, 4)
	for i := range plans {
		all.Go(func() {
			saved, err := l.SavePlan(t.Context(), acme, first)
			if err != nil {
				t.Error(err)
			}
			plans[i] = saved
		})
	}
	all.Wait()
	second := migration.Plan{AsOf: first.AsOf.Add(time.Hour), Partitions: []migration.Partition{{ID: "tickets-0001", Entity: migration.Tickets}}}
	saved, err := l.SavePlan(t.Context(), acme, second)
	must(t, err)
	for _, plan := range append(plans, saved) {
		plan.AsOf = plan.AsOf.UTC()
		if !reflect.DeepEqual(plan, first) {
			t.Errorf("plan %+v, want the first", plan)
		}
	}
}

func TestPlanOfACustomerWithNothing(t *testing.T) {
	t.Parallel()
	l, _ := open(t)
	saved, err := l.SavePlan(t.Context(), acme, migration.Plan{AsOf: time.Now()})
	must(t, err)
	_, ok, err := l.Plan(t.Context(), acme)
	must(t, err)
	if !ok || len(saved.Partitions) != 0 {
		t.Errorf("plan %+v, there: %v", saved, ok)
	}
}
