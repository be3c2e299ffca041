package ledger_test

import (
	"reflect"
	"testing"

	"farewell/ledger"
	"farewell/migration"
)

func TestUnfinishedTellsWorkFromFailures(t *testing.T) {
	t.Parallel()
	l, _ := open(t)
	partition := func(n int) migration.Partition {
		return migration.Partition{ID: migration.PartitionID(migration.Tickets, n), Entity: migration.Tickets, After: "a", UpTo: "b", Rows: int64(n)}
	}
	var plan migration.Plan
	for n := 1; n <= 6; n++ {
		plan.Partitions = append(plan.Partitions, partition(n))
	}
	_, err := l.SavePlan(t.Context(), acme, plan)
	must(t, err)
	for n, test := range map[int]struct {
		outcomes string // empty: the batch stays open
		end      bool
	}{
		1: {"cas", true},
		2: {"cc", false},
		3: {"cf", true},
		4: {"cf-", true},
		5: {"", true},
	} {
		h := takeOver(t, l, partition(n), "run-1")
		b := intend(t, l, h, inOrder(h, ids(n*10, n*10+max(len(test.outcomes), 1)-1)...))
		if test.outcomes != "" {
			must(t, l.Settle(t.Context(), h, b.ID, settlement(b, test.outcomes)))
		}
		if test.end {
			must(t, l.EndPartition(t.Context(), h))
		}
	}
	onDemand := takeOver(t, l, migration.OnDemand(migration.Users), "run-1")
	takeOver(t, l, migration.OnDemand(migration.Organizations), "run-1")
	b := intend(t, l, onDemand, batch(onDemand, 0, 0, false, []string{"7"}))

	unfinished, err := l.Unfinished(t.Context(), acme)
	must(t, err)
	want := map[migration.Partition]bool{
		partition(2): false, partition(3): true, partition(4): false, partition(5): false, partition(6): false,
		migration.OnDemand(migration.Users): false,
	}
	if !reflect.DeepEqual(unfinished, want) {
		t.Errorf("unfinished %v, want %v", unfinished, want)
	}
	open, err := l.OpenPartitions(t.Context(), acme)
	must(t, err)
	if want := []migration.Partition{partition(5), migration.OnDemand(migration.Users)}; !reflect.DeepEqual(open, want) {
		t.Errorf("open %v, want %v", open, want)
	}

	must(t, l.Settle(t.Context(), onDemand, b.ID, settlement(b, "f")))
	unfinished, err = l.Unfinished(t.Context(), acme)
	must(t, err)
	if only, left := unfinished[migration.OnDemand(migration.Users)]; !only || !left {
		t.Errorf("failures on demand: left %v, only failures %v", left, only)
	}
}

func TestPartsAreTheSettledBatchesOfABundle(t *testing.T) {
	t.Parallel()
	l, _ := open(t)
	var plan migration.Plan
	for n := 1; n <= 2; n++ {
		plan.Partitions = append(plan.Partitions, tickets(n))
	}
	_, err := l.SavePlan(t.Context(), acme, plan)
	must(t, err)
	for n, list := range map[int][]migration.Batch{
		2: {inOrder(migration.Hold{Migration: acme, Partition: tickets(2)}, "20")},
		1: {
			inOrder(migration.Hold{Migration: acme, Partition: tickets(1)}, "10", "11"),
			batch(migration.Hold{Migration: acme, Partition: tickets(1)}, 0, 1, false, []string{"12"}),
			batch(migration.Hold{Migration: acme, Partition: tickets(1)}, 0, 2, false, []string{"13"}),
		},
	} {
		h := takeOver(t, l, tickets(n), "run-1")
		for _, b := range list {
			intend(t, l, h, b)
			s := migration.Settlement{Verdict: "decided", Items: items(b, "cccc")}
			if b.Generation == 2 {
				s.Verdict = "found"
			}
			must(t, l.Settle(t.Context(), h, b.ID, s))
		}
	}
	parts, err := l.Parts(t.Context(), acme)
	must(t, err)
	if want := []ledger.Part{{"tickets-0001", 0}, {"tickets-0001", 1}, {"tickets-0002", 0}}; !reflect.DeepEqual(parts, want) {
		t.Errorf("parts %v, want %v", parts, want)
	}
}
