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

func follow(t *testing.T, l *ledger.Ledger) *ledger.Controls {
	t.Helper()
	c, err := l.Follow(t.Context())
	must(t, err)
	t.Cleanup(c.Close)
	return c
}

// await waits until the follower's word for a run is want.
func await(t *testing.T, c *ledger.Controls, run string, want migration.Control, limit time.Duration) {
	t.Helper()
	deadline := time.After(limit)
	for {
		changed := c.Changed()
		if c.Control(acme, run) == want {
			return
		}
		select {
		case <-changed:
		case <-deadline:
			t.Fatalf("the word for %s is %s after %v, want %s", run, c.Control(acme, run), limit, want)
		}
	}
}

func TestFollowerHearsTheWordInUnderASecond(t *testing.T) {
	t.Parallel()
	l, url := open(t)
	must(t, l.BeginRun(t.Context(), acme, "run-1", migration.Options{}))
	c := follow(t, l)
	await(t, c, "run-1", migration.ControlRun, time.Second)
	must(t, l.SetControl(t.Context(), acme, "", migration.ControlPause, "ann", "quiet hours"))
	await(t, c, "run-1", migration.ControlPause, time.Second)
	must(t, l.RecordState(t.Context(), migration.RecordStateInput{Migration: acme, Run: "run-1", State: migration.StateCancelling, Control: migration.ControlCancel}))
	await(t, c, "run-1", migration.ControlCancel, time.Second)

	if word := c.Control(acme, "run-0"); word != migration.ControlRun {
		t.Errorf("another run was told to %s", word)
	}
	must(t, l.BeginRun(t.Context(), acme, "run-2", migration.Options{}))
	await(t, c, "run-1", migration.ControlRun, time.Second)

	// No notification: the poll finds it.
	query(t, url, "update farewell_ledger.migrations set control = 'pause', control_at = clock_timestamp()")
	await(t, c, "run-2", migration.ControlPause, time.Second)
}

func TestFollowerKeepsTheLastWordWithoutALedgerAndComesBack(t *testing.T) {
	t.Parallel()
	l, url := open(t)
	must(t, l.BeginRun(t.Context(), acme, "run-1", migration.Options{}))
	must(t, l.SetControl(t.Context(), acme, "run-1", migration.ControlPause, "ann", ""))
	behind, p := openThrough(t, url)
	c := follow(t, behind)
	await(t, c, "run-1", migration.ControlPause, time.Second)

	p.set(refuse)
	p.drop()
	must(t, l.SetControl(t.Context(), acme, "run-1", migration.ControlCancel, "ann", ""))
	changed := c.Changed()
	select {
	case <-changed:
		t.Error("a change was heard without a connection")
	case <-time.After(1200 * time.Millisecond): // two polls, and a try to connect
	}
	await(t, c, "run-1", migration.ControlPause, time.Second)
	p.set(pass)
	await(t, c, "run-1", migration.ControlCancel, 3*time.Second)
}

func TestFollowingFailsWithoutTheFirstWord(t *testing.T) {
	t.Parallel()
	_, url := open(t)
	l, p := openThrough(t, url)
	p.set(refuse)
	if c, err := l.Follow(t.Context()); err == nil {
		c.Close()
		t.Error("a follower that knows nothing was started")
	}
	p.set(pass)
}

func TestBeginRunRepeatedLeavesTheWordOfAnOperator(t *testing.T) {
	t.Parallel()
	l, _ := open(t)
	c := follow(t, l)
	if err := l.SetControl(t.Context(), acme, "", migration.ControlPause, "ann", ""); !errors.Is(err, ledger.ErrNoRun) {
		t.Errorf("word for a migration without a run: %v", err)
	}
	must(t, l.BeginRun(t.Context(), acme, "run-1", migration.Options{}))
	must(t, l.SetControl(t.Context(), acme, "run-1", migration.ControlPause, "ann", "lunch"))
	await(t, c, "run-1", migration.ControlPause, time.Second)
	must(t, l.BeginRun(t.Context(), acme, "run-1", migration.Options{}))
	runs, err := l.Runs(t.Context(), ledger.RunFilter{})
	must(t, err)
	if len(runs) != 1 || runs[0].Control != migration.ControlPause || runs[0].ControlWhy != "lunch" {
		t.Errorf("the operator's word is lost: %+v", runs)
	}

	must(t, l.BeginRun(t.Context(), acme, "run-2", migration.Options{}))
	await(t, c, "run-2", migration.ControlRun, time.Second)
	if err := l.SetControl(t.Context(), acme, "run-1", migration.ControlCancel, "ann", ""); !errors.Is(err, ledger.ErrNoRun) {
		t.Errorf("word for an earlier run: %v", err)
	}
	must(t, l.RecordState(t.Context(), migration.RecordStateInput{Migration: acme, Run: "run-1", State: migration.StateCancelled, Control: migration.ControlCancel, Ended: true}))
	runs, err = l.Runs(t.Context(), ledger.RunFilter{})
	must(t, err)
	if len(runs) != 1 || runs[0].Run != "run-2" || runs[0].Control != migration.ControlRun {
		t.Errorf("an earlier run's state changed the word of the active one: %+v", runs)
	}
}

func TestAStateThatIsToldLateReplacesNoLaterOne(t *testing.T) {
	t.Parallel()
	l, _ := open(t)
	must(t, l.BeginRun(t.Context(), acme, "run-1", migration.Options{}))
	tell := func(number int64, s migration.State, word migration.Control) migration.RunRecord {
		t.Helper()
		must(t, l.RecordState(t.Context(), migration.RecordStateInput{Migration: acme, Run: "run-1", Number: number, State: s, Control: word, By: "ann"}))
		runs, err := l.Runs(t.Context(), ledger.RunFilter{})
		must(t, err)
		return runs[0]
	}
	tell(1, migration.StatePaused, migration.ControlPause)
	tell(3, migration.StateNeedsAttention, "")
	if r := tell(2, migration.StateExporting, migration.ControlRun); r.State != migration.StateNeedsAttention || r.Control != migration.ControlRun {
		t.Errorf("after the second message, which came third: %s, %s; want the third's state and the second's word", r.State, r.Control)
	}
	if r := tell(1, migration.StatePaused, migration.ControlPause); r.State != migration.StateNeedsAttention || r.Control != migration.ControlRun {
		t.Errorf("after the first message came again: %s, %s", r.State, r.Control)
	}
	must(t, l.SetControl(t.Context(), acme, "", migration.ControlPause, "bob", ""))
	if r := tell(2, migration.StateExporting, migration.ControlRun); r.Control != migration.ControlPause {
		t.Errorf("after the second message came again: %s, want the operator's own word", r.Control)
	}
}

// Polling alone would be soon enough; notifications make it sooner.
func TestChangesAreNotified(t *testing.T) {
	t.Parallel()
	l, url := open(t)
	listener, err := pgx.Connect(t.Context(), url)
	must(t, err)
	t.Cleanup(func() { _ = listener.Close(context.Background()) })
	_, err = listener.Exec(t.Context(), "listen farewell_control")
	must(t, err)
	until := time.Now().Add(time.Hour)
	for _, change := range []struct {
		name string
		make func() error
		tell bool
	}{
		{"a run begins", func() error { return l.BeginRun(t.Context(), acme, "run-1", migration.Options{}) }, true},
		{"it begins again", func() error { return l.BeginRun(t.Context(), acme, "run-1", migration.Options{}) }, false},
		{"a word", func() error { return l.SetControl(t.Context(), acme, "run-1", migration.ControlPause, "ann", "") }, true},
		{"the same word", func() error { return l.SetControl(t.Context(), acme, "run-1", migration.ControlPause, "ann", "") }, false},
		{"a pause", func() error { return l.Pause(t.Context(), "acme-zd", until, "429") }, true},
		{"a shorter pause", func() error { return l.Pause(t.Context(), "acme-zd", until.Add(-time.Minute), "429") }, false},
	} {
		must(t, change.make())
		limit := 100 * time.Millisecond
		if change.tell {
			limit = 5 * time.Second
		}
		ctx, cancel := context.WithTimeout(t.Context(), limit)
		_, err := listener.WaitForNotification(ctx)
		cancel()
		if told := err == nil; told != change.tell {
			t.Errorf("%s: notified %v", change.name, told)
		}
	}
}
