package ledger_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"farewell/integration/postgrestest"
	"farewell/ledger"
	"farewell/migration"
)

var acme = migration.Migration{Customer: "acme", Destination: migration.DestinationZendesk, Account: "acme-zd"}

// sending is how far ahead the tests' send_by is: far enough not to matter.
const sending = time.Minute

// open sets up a ledger in a database of its own.
func open(t testing.TB) (*ledger.Ledger, string) {
	t.Helper()
	url := postgrestest.New(t)
	if err := ledger.Migrate(t.Context(), url); err != nil {
		t.Fatal(err)
	}
	l, err := ledger.Open(t.Context(), url, ledger.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(l.Close)
	return l, url
}

// query runs one statement on a connection of its own and scans its only row.
func query(t testing.TB, url, sql string, into ...any) {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(context.WithoutCancel(t.Context()))
	if len(into) == 0 {
		_, err = conn.Exec(t.Context(), sql)
	} else {
		err = conn.QueryRow(t.Context(), sql).Scan(into...)
	}
	if err != nil {
		t.Fatalf("%s: %v", sql, err)
	}
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func tickets(n int) migration.Partition {
	return migration.Partition{ID: migration.PartitionID(migration.Tickets, n), Entity: migration.Tickets}
}

func users(n int) migration.Partition {
	return migration.Partition{ID: migration.PartitionID(migration.Users, n), Entity: migration.Users}
}

// takeOver begins a hold on a partition.
func takeOver(t testing.TB, l *ledger.Ledger, p migration.Partition, run string) migration.Hold {
	t.Helper()
	state, err := l.TakeOver(t.Context(), acme, p, run)
	must(t, err)
	return state.Hold
}

// inOrder makes a batch as the cursor of a partition reads it.
func inOrder(h migration.Hold, ids ...string) migration.Batch {
	return batch(h, 0, 0, true, ids)
}

func batch(h migration.Hold, level, generation int, inOrder bool, ids []string) migration.Batch {
	return migration.Batch{
		ID:     migration.BatchID(h.Migration, h.Partition.ID, level, generation, ids),
		Entity: h.Partition.Entity, Partition: h.Partition.ID, SourceIDs: ids,
		Level: level, Generation: generation, InOrder: inOrder, ReadAt: time.Now(),
	}
}

// intend writes the intent of a batch and returns the batch.
func intend(t testing.TB, l *ledger.Ledger, h migration.Hold, b migration.Batch) migration.Batch {
	t.Helper()
	var err error
	b.SendBy, err = l.Intend(t.Context(), h, b, sending)
	must(t, err)
	return b
}

// items gives each record of a batch an outcome, a letter each; records that
// arrived get a target id.
func items(b migration.Batch, outcomes string) []migration.Item {
	list := make([]migration.Item, len(b.SourceIDs))
	for i, id := range b.SourceIDs {
		list[i] = migration.Item{SourceID: id, Outcome: migration.Outcome(outcomes[i])}
		switch list[i].Outcome {
		case migration.Created, migration.AlreadyThere:
			list[i].TargetID = "9000" + id
		case migration.Failed, migration.Skipped:
			list[i].Code, list[i].Text = "poison", "the account refused record "+id
		}
	}
	return list
}

func settlement(b migration.Batch, outcomes string) migration.Settlement {
	return migration.Settlement{Items: items(b, outcomes), Verdict: "results"}
}

// checkCounts compares the fast and the exact counts of an entity with wants.
func checkCounts(t testing.TB, l *ledger.Ledger, run string, e migration.Entity, want migration.Counts) {
	t.Helper()
	fast, err := l.Counts(t.Context(), acme, run)
	must(t, err)
	exact, err := l.ExactCounts(t.Context(), acme, run)
	must(t, err)
	if exact[e] != want {
		t.Errorf("exact counts of %s in %s = %+v, want %+v", e, run, exact[e], want)
	}
	if fast[e] != want {
		t.Errorf("fast counts of %s in %s = %+v, want %+v", e, run, fast[e], want)
	}
}

func ids(from, to int) []string {
	var list []string
	for i := from; i <= to; i++ {
		list = append(list, fmt.Sprint(i))
	}
	return list
}
