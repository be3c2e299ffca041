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
// commits, as a lane does. Ids are as long as they get in large accounts.
func lifecycle(t testing.TB, l *ledger.Ledger, h migration.Hold, from, n int) {
	b := inOrder(h, ids(from, from+n-1)...)
	list := make([]migration.Item, n)
	for i, id := range b.SourceIDs {
		list[i] = migration.Item{SourceID: id, Outcome: migration.Created, TargetID: fmt.Sprint(31_000_000_000 + from + i)}
	}
	job := "8b726e606741012ffc2d782bcb" + fmt.Sprint(from)
	if _, err := l.Intend(t.Context(), h, b, sending); err != nil {
		t.Fatal(err)
	}
	if err := l.Record(t.Context(), acme, b.ID, migration.Evidence{Kind: migration.EvidenceAccepted, JobID: job}); err != nil {
		t.Fatal(err)
	}
	s := migration.Settlement{Items: list, Verdict: "results"}
	if err := l.RecordAndSettle(t.Context(), h, b.ID, migration.Evidence{Kind: migration.EvidenceResults, JobID: job, Items: list}, s); err != nil {
		t.Fatal(err)
	}
}
