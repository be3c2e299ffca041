package ledger_test

import (
	"errors"
	"slices"
	"testing"

	"farewell/ledger"
	"farewell/migration"
)

func TestEvidenceOfAFencedAttemptIsKept(t *testing.T) {
	t.Parallel()
	for name, outcomes := range map[string]string{"with a reason": "cf", "all as the settlement has it": "cc", "with a record that has no target": "cs"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			l, _ := open(t)
			before := takeOver(t, l, tickets(1), "run-1")
			b := intend(t, l, before, inOrder(before, "1", "2"))
			takeOver(t, l, tickets(1), "run-1")

			must(t, l.Record(t.Context(), acme, b.ID, migration.Evidence{Kind: migration.EvidenceAccepted, JobID: "job-1"}))
			s := settlement(b, outcomes)
			err := l.RecordAndSettle(t.Context(), before, b.ID, migration.Evidence{Kind: migration.EvidenceResults, Items: s.Items}, s)
			if !errors.Is(err, ledger.ErrFenced) {
				t.Fatalf("settlement under the earlier fence: %v", err)
			}
			state, err := l.TakeOver(t.Context(), acme, tickets(1), "run-1")
			must(t, err)
			evidence := state.Batches[0].Evidence
			if len(evidence) != 2 || evidence[0].JobID != "job-1" || !slices.Equal(evidence[1].Items, s.Items) {
				t.Errorf("evidence: %+v", evidence)
			}
			checkCounts(t, l, "run-1", migration.Tickets, migration.Counts{Read: 2})
		})
	}
}

func TestEvidenceIsKeptWhenTheSettlementIsRefused(t *testing.T) {
	t.Parallel()
	l, _ := open(t)
	h := takeOver(t, l, tickets(1), "run-1")
	b := intend(t, l, h, inOrder(h, "1", "2"))
	wrong := migration.Settlement{Items: items(migration.Batch{SourceIDs: []string{"2", "1"}}, "cc")}
	if err := l.RecordAndSettle(t.Context(), h, b.ID, migration.Evidence{Kind: migration.EvidenceUnanswered}, wrong); err == nil {
		t.Fatal("the items of another order were accepted")
	}
	checkCounts(t, l, "run-1", migration.Tickets, migration.Counts{Read: 2, InDoubt: 2})
}

func TestEvidenceWrittenAgainAddsNothing(t *testing.T) {
	t.Parallel()
	l, url := open(t)
	h := takeOver(t, l, tickets(1), "run-1")
	b := intend(t, l, h, inOrder(h, "1"))
	s := settlement(b, "c")
	for range 2 {
		must(t, l.Record(t.Context(), acme, b.ID, migration.Evidence{Kind: migration.EvidenceAccepted, JobID: "job-1"}))
	}
	for range 2 {
		must(t, l.RecordAndSettle(t.Context(), h, b.ID, migration.Evidence{Kind: migration.EvidenceResults, JobID: "job-1", Items: s.Items}, s))
	}
	var n int
	query(t, url, "select count(*) from farewell_ledger.evidence", &n)
	if n != 2 {
		t.Errorf("%d pieces of evidence, want 2", n)
	}
}

func TestBatchIsInDoubtWithoutAnswer(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name     string
		expired  bool // send_by has passed
		evidence []migration.EvidenceKind
		inDoubt  int64
	}{
		{"on its way", false, nil, 0},
		{"send_by passed without a word", true, nil, 1},
		{"answer lost", false, []migration.EvidenceKind{migration.EvidenceUnanswered}, 1},
		{"accepted", true, []migration.EvidenceKind{migration.EvidenceAccepted}, 0},
		{"accepted, then the job vanished", true, []migration.EvidenceKind{migration.EvidenceAccepted, migration.EvidenceUnanswered}, 1},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			l, _ := open(t)
			h := takeOver(t, l, tickets(1), "run-1")
			within := sending
			if test.expired {
				within = 0
			}
			b := inOrder(h, "1")
			_, err := l.Intend(t.Context(), h, b, within)
			must(t, err)
			for _, kind := range test.evidence {
				must(t, l.Record(t.Context(), acme, b.ID, migration.Evidence{Kind: kind}))
			}
			checkCounts(t, l, "run-1", migration.Tickets, migration.Counts{Read: 1, InDoubt: test.inDoubt})
		})
	}
}

func TestOwnsJobsOverAllMigrations(t *testing.T) {
	t.Parallel()
	l, _ := open(t)
	h := takeOver(t, l, tickets(1), "run-1")
	b := intend(t, l, h, inOrder(h, "1"))
	must(t, l.Record(t.Context(), acme, b.ID, migration.Evidence{Kind: migration.EvidenceAccepted, JobID: "ours"}))
	owned, err := l.OwnsJobs(t.Context(), []string{"ours", "theirs"})
	must(t, err)
	if !owned["ours"] || owned["theirs"] {
		t.Errorf("owned: %v", owned)
	}
	if err := l.Record(t.Context(), migration.Migration{Customer: "unknown"}, b.ID, migration.Evidence{Kind: migration.EvidenceAccepted}); err == nil {
		t.Error("evidence of a migration that the ledger does not know was lost without an error")
	}
}
