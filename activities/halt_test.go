package activities_test

import (
	"cmp"
	"context"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"go.temporal.io/sdk/testsuite"

	"farewell/activities"
	"farewell/destination"
	"farewell/migration"
)

// operator is who says the word that every lane hears.
type operator struct{ word atomic.Value }

func (o *operator) say(w migration.Control) { o.word.Store(w) }

func (o *operator) Control(migration.Migration, string) migration.Control {
	word, _ := o.word.Load().(migration.Control)
	return word
}

// crowded lets an import of tickets wait after its intent for as long as a
// crowded way out might.
type crowded struct {
	destination.Batches
	once    sync.Once
	reached chan struct{}
	longest time.Duration
}

func (c *crowded) Submit(ctx context.Context, b migration.Batch, p destination.Parcel) (destination.Receipt, error) {
	if b.Entity == migration.Tickets {
		c.once.Do(func() { close(c.reached) })
		select {
		case <-ctx.Done():
		case <-time.After(c.longest):
		}
	}
	return c.Batches.Submit(ctx, b, p)
}

func TestWordToHaltKeepsBackWhatWaitsToLeave(t *testing.T) {
	for _, word := range []migration.Control{migration.ControlPause, migration.ControlCancel} {
		t.Run(string(word), func(t *testing.T) {
			s := newStage(t, 250, nil)
			s.timings.SendWithin = 20 * time.Second
			way := &crowded{reached: make(chan struct{}), longest: 5 * time.Second}
			w := s.hire().through(func(b destination.Batches) destination.Batches {
				way.Batches = b
				return way
			})
			ann := &operator{}
			w.does.Controls = ann
			go func() {
				<-way.reached
				ann.say(word)
			}()
			out, err := w.export()
			must(t, err)
			if n := s.imports(); out.Stopped != word || n != 0 {
				t.Errorf("the lane ended with %+v, and %d imports were sent", out, n)
			}
			s.wantNothingOpen()
			s.hire().mustFinish()
			s.wantAllOnce()
		})
	}
}

// wantNothingOpen wants a fate for every batch with an intent: what is open and
// was not sent would be in doubt when its time has passed.
func (s *stage) wantNothingOpen() {
	s.t.Helper()
	open, err := s.ledger.OpenPartitions(s.t.Context(), acme)
	must(s.t, err)
	if len(open) > 0 {
		s.t.Errorf("batches are open in %v, though nothing was sent", open)
	}
}

// tardy answers that an intent of tickets is written when the lane drains, as a
// busy ledger might.
type tardy struct {
	activities.Ledger
	once    sync.Once
	written chan struct{}
	drains  func() bool
}

func (l *tardy) Intend(ctx context.Context, h migration.Hold, b migration.Batch, within time.Duration) (time.Time, error) {
	if !ticketsOf(h) {
		return l.Ledger.Intend(ctx, h, b, within)
	}
	sendBy, err := l.Ledger.Intend(context.WithoutCancel(ctx), h, b, within)
	l.once.Do(func() { close(l.written) })
	for tick := time.NewTicker(5 * time.Millisecond); !l.drains(); <-tick.C {
	}
	return sendBy, cmp.Or(err, ctx.Err())
}

func TestWordToHaltWhileAnIntentIsWrittenLeavesNothingInDoubt(t *testing.T) {
	s := newStage(t, 250, nil)
	s.timings.SendWithin = 20 * time.Second
	w := s.hire()
	ann := &operator{}
	written := make(chan struct{})
	w.does.Controls = ann
	w.does.Ledger = &tardy{Ledger: w.does.Ledger, written: written, drains: func() bool {
		return w.does.Reasons.Current()[acme].Code == "draining" || t.Context().Err() != nil
	}}
	go func() {
		<-written
		ann.say(migration.ControlCancel)
	}()
	out, err := w.export()
	must(t, err)
	if n := s.imports(); out.Stopped != migration.ControlCancel || n != 0 {
		t.Errorf("the lane ended with %+v, and %d imports were sent", out, n)
	}
	s.wantNothingOpen()
	s.hire().mustFinish()
	s.wantAllOnce()
}

func TestJobThatStaysQueuedHoldsNeitherAHaltedLaneNorTheEnd(t *testing.T) {
	s := newStage(t, 250, map[string]any{"faults": []any{fault("job_stuck", nil)}})
	s.timings.JobOverdue, s.timings.LaneWait = time.Hour, 2*time.Second
	w := s.hire()
	ann := &operator{}
	w.does.Controls = ann
	go func() {
		for s.imports() < 3 {
			select {
			case <-time.After(10 * time.Millisecond):
			case <-t.Context().Done():
				return
			}
		}
		ann.say(migration.ControlCancel)
	}()
	began := time.Now()
	out, err := w.export()
	must(t, err)
	if out.Stopped != migration.ControlCancel {
		t.Errorf("the lane ended with %+v", out)
	}
	w.settleOpen()
	if took := time.Since(began); took > 20*time.Second {
		t.Errorf("lane and end took %s, of which each may wait for 2 s", took)
	}
	s.wantCounts(migration.Counts{Read: 250, Created: 150, InDoubt: 100})
}

// settleOpen does what the end of a cancelled run does.
func (w *worker) settleOpen() {
	w.t.Helper()
	var suite testsuite.WorkflowTestSuite
	suite.SetLogger(quiet{})
	env := suite.NewTestActivityEnvironment()
	env.SetTestTimeout(time.Minute)
	w.does.Register(env)
	_, err := env.ExecuteActivity(string(migration.SettleOpen), migration.SettleOpenInput{Migration: acme, Run: run, Timings: w.timings})
	must(w.t, err)
}
