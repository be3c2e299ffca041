package ledger_test

import (
	"errors"
	"strings"
	"sync"
	"testing"
	"time"

	"farewell/ledger"
	"farewell/migration"
)

func TestBatchGoesFromIntentOverEvidenceToSettlement(t *testing.T) {
	t.Parallel()
	l, _ := open(t)
	h := takeOver(t, l, tickets(1), "run-1")
	b := intend(t, l, h, inOrder(h, "1", "2", "3"))
	checkCounts(t, l, "run-1", migration.Tickets, migration.Counts{Read: 3})

	must(t, l.Record(t.Context(), acme, b.ID, migration.Evidence{Kind: migration.EvidenceAccepted, JobID: "job-1"}))
	must(t, l.Settle(t.Context(), h, b.ID, settlement(b, "caf")))
	checkCounts(t, l, "run-1", migration.Tickets, migration.Counts{Read: 3, Created: 1, AlreadyThere: 1, Failed: 1})
	checkCounts(t, l, "run-2", migration.Tickets, migration.Counts{Read: 3, AlreadyThere: 2, Failed: 1})

	known, err := l.Known(t.Context(), acme)
	must(t, err)
	if !known {
		t.Error("the ledger says that it does not know the migration")
	}
	outcomes, err := l.Outcomes(t.Context(), acme, h.Partition.ID)
	must(t, err)
	if got, ok := outcomes.Of("1"); !ok || got.Outcome != migration.Created || got.TargetID != "90001" || got.Run != "run-1" || got.Batch != b.ID {
		t.Errorf("outcome of 1: %+v", got)
	}
}

func TestPartitionThatWasGoneThroughIsKnownThoughNothingWasFound(t *testing.T) {
	t.Parallel()
	l, _ := open(t)
	h := takeOver(t, l, tickets(1), "run-1")
	for _, want := range []bool{false, true} {
		known, err := l.Known(t.Context(), acme)
		must(t, err)
		if known != want {
			t.Errorf("known: %t, want %t", known, want)
		}
		must(t, l.EndPartition(t.Context(), h))
	}
}

func TestSettlingTwiceKeepsTheFirst(t *testing.T) {
	t.Parallel()
	l, _ := open(t)
	h := takeOver(t, l, tickets(1), "run-1")
	b := intend(t, l, h, inOrder(h, "1", "2"))
	must(t, l.Settle(t.Context(), h, b.ID, settlement(b, "cc")))
	must(t, l.Settle(t.Context(), h, b.ID, settlement(b, "cc")))
	if err := l.Settle(t.Context(), h, b.ID, settlement(b, "cf")); !errors.Is(err, ledger.ErrSettled) {
		t.Errorf("another settlement: %v", err)
	}
	checkCounts(t, l, "run-1", migration.Tickets, migration.Counts{Read: 2, Created: 2})
}

func TestSettlementMustNameTheRecordsOfTheBatch(t *testing.T) {
	t.Parallel()
	l, _ := open(t)
	h := takeOver(t, l, tickets(1), "run-1")
	b := intend(t, l, h, inOrder(h, "1", "2"))
	for name, bad := range map[string]migration.Settlement{
		"a record missing":       {Items: items(migration.Batch{SourceIDs: []string{"1"}}, "c")},
		"another order":          {Items: items(migration.Batch{SourceIDs: []string{"2", "1"}}, "cc")},
		"a record twice":         {Items: items(migration.Batch{SourceIDs: []string{"1", "1"}}, "cc")},
		"a record undecided":     {Items: []migration.Item{{SourceID: "1", Outcome: migration.Created}, {SourceID: "2"}}},
		"no records whatsoever":  {},
		"a record of some other": {Items: items(migration.Batch{SourceIDs: []string{"1", "3"}}, "cc")},
	} {
		if err := l.Settle(t.Context(), h, b.ID, bad); err == nil {
			t.Errorf("%s: accepted", name)
		}
	}
	if err := l.Settle(t.Context(), h, "no-such-batch", settlement(b, "cc")); err == nil {
		t.Error("a batch without an intent was settled")
	}
	checkCounts(t, l, "run-1", migration.Tickets, migration.Counts{Read: 2})
}

// A person who was met on demand may be in a range of the plan too. Whichever
// batch is settled first, the second replaces its decision: nobody counts twice.
func TestPersonDecidedByARangeAndOnDemandAtOnceCountsOnce(t *testing.T) {
	t.Parallel()
	l, _ := open(t)
	_, err := l.SavePlan(t.Context(), acme, migration.Plan{AsOf: time.Now(), Partitions: []migration.Partition{users(1), users(2)}})
	must(t, err)
	holds := []migration.Hold{
		takeOver(t, l, users(1), "run-1"), takeOver(t, l, users(2), "run-1"), takeOver(t, l, migration.OnDemand(migration.Users), "run-1"),
	}
	const rounds, people = 30, 20
	for round := range rounds {
		first := round * 2 * people
		one, other := ids(first, first+people-1), ids(first+people, first+2*people-1)
		var batches []migration.Batch
		for i, of := range [][]string{one, other, append(one[:5:5], other[:5]...)} {
			batches = append(batches, intend(t, l, holds[i], batch(holds[i], 0, 0, i < 2, of)))
		}
		var all sync.WaitGroup
		for i, b := range batches {
			all.Go(func() {
				if err := l.Settle(t.Context(), holds[i], b.ID, settlement(b, strings.Repeat("c", len(b.SourceIDs)))); err != nil {
					t.Error(err)
				}
			})
		}
		all.Wait()
	}
	want := migration.Counts{Read: rounds * 2 * people, Created: rounds * 2 * people}
	checkCounts(t, l, "run-1", migration.Users, want)
}
