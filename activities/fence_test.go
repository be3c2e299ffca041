package activities_test

import (
	"context"
	"sync"
	"testing"
	"time"

	"farewell/activities"
	"farewell/destination"
	"farewell/migration"
)

// halting stops the first import of tickets between the check, which is its
// intent, and the write, until it is let go.
type halting struct {
	destination.Batches
	once    sync.Once
	reached chan struct{}
	let     chan struct{}
	late    bool // the write comes although its time is over and the lane has stopped, as after a SIGSTOP in between
}

func newHalting(late bool) *halting {
	return &halting{reached: make(chan struct{}), let: make(chan struct{}), late: late}
}

func (h *halting) around(b destination.Batches) destination.Batches {
	h.Batches = b
	return h
}

func (h *halting) Submit(ctx context.Context, b migration.Batch, p destination.Parcel) (destination.Receipt, error) {
	if b.Entity == migration.Tickets {
		h.once.Do(func() {
			close(h.reached)
			<-h.let
			if h.late {
				b.SendBy = time.Now().Add(time.Minute)
				ctx = context.WithoutCancel(ctx)
			}
		})
	}
	return h.Batches.Submit(ctx, b, p)
}

// asleep starts an attempt that stops between check and write, has another one
// take over and finish, and then wakes the first.
func asleep(s *stage, h *halting) (woken error) {
	s.t.Helper()
	first := s.hire().through(h.around)
	ended := make(chan error, 1)
	go func() {
		_, err := first.export()
		ended <- err
	}()
	<-h.reached
	s.hire().mustFinish()
	close(h.let)
	return <-ended
}

func TestWokenAttemptSendsNothingAfterItsTimeAndDecidesNothing(t *testing.T) {
	s := newStage(t, 250, nil)
	woken := asleep(s, newHalting(false))
	if woken == nil {
		t.Error("the woken attempt thinks that it has succeeded")
	}
	if n := s.imports(); n != 3 {
		t.Errorf("%d imports arrived for 3 batches", n)
	}
	s.wantAllOnce()
}

func TestDuplicateOfAWokenAttemptIsSweptAndReported(t *testing.T) {
	s := newStage(t, 250, nil)
	if woken := asleep(s, newHalting(true)); woken == nil {
		t.Error("the woken attempt thinks that it has succeeded")
	}
	if lost, twice := s.difference(); lost != 0 || twice != 100 {
		t.Fatalf("%d lost, %d twice before the sweep; the test's own duplicate is missing", lost, twice)
	}
	out := s.hire().sweep()
	if out != (migration.SweepOutcome{Repaired: 100, InAccount: 350}) {
		t.Errorf("the sweep says %+v, want 100 repaired", out)
	}
	s.wantAllOnce()
	listed := 0
	must(t, s.ledger.Failures(t.Context(), acme, func(f migration.Failure) error {
		if f.Outcome == "duplicate" && f.Code == "duplicate_repaired" {
			listed++
		}
		return nil
	}))
	if listed != 100 {
		t.Errorf("%d duplicates are listed, want 100", listed)
	}
}

func TestTicketThatIsGoneFromTheAccountIsListedById(t *testing.T) {
	s := newStage(t, 50, nil)
	w := s.hire()
	w.mustFinish()
	targets, err := s.ledger.SettledTargets(t.Context(), acme, migration.Tickets, []string{"1007"})
	must(t, err)
	must(t, w.account.Delete(t.Context(), migration.Tickets, targets["1007"][0]))
	if out := w.sweep(); out != (migration.SweepOutcome{Missing: 1, InAccount: 49}) {
		t.Errorf("the sweep says %+v, want 1 missing", out)
	}
	var listed []string
	must(t, s.ledger.Failures(t.Context(), acme, func(f migration.Failure) error {
		listed = append(listed, f.SourceID+" "+f.Outcome)
		return nil
	}))
	if len(listed) != 1 || listed[0] != "1007 not_in_account" {
		t.Errorf("listed %q", listed)
	}
}

// Each mechanism is shown to matter: the same happening is harmless with it and
// not without it.

func TestWithoutTheSweepALateWriteStaysTwice(t *testing.T) {
	s := newStage(t, 250, nil)
	_ = asleep(s, newHalting(true)) // it was fenced
	if _, twice := s.difference(); twice == 0 {
		t.Error("nothing is there twice, so no sweep is needed")
	}
}

func TestWithoutTheFenceAWokenAttemptSendsAgain(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		name   string
		fenced bool
	}{{"with it", true}, {"without it", false}} {
		t.Run(row.name, func(t *testing.T) {
			s := newStage(t, 250, nil)
			first, second := s.hire(), s.hire()
			if !row.fenced {
				open := &unfenced{Ledger: s.ledger}
				first.does.Ledger, second.does.Ledger = open, open
			}
			// It sleeps with a page that it has read before a ticket came that
			// moves the bounds of all batches.
			h := &halfPrepared{reached: make(chan struct{}), let: make(chan struct{})}
			first.through(h.around)
			ended := make(chan error, 1)
			go func() {
				_, err := first.export()
				ended <- err
			}()
			<-h.reached
			s.source.comes("1000")
			second.mustFinish()
			close(h.let)
			if err := <-ended; err != nil {
				t.Log("the woken attempt ended with:", err)
			}
			if _, twice := s.difference(); (twice == 0) != row.fenced {
				t.Errorf("%d tickets are there more than once", twice)
			}
		})
	}
}

// halfPrepared stops the first page of tickets before its intent.
type halfPrepared struct {
	destination.Batches
	once         sync.Once
	reached, let chan struct{}
}

func (h *halfPrepared) around(b destination.Batches) destination.Batches {
	h.Batches = b
	return h
}

func (h *halfPrepared) Prepare(ctx context.Context, in destination.PrepareInput) (destination.Parcel, error) {
	if in.Entity == migration.Tickets {
		h.once.Do(func() {
			close(h.reached)
			<-h.let
		})
	}
	return h.Batches.Prepare(ctx, in)
}

// unfenced is a ledger that takes decisions from anybody.
type unfenced struct {
	activities.Ledger
	mu   sync.Mutex
	last map[string]migration.Hold
}

func (l *unfenced) TakeOver(ctx context.Context, m migration.Migration, p migration.Partition, run string) (migration.PartitionState, error) {
	state, err := l.Ledger.TakeOver(ctx, m, p, run)
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.last == nil {
		l.last = map[string]migration.Hold{}
	}
	l.last[p.ID] = state.Hold
	return state, err
}

func (l *unfenced) newest(h migration.Hold) migration.Hold {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.last[h.Partition.ID]
}

func (l *unfenced) Intend(ctx context.Context, h migration.Hold, b migration.Batch, within time.Duration) (time.Time, error) {
	return l.Ledger.Intend(ctx, l.newest(h), b, within)
}

func (l *unfenced) RecordAndSettle(ctx context.Context, h migration.Hold, id string, e migration.Evidence, s migration.Settlement) error {
	return l.Ledger.RecordAndSettle(ctx, l.newest(h), id, e, s)
}

func (l *unfenced) Settle(ctx context.Context, h migration.Hold, id string, s migration.Settlement) error {
	return l.Ledger.Settle(ctx, l.newest(h), id, s)
}

func TestWithoutTheIntentACrashSendsAgain(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		name   string
		intent bool
	}{{"with it", true}, {"without it", false}} {
		t.Run(row.name, func(t *testing.T) {
			s := newStage(t, 250, nil)
			first, second := s.hire(), s.hire()
			if !row.intent {
				first.does.Ledger = &forgetful{Ledger: first.does.Ledger, batches: map[string]intended{}}
			}
			if _, err := first.dyingAt(afterSubmit, 1).export(); err == nil {
				t.Fatal("the worker did not die")
			}
			second.mustFinish()
			if _, twice := s.difference(); (twice == 0) != row.intent {
				t.Errorf("%d tickets are there more than once", twice)
			}
		})
	}
}

// forgetful writes an intent only when it is settled.
type forgetful struct {
	activities.Ledger
	mu      sync.Mutex
	batches map[string]intended
}

type intended struct {
	hold   migration.Hold
	batch  migration.Batch
	within time.Duration
}

func (l *forgetful) Intend(ctx context.Context, h migration.Hold, b migration.Batch, within time.Duration) (time.Time, error) {
	if !ticketsOf(h) {
		return l.Ledger.Intend(ctx, h, b, within)
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.batches[b.ID] = intended{h, b, within}
	return time.Now().Add(within), nil
}

func (l *forgetful) RecordAndSettle(ctx context.Context, h migration.Hold, id string, e migration.Evidence, s migration.Settlement) error {
	l.mu.Lock()
	late, ok := l.batches[id]
	l.mu.Unlock()
	if ok {
		if _, err := l.Ledger.Intend(ctx, late.hold, late.batch, late.within); err != nil {
			return err
		}
	}
	return l.Ledger.RecordAndSettle(ctx, h, id, e, s)
}

// A request is on its way when its sender dies, and arrives after the next
// attempt has looked for the first time.
func TestWithoutTheWaitingRuleWhatArrivesLateIsSentAgain(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		name  string
		waits bool
	}{{"with it", true}, {"without it", false}} {
		t.Run(row.name, func(t *testing.T) {
			s := newStage(t, 100, nil)
			s.timings.AbsentAfter = 4 * time.Second // on a slow machine too, the first look comes before
			if !row.waits {
				s.timings.SendWithin, s.timings.AbsentAfter = 100*time.Millisecond, -2*time.Second
			}
			d := s.door()
			looked, arrived := make(chan struct{}), make(chan struct{})
			var once sync.Once
			d.mu.Lock()
			d.hold = func() {
				once.Do(func() {
					close(arrived)
					<-looked
				})
			}
			d.mu.Unlock()
			first := s.hire()
			ctx, die := context.WithCancel(t.Context())
			first.through(func(b destination.Batches) destination.Batches { return &doomed{Batches: b, ctx: ctx} })
			first.dyingAt(afterSubmit, 1)
			ended := make(chan struct{})
			go func() {
				defer close(ended)
				_, _ = first.export() // it dies
			}()
			<-arrived
			die()
			<-ended
			second := s.hire().through(func(b destination.Batches) destination.Batches { return &observed{Batches: b, looked: looked} })
			second.mustFinish()
			s.eventuallyArrives(200, row.waits)
		})
	}
}

// eventuallyArrives waits until the delayed request has had its effect.
func (s *stage) eventuallyArrives(both int, waits bool) {
	s.t.Helper()
	deadline := time.Now().Add(20 * time.Second)
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for ; ; <-tick.C {
		lost, twice := s.difference()
		switch {
		case waits && lost == 0 && twice == 0, !waits && twice == both-100:
			return
		case time.Now().After(deadline):
			s.t.Fatalf("%d tickets are lost, %d are there more than once", lost, twice)
		}
	}
}

// doomed gives up its import when its process dies; what has left is under way.
type doomed struct {
	destination.Batches
	ctx context.Context
}

func (d *doomed) Submit(ctx context.Context, b migration.Batch, p destination.Parcel) (destination.Receipt, error) {
	if b.Entity != migration.Tickets {
		return d.Batches.Submit(ctx, b, p)
	}
	left := make(chan struct{})
	go func() {
		defer close(left)
		_, _ = d.Batches.Submit(ctx, b, p) // nobody is there to hear
	}()
	select {
	case <-left:
	case <-d.ctx.Done():
	}
	return destination.Receipt{}, &destination.Error{Op: "import", Kind: destination.InDoubt, Code: "dead", Err: errDead}
}

// observed says when it has looked for the first time.
type observed struct {
	destination.Batches
	once   sync.Once
	looked chan struct{}
}

func (o *observed) Lookup(ctx context.Context, d destination.Doubt, owns destination.OwnsJobs) (destination.Finding, error) {
	finding, err := o.Batches.Lookup(ctx, d, owns)
	o.once.Do(func() { close(o.looked) })
	return finding, err
}

func TestWithoutTheLookUpALostAnswerIsSentAgain(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		name  string
		looks bool
	}{{"with it", true}, {"without it", false}} {
		t.Run(row.name, func(t *testing.T) {
			s := newStage(t, 250, map[string]any{"faults": []any{fault("cut_after", nil)}})
			w := s.hire()
			if !row.looks {
				w.through(func(b destination.Batches) destination.Batches { return blind{b} })
			}
			w.mustFinish()
			if _, twice := s.difference(); (twice == 0) != row.looks {
				t.Errorf("%d tickets are there more than once", twice)
			}
		})
	}
}

// blind takes every batch in doubt for one that never arrived.
type blind struct{ destination.Batches }

func (blind) Lookup(context.Context, destination.Doubt, destination.OwnsJobs) (destination.Finding, error) {
	return destination.Finding{Decided: true}, nil
}
