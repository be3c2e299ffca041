package ledger_test

import (
	"fmt"
	"testing"

	"farewell/ledger"
	"farewell/migration"
)

// 200 million tickets must fit: what is kept of one, indexes and all, is what
// the package documentation says.
func TestLedgerTakesLessThanFiftyBytesPerTicket(t *testing.T) {
	t.Parallel()
	l, url := open(t)
	const batches, size = 200, 100
	h := takeOver(t, l, tickets(1), "run-1")
	for n := range batches {
		lifecycle(t, l, h, 700_000_000+n*size, size)
	}
	var bytes int64
	query(t, url, `select sum(pg_total_relation_size(('farewell_ledger.' || t)::regclass))::bigint from unnest('{intents,settlements,evidence}'::text[]) t`, &bytes)
	perTicket := float64(bytes) / (batches * size)
	t.Logf("%.1f bytes per ticket", perTicket)
	if perTicket > 50 {
		t.Errorf("%.1f bytes per ticket", perTicket)
	}
}

// lifecycle takes a batch of n tickets from intent to settlement in three
// commits, as a lane does.
func lifecycle(t testing.TB, l *ledger.Ledger, h migration.Hold, from, n int) {
	b := newTravel(h, from, n)
	b.intend(t, l)
	b.accept(t, l)
	b.settle(t, l)
}

// travel is the way of a batch of tickets that all arrive. Ids are as long as
// they get in large accounts.
type travel struct {
	hold  migration.Hold
	batch migration.Batch
	job   string
	items []migration.Item
}

func newTravel(h migration.Hold, from, n int) travel {
	b := inOrder(h, ids(from, from+n-1)...)
	list := make([]migration.Item, n)
	for i, id := range b.SourceIDs {
		list[i] = migration.Item{SourceID: id, Outcome: migration.Created, TargetID: fmt.Sprint(31_000_000_000 + from + i)}
	}
	return travel{hold: h, batch: b, job: "8b726e606741012ffc2d782bcb" + fmt.Sprint(from), items: list}
}

// The steps are taken by goroutines of benchmarks too, so they end no test.

func (b travel) intend(t testing.TB, l *ledger.Ledger) {
	if _, err := l.Intend(t.Context(), b.hold, b.batch, sending); err != nil {
		t.Error(err)
	}
}

func (b travel) accept(t testing.TB, l *ledger.Ledger) {
	if err := l.Record(t.Context(), acme, b.batch.ID, migration.Evidence{Kind: migration.EvidenceAccepted, JobID: b.job}); err != nil {
		t.Error(err)
	}
}

func (b travel) settle(t testing.TB, l *ledger.Ledger) {
	s := migration.Settlement{Items: b.items, Verdict: "results"}
	if err := l.RecordAndSettle(t.Context(), b.hold, b.batch.ID, migration.Evidence{Kind: migration.EvidenceResults, JobID: b.job, Items: b.items}, s); err != nil {
		t.Error(err)
	}
}
