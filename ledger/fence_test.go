package ledger_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"farewell/ledger"
	"farewell/migration"
)

func TestTakeOverEndsTheEarlierHold(t *testing.T) {
	t.Parallel()
	l, _ := open(t)
	before := takeOver(t, l, tickets(1), "run-1")
	b := intend(t, l, before, inOrder(before, "1", "2"))
	after := takeOver(t, l, tickets(1), "run-1")
	if after.Fence <= before.Fence {
		t.Fatalf("fence %d after %d", after.Fence, before.Fence)
	}

	_, err := l.Intend(t.Context(), before, inOrder(before, "3"), sending)
	for what, err := range map[string]error{
		"intend":            err,
		"settle":            l.Settle(t.Context(), before, b.ID, settlement(b, "cc")),
		"record and settle": l.RecordAndSettle(t.Context(), before, b.ID, migration.Evidence{Kind: migration.EvidenceResults}, settlement(b, "cc")),
		"end":               l.EndPartition(t.Context(), before),
	} {
		if !errors.Is(err, ledger.ErrFenced) {
			t.Errorf("%s under the earlier fence: %v", what, err)
		}
	}
	checkCounts(t, l, "run-1", migration.Tickets, migration.Counts{Read: 2})
	must(t, l.Settle(t.Context(), after, b.ID, settlement(b, "cc")))
	must(t, l.EndPartition(t.Context(), after))
}

func TestTakeOverShowsEveryBatchInOrderOfIntentWithTheEvidenceOfOpenOnes(t *testing.T) {
	t.Parallel()
	l, _ := open(t)
	plan := migration.Plan{Partitions: []migration.Partition{{ID: "tickets-0001", Entity: migration.Tickets, After: "0", UpTo: "9", Rows: 9}}}
	_, err := l.SavePlan(t.Context(), acme, plan)
	must(t, err)
	h := takeOver(t, l, migration.Partition{ID: "tickets-0001"}, "run-1")
	settled := intend(t, l, h, inOrder(h, "1", "2"))
	doubtful := intend(t, l, h, inOrder(h, "3", "4"))
	must(t, l.Settle(t.Context(), h, settled.ID, settlement(settled, "c-")))
	results := []migration.Item{{SourceID: "4", Outcome: migration.Failed, Code: "bad", Text: "tags:\x00 wrong \xff"}, {SourceID: "3", Outcome: migration.Created, TargetID: "93"}}
	must(t, l.Record(t.Context(), acme, doubtful.ID, migration.Evidence{Kind: migration.EvidenceUnanswered, Note: "connection reset"}))
	must(t, l.Record(t.Context(), acme, doubtful.ID, migration.Evidence{Kind: migration.EvidenceFound, Items: results}))

	state, err := l.TakeOver(t.Context(), acme, migration.Partition{ID: "tickets-0001"}, "run-2")
	must(t, err)
	if state.Hold.Partition != plan.Partitions[0] {
		t.Errorf("partition %+v", state.Hold.Partition)
	}
	if len(state.Batches) != 2 {
		t.Fatalf("%d batches", len(state.Batches))
	}
	first, second := state.Batches[0], state.Batches[1]
	if first.ID != settled.ID || !first.Settled || string(outcomeLetters(first.Outcomes)) != "c-" || first.Verdict != "results" || first.Run != "run-1" {
		t.Errorf("settled batch: %+v", first)
	}
	if second.ID != doubtful.ID || second.Settled || second.Outcomes != nil || !second.SendBy.Equal(doubtful.SendBy) || !second.InOrder {
		t.Errorf("open batch: %+v", second)
	}
	if len(second.Evidence) != 2 || second.Evidence[0].Note != "connection reset" {
		t.Fatalf("evidence: %+v", second.Evidence)
	}
	results[0].Text = "tags: wrong "
	if found := second.Evidence[1]; found.Items[0] != results[0] || found.Items[1] != results[1] || found.At.IsZero() {
		t.Errorf("found %+v", found)
	}
	checkCounts(t, l, "run-2", migration.Tickets, migration.Counts{Read: 4, AlreadyThere: 1, InDoubt: 2})
}

func outcomeLetters(outcomes []migration.Outcome) []byte {
	var letters []byte
	for _, o := range outcomes {
		letters = append(letters, byte(o))
	}
	return letters
}

// An intent that has passed the check of its fence, but is not committed yet,
// must be seen by the attempt that takes over.
func TestTakeOverWaitsForAnIntentInFlightAndSeesIt(t *testing.T) {
	t.Parallel()
	l, url := open(t)
	h := takeOver(t, l, tickets(1), "run-1")
	b := inOrder(h, "1", "2")

	obstacle := obstruct(t, url, b) // holds the intent between its check and its write
	intended := make(chan error, 1)
	go func() {
		_, err := l.Intend(t.Context(), h, b, sending)
		intended <- err
	}()
	waitForLocks(t, url, 1)
	taken := takeOverBehind(t, l, url, obstacle)

	must(t, <-intended)
	if state := <-taken; len(state.Batches) != 1 || state.Batches[0].ID != b.ID {
		t.Errorf("the intent in flight was not seen: %+v", state.Batches)
	}
}

// So must a settlement: an attempt that does not see it would look its records
// up, or send them again.
func TestTakeOverWaitsForASettlementInFlightAndSeesIt(t *testing.T) {
	t.Parallel()
	l, url := open(t)
	h := takeOver(t, l, tickets(1), "run-1")
	b := intend(t, l, h, inOrder(h, "1", "2"))
	obstacle := begin(t, url) // holds the settlement between its check and its write
	_, err := obstacle.Exec(t.Context(), `
		insert into farewell_ledger.settlements (settled_at, migration_id, run_id, created, already, skipped, failed, not_sent, again, batch_id, verdict, outcomes)
		select now(), migration_id, 0, 0, 0, 0, 0, 0, 0, $1, '', '' from farewell_ledger.partitions`, b.ID)
	must(t, err)
	settled := make(chan error, 1)
	go func() { settled <- l.Settle(t.Context(), h, b.ID, settlement(b, "cc")) }()
	waitForLocks(t, url, 1)
	taken := takeOverBehind(t, l, url, obstacle)

	must(t, <-settled)
	if state := <-taken; len(state.Batches) != 1 || !state.Batches[0].Settled {
		t.Errorf("the settlement in flight was not seen: %+v", state.Batches)
	}
}

// The other way round: an intent that waits for a takeover writes nothing.
func TestIntentThatWaitsForATakeoverIsFenced(t *testing.T) {
	t.Parallel()
	l, url := open(t)
	h := takeOver(t, l, tickets(1), "run-1")
	takeover := begin(t, url)
	_, err := takeover.Exec(t.Context(), "update farewell_ledger.partitions set fence = fence + 1")
	must(t, err)
	intended := make(chan error, 1)
	go func() {
		_, err := l.Intend(t.Context(), h, inOrder(h, "1"), sending)
		intended <- err
	}()
	waitForLocks(t, url, 1)
	must(t, takeover.Commit(t.Context()))
	if err := <-intended; !errors.Is(err, ledger.ErrFenced) {
		t.Errorf("intent: %v", err)
	}
	checkCounts(t, l, "run-1", migration.Tickets, migration.Counts{})
}

func TestIntentOfAnEarlierHoldIsNotRepeatedByALaterOne(t *testing.T) {
	t.Parallel()
	l, _ := open(t)
	before := takeOver(t, l, tickets(1), "run-1")
	b := intend(t, l, before, inOrder(before, "1"))
	after := takeOver(t, l, tickets(1), "run-1")
	if _, err := l.Intend(t.Context(), after, b, sending); err == nil {
		t.Error("a batch that may have been sent was given a second intent")
	}
	must(t, l.Settle(t.Context(), after, b.ID, settlement(b, "-")))
	if _, err := l.Intend(t.Context(), after, b, sending); !errors.Is(err, ledger.ErrSettled) {
		t.Errorf("intent of a settled batch: %v", err)
	}
}

func TestIntentRepeatedUnderTheSameHoldKeepsItsSendBy(t *testing.T) {
	t.Parallel()
	l, _ := open(t)
	h := takeOver(t, l, tickets(1), "run-1")
	b := intend(t, l, h, inOrder(h, "1"))
	again, err := l.Intend(t.Context(), h, b, 2*sending)
	must(t, err)
	if !again.Equal(b.SendBy) {
		t.Errorf("send by %v, then %v", b.SendBy, again)
	}
	for name, bad := range map[string][]string{"no records": nil, "a record twice": {"1", "1"}, "the separator": {"1\x1f2"}} {
		if _, err := l.Intend(t.Context(), h, inOrder(h, bad...), sending); err == nil {
			t.Errorf("%s: accepted", name)
		}
	}
}

// takeOverBehind takes the tickets over while one write waits for the obstacle,
// and then takes that away.
func takeOverBehind(t *testing.T, l *ledger.Ledger, url string, obstacle pgx.Tx) <-chan migration.PartitionState {
	t.Helper()
	taken := make(chan migration.PartitionState, 1)
	go func() {
		state, err := l.TakeOver(t.Context(), acme, tickets(1), "run-1")
		if err != nil {
			t.Error(err)
		}
		taken <- state
	}()
	waitForLocks(t, url, 2)
	must(t, obstacle.Rollback(t.Context()))
	return taken
}

// obstruct holds up whoever writes the intent of a batch: it is a row of the
// same key, not committed.
func obstruct(t *testing.T, url string, b migration.Batch) pgx.Tx {
	t.Helper()
	obstacle := begin(t, url)
	_, err := obstacle.Exec(t.Context(), `
		insert into farewell_ledger.intents (migration_id, partition_id, run_id, generation, fence, intent_at, send_by, level, in_order, batch_id, source_ids)
		select migration_id, id, 0, 0, 0, now(), now(), 0, true, $1, '' from farewell_ledger.partitions`, b.ID)
	must(t, err)
	return obstacle
}

// begin opens a transaction on a connection of its own.
func begin(t *testing.T, url string) pgx.Tx {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), url)
	must(t, err)
	t.Cleanup(func() { _ = conn.Close(context.Background()) })
	tx, err := conn.Begin(t.Context())
	must(t, err)
	return tx
}

// waitForLocks waits until n sessions of the database wait for a lock.
func waitForLocks(t *testing.T, url string, n int) {
	t.Helper()
	eventually(t, 4*time.Second, func() bool {
		var waiting int
		query(t, url, "select count(*) from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'", &waiting)
		return waiting >= n
	})
}

// eventually asks until the answer is yes.
func eventually(t *testing.T, within time.Duration, condition func() bool) {
	t.Helper()
	deadline := time.After(within)
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for !condition() {
		select {
		case <-deadline:
			t.Fatalf("not within %v", within)
		case <-tick.C:
		}
	}
}
