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

// held is a ledger in which a transaction with the intent of one batch is under
// way, and stays so until the obstacle is gone.
type held struct {
	l        *ledger.Ledger
	url      string
	hold     migration.Hold
	obstacle pgx.Tx
	intended chan error
}

func holdUp(t *testing.T, prepare func(*ledger.Ledger)) *held {
	t.Helper()
	l, url := open(t)
	prepare(l)
	h := &held{l: l, url: url, hold: takeOver(t, l, tickets(1), "run-1"), intended: make(chan error, 1)}
	b := inOrder(h.hold, "1")
	h.obstacle = obstruct(t, url, b)
	go func() {
		_, err := l.Intend(t.Context(), h.hold, b, sending)
		h.intended <- err
	}()
	waitForLocks(t, url, 1)
	return h
}

func patiently(l *ledger.Ledger) { l.WaitPatiently() }

// goOn lets the transaction go on, and waits for its end.
func (h *held) goOn(t *testing.T) {
	t.Helper()
	must(t, h.obstacle.Rollback(t.Context()))
	must(t, <-h.intended)
}

// later makes a call that waits for the next transaction.
func (h *held) later(t *testing.T, call func() error) <-chan error {
	t.Helper()
	before := h.l.Waiting()
	done := make(chan error, 1)
	go func() { done <- call() }()
	eventually(t, 4*time.Second, func() bool { return h.l.Waiting() > before })
	return done
}

func TestWritesThatWaitGoTogether(t *testing.T) {
	t.Parallel()
	h := holdUp(t, patiently)
	other := takeOver(t, h.l, tickets(2), "run-1")
	second, third := inOrder(h.hold, "2", "3"), inOrder(other, "4")
	var waiting []<-chan error
	for _, call := range []func() error{
		func() error { _, err := h.l.Intend(t.Context(), h.hold, second, sending); return err },
		func() error { _, err := h.l.Intend(t.Context(), other, third, sending); return err },
		func() error {
			return h.l.Record(t.Context(), acme, inOrder(h.hold, "1").ID, migration.Evidence{Kind: migration.EvidenceAccepted, JobID: "job-1"})
		},
	} {
		waiting = append(waiting, h.later(t, call))
	}
	h.goOn(t)
	for _, done := range waiting {
		must(t, <-done)
	}
	var intents, transactions int
	query(t, h.url, `
		select count(*) filter (where what = 'intent'), count(distinct xmin::text)
		from (select xmin, 'intent' as what from farewell_ledger.intents union all select xmin, 'evidence' from farewell_ledger.evidence) w`, &intents, &transactions)
	if intents != 3 || transactions != 2 {
		t.Errorf("%d intents and a job in %d transactions", intents, transactions)
	}
}

func TestWritesThatGoTogetherDoNotShareTheirErrors(t *testing.T) {
	t.Parallel()
	h := holdUp(t, patiently)
	fenced := takeOver(t, h.l, tickets(2), "run-1")
	takeOver(t, h.l, tickets(2), "run-1")
	good := inOrder(h.hold, "2")
	late := h.later(t, func() error { _, err := h.l.Intend(t.Context(), fenced, inOrder(fenced, "3"), sending); return err })
	refused := h.later(t, func() error {
		return h.l.Record(t.Context(), acme, good.ID, migration.Evidence{Kind: "no text\x00"})
	})
	unknown := h.later(t, func() error {
		return h.l.Settle(t.Context(), h.hold, "never intended", settlement(inOrder(h.hold, "4"), "c"))
	})
	well := h.later(t, func() error { _, err := h.l.Intend(t.Context(), h.hold, good, sending); return err })
	h.goOn(t)
	if err := <-late; !errors.Is(err, ledger.ErrFenced) {
		t.Errorf("under an earlier fence: %v", err)
	}
	if err := <-refused; err == nil {
		t.Error("what the server refuses was written")
	}
	if err := <-unknown; err == nil || errors.Is(err, ledger.ErrFenced) {
		t.Errorf("a batch without intent: %v", err)
	}
	must(t, <-well)
	checkCounts(t, h.l, "run-1", migration.Tickets, migration.Counts{Read: 2})
}

func TestWriteThatHangsDoesNotHoldUpOthers(t *testing.T) {
	t.Parallel()
	h := holdUp(t, func(*ledger.Ledger) {})
	intend(t, h.l, h.hold, inOrder(h.hold, "2"))
	h.goOn(t)
}

// A lane that is told to halt leaves no intent behind of what it will not send.
func TestWriteWhoseCallerHasLeftIsNotBegun(t *testing.T) {
	t.Parallel()
	h := holdUp(t, patiently)
	ctx, cancel := context.WithCancel(t.Context())
	done := h.later(t, func() error { _, err := h.l.Intend(ctx, h.hold, inOrder(h.hold, "2"), sending); return err })
	cancel()
	if err := <-done; !errors.Is(err, context.Canceled) {
		t.Errorf("intend: %v", err)
	}
	h.goOn(t)
	checkCounts(t, h.l, "run-1", migration.Tickets, migration.Counts{Read: 1})
}

func TestWriteWhoseCallerHadLeftBeforeBeginsNoTransaction(t *testing.T) {
	t.Parallel()
	l, _ := open(t)
	h := takeOver(t, l, tickets(1), "run-1")
	begun := make(chan struct{}, 2)
	l.Begun(func() { begun <- struct{}{} })
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := l.Intend(ctx, h, inOrder(h, "1"), sending); !errors.Is(err, context.Canceled) {
		t.Errorf("intend: %v", err)
	}
	intend(t, l, h, inOrder(h, "2"))
	if <-begun; len(begun) > 0 {
		t.Error("a transaction began for who had left")
	}
}

func TestWriteWhoseCallerHasLeftIsNotBegunWhenAConnectionIsFree(t *testing.T) {
	t.Parallel()
	_, url := open(t)
	l, err := ledger.Open(t.Context(), url, ledger.Options{MaxConns: 1})
	must(t, err)
	t.Cleanup(l.Close)
	begun := make(chan struct{}, 9)
	l.Begun(func() { begun <- struct{}{} })
	h := takeOver(t, l, tickets(1), "run-1")
	b := inOrder(h, "1")
	obstacle := obstruct(t, url, b)
	intended := make(chan error, 2)
	go func() { _, err := l.Intend(t.Context(), h, b, sending); intended <- err }()
	<-begun
	waitForLocks(t, url, 1)
	ctx, cancel := context.WithCancel(t.Context())
	go func() { _, err := l.Intend(ctx, h, inOrder(h, "2"), sending); intended <- err }()
	<-begun
	cancel()
	if err := <-intended; !errors.Is(err, context.Canceled) {
		t.Errorf("intend: %v", err)
	}
	must(t, obstacle.Rollback(t.Context()))
	must(t, <-intended)
	intend(t, l, h, inOrder(h, "3")) // after whatever waited for the connection
	checkCounts(t, l, "run-1", migration.Tickets, migration.Counts{Read: 2})
}
