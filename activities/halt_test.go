package activities_test

import (
	"context"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"go.temporal.io/sdk/testsuite"

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
			counts, err := s.ledger.ExactCounts(t.Context(), acme, run)
			must(t, err)
			if n := counts[migration.Tickets].InDoubt; n != 0 {
				t.Errorf("%d tickets are in doubt, though nothing was sent", n)
			}
			s.hire().mustFinish()
			s.wantAllOnce()
		})
	}
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
