package ledger_test

import (
	"context"
	"errors"
	"maps"
	"slices"
	"strconv"
	"testing"
	"time"

	"farewell/ledger"
	"farewell/migration"
)

// fivePartitions has three batches in each of five partitions: one that is
// settled in all ways that there are, one that takes up a record of the two that
// it did not send, and an open one.
func fivePartitions(t *testing.T) (l *ledger.Ledger, plan migration.Plan, want map[string]ledger.RecordState) {
	l, _ = open(t)
	plan = migration.Plan{AsOf: time.Now()}
	for n := range 5 {
		plan.Partitions = append(plan.Partitions, tickets(n+1))
	}
	plan, err := l.SavePlan(t.Context(), acme, plan)
	must(t, err)
	want = map[string]ledger.RecordState{}
	for n, p := range plan.Partitions {
		h := takeOver(t, l, p, "run-1")
		var ids []string
		for i := range 7 {
			ids = append(ids, strconv.Itoa(100*(n+1)+i))
		}
		first := intend(t, l, h, inOrder(h, ids[:6]...))
		must(t, l.Settle(t.Context(), h, first.ID, settlement(first, "cafs--")))
		second := intend(t, l, h, batch(h, 1, 1, false, ids[4:5]))
		must(t, l.Settle(t.Context(), h, second.ID, settlement(second, "f")))
		third := intend(t, l, h, inOrder(h, ids[6:]...))
		for i, id := range ids {
			st := ledger.RecordState{Outcome: migration.Outcome("cafsf-\x00"[i]), Run: "run-1", Batch: first.ID}
			switch i {
			case 0, 1:
				st.TargetID = "9000" + id
			case 4:
				st.Batch = second.ID
			case 5:
				continue // nobody took it up
			case 6:
				st.Batch = third.ID
			}
			want[id] = st
		}
	}
	return l, plan, want
}

func TestOutcomesOfAllPartitionsComeInTheOrderOfThePlan(t *testing.T) {
	t.Parallel()
	l, plan, want := fivePartitions(t)
	var order []string
	got := map[string]ledger.RecordState{}
	must(t, l.AllOutcomes(t.Context(), acme, migration.Tickets, func(partition, id string, st ledger.RecordState) error {
		if len(order) == 0 || order[len(order)-1] != partition {
			order = append(order, partition)
		}
		if _, again := got[id]; again || st.ReadAt.IsZero() {
			t.Errorf("%s is shown again: %t, read at %s", id, again, st.ReadAt)
		}
		st.ReadAt = time.Time{}
		got[id] = st
		return nil
	}))
	if !maps.Equal(got, want) {
		t.Errorf("outcomes\n%+v, want\n%+v", got, want)
	}
	var planned []string
	for _, p := range plan.Partitions {
		planned = append(planned, p.ID)
	}
	if !slices.Equal(order, planned) {
		t.Errorf("partitions came as %v", order)
	}
	for n, p := range plan.Partitions {
		of, err := l.Outcomes(t.Context(), acme, p.ID)
		must(t, err)
		if len(of) != 6 {
			t.Errorf("%s has %d outcomes", p.ID, len(of))
		}
		for id := range of {
			if st, ok := of.Of(id); !ok || st.Outcome != want[id].Outcome || st.Batch != want[id].Batch || id[0] != strconv.Itoa(n + 1)[0] {
				t.Errorf("%s: %s ended as %+v", p.ID, id, st)
			}
		}
		if st, ok := of.Of("1000"); ok {
			t.Errorf("a record that nobody sent ended as %+v", st)
		}
	}
}

func TestAllOutcomesEndsWhenItIsToldTo(t *testing.T) {
	t.Parallel()
	l, _, _ := fivePartitions(t)
	enough := errors.New("enough")
	calls := 0
	if err := l.AllOutcomes(t.Context(), acme, migration.Tickets, func(string, string, ledger.RecordState) error {
		calls++
		return enough
	}); !errors.Is(err, enough) || calls != 1 {
		t.Errorf("after %d calls: %v", calls, err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	if err := l.AllOutcomes(ctx, acme, migration.Tickets, func(string, string, ledger.RecordState) error {
		cancel()
		return nil
	}); !errors.Is(err, context.Canceled) {
		t.Errorf("canceled: %v", err)
	}
}
