package ledger_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"farewell/ledger"
	"farewell/migration"
)

// The commit took place, but its answer was lost: the same call again must
// find what it wrote, and write nothing else.
func TestCallsCanBeRepeatedAfterAnUncertainCommit(t *testing.T) {
	t.Parallel()
	l, url := open(t)
	cut, p := openThrough(t, url)
	h := takeOver(t, l, tickets(1), "run-1")
	b := inOrder(h, "1", "2", "3")
	s := settlement(b, "cf-")
	calls := []struct {
		name string
		call func() error
	}{
		{"intend", func() error { _, err := cut.Intend(t.Context(), h, b, sending); return err }},
		{"record", func() error {
			return cut.Record(t.Context(), acme, b.ID, migration.Evidence{Kind: migration.EvidenceAccepted, JobID: "j"})
		}},
		{"record and settle", func() error {
			return cut.RecordAndSettle(t.Context(), h, b.ID, migration.Evidence{Kind: migration.EvidenceResults, Items: s.Items}, s)
		}},
		{"end", func() error { return cut.EndPartition(t.Context(), h) }},
		{"begin", func() error { return cut.BeginRun(t.Context(), acme, "run-1", migration.Options{}) }},
	}
	for _, c := range calls {
		// A new connection prepares the statement first, so which answer is that
		// of the commit is found by losing one after the other. Some calls try
		// again by themselves.
		for after := range 4 {
			_, err := cut.Known(t.Context(), acme)
			must(t, err)
			before := p.losses()
			p.lose(after)
			_ = c.call() // it may or may not see the loss
			p.set(pass)
			if after == 0 && p.losses() == before {
				t.Errorf("%s: no answer was lost", c.name)
			}
		}
		if err := c.call(); err != nil {
			t.Errorf("%s again: %v", c.name, err)
		}
	}
	checkCounts(t, l, "run-1", migration.Tickets, migration.Counts{Read: 3, Created: 1, Failed: 1})
	var intents, settlements, evidence int
	query(t, url, `select (select count(*) from farewell_ledger.intents), (select count(*) from farewell_ledger.settlements), (select count(*) from farewell_ledger.evidence)`,
		&intents, &settlements, &evidence)
	if intents != 1 || settlements != 1 || evidence != 2 {
		t.Errorf("%d intents, %d settlements, %d pieces of evidence", intents, settlements, evidence)
	}
}

// A worker's own connection may break at any time, and a server may restart: a
// call that fits into its time survives both.
func TestCallsSurviveALostConnection(t *testing.T) {
	t.Parallel()
	l, url := open(t)
	cut, p := openThrough(t, url)
	h := takeOver(t, l, tickets(1), "run-1")
	p.set(refuse)
	p.drop()
	back := time.AfterFunc(300*time.Millisecond, func() { p.set(pass) })
	defer back.Stop()
	if _, err := cut.Intend(t.Context(), h, inOrder(h, "1"), sending); err != nil {
		t.Errorf("the connection was refused for a moment: %v", err)
	}
}

func TestServerThatNeverAnswersIsGivenUp(t *testing.T) {
	t.Parallel()
	t.Run("when opening", func(t *testing.T) {
		t.Parallel()
		url := silent(t)
		within(t, 11*time.Second, "opening", func() {
			if l, err := ledger.Open(t.Context(), url, ledger.Options{}); err == nil {
				l.Close()
				t.Error("opened")
			}
		})
	})
	t.Run("in a call", func(t *testing.T) {
		t.Parallel()
		_, url := open(t)
		l, p := openThrough(t, url)
		h := takeOver(t, l, tickets(1), "run-1")
		l.GiveUpAfter(time.Second)
		p.set(mute)
		within(t, 3*time.Second, "the intent", func() {
			_, err := l.Intend(t.Context(), h, inOrder(h, "1"), sending)
			if !errors.Is(err, context.DeadlineExceeded) {
				t.Errorf("intent: %v", err)
			}
		})
		p.set(pass)
		l.GiveUpAfter(10 * time.Second)
		intend(t, l, h, inOrder(h, "1"))
	})
	t.Run("when answers drip", func(t *testing.T) {
		t.Parallel()
		_, url := open(t)
		l, p := openThrough(t, url)
		h := takeOver(t, l, tickets(1), "run-1")
		l.GiveUpAfter(3 * time.Second)
		p.set(drip)
		within(t, 6*time.Second, "the intent", func() {
			if _, err := l.Intend(t.Context(), h, inOrder(h, "1"), sending); err == nil {
				t.Error("answered")
			}
		})
		p.set(pass)
		l.GiveUpAfter(10 * time.Second)
		intend(t, l, h, inOrder(h, "1"))
	})
	t.Run("within the caller's own deadline", func(t *testing.T) {
		t.Parallel()
		_, url := open(t)
		l, p := openThrough(t, url)
		p.set(mute)
		ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
		defer cancel()
		within(t, 2*time.Second, "looking up", func() {
			if _, err := l.Known(ctx, acme); err == nil {
				t.Error("answered")
			}
		})
	})
}
