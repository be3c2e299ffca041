package workflows

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"go.temporal.io/sdk/activity"
	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/testsuite"
	"go.temporal.io/sdk/workflow"

	"farewell/migration"
)

// world answers for the activities. Each field may be replaced by a test; the
// defaults make one customer with 3 users and 5 tickets in two partitions.
type world struct {
	env *testsuite.TestWorkflowEnvironment

	preflight func() (migration.CheckOutcome, error)
	export    func(in migration.ExportInput, attempt int) (migration.ExportOutcome, error)
	compare   func(in migration.CompareInput) migration.CompareOutcome
	sweep     func() migration.SweepOutcome
	readBack  func() migration.ReadBackOutcome
	progress  func() migration.CheckProgressOutcome
	told      func(in migration.RecordStateInput)
	timings   migration.Timings
	counts    migration.EntityCounts
	suspended bool                   // the source knows of suspensions
	streams   bool                   // the destination is a bundle
	published migration.EntityCounts // the ledger's sums after publishing; nil: those of counts

	mu       sync.Mutex
	exports  []migration.ExportInput
	attempts map[string]int
	compares []migration.CompareInput
	states   []migration.RecordStateInput
	settled  int
}

var (
	users     = migration.Partition{ID: "users-0001", Entity: migration.Users, Rows: 3}
	first     = migration.Partition{ID: "tickets-0001", Entity: migration.Tickets, UpTo: "3", Rows: 3}
	second    = migration.Partition{ID: "tickets-0002", Entity: migration.Tickets, After: "3", Rows: 2}
	suspended = migration.Partition{ID: "suspensions-0001", Entity: migration.Suspensions, Rows: 1}
	subject   = migration.Migration{Customer: "acme", Destination: migration.DestinationZendesk, Account: "acme-support"}
)

// planned is the plan, with suspensions or without.
func planned(suspensions bool) []migration.PlannedPartition {
	plan := []migration.PlannedPartition{{Partition: users, Work: true}, {Partition: first, Work: true}, {Partition: second, Work: true}}
	if suspensions {
		plan = append(plan, migration.PlannedPartition{Partition: suspended, Work: true})
	}
	return plan
}

func newWorld(t *testing.T) *world {
	t.Helper()
	var suite testsuite.WorkflowTestSuite
	w := &world{
		env:       suite.NewTestWorkflowEnvironment(),
		preflight: func() (migration.CheckOutcome, error) { return migration.CheckOutcome{}, nil },
		export: func(in migration.ExportInput, _ int) (migration.ExportOutcome, error) {
			return done(in.Partition.Rows), nil
		},
		compare:  func(migration.CompareInput) migration.CompareOutcome { return migration.CompareOutcome{} },
		sweep:    func() migration.SweepOutcome { return migration.SweepOutcome{} },
		readBack: func() migration.ReadBackOutcome { return migration.ReadBackOutcome{} },
		told:     func(migration.RecordStateInput) {},
		timings:  migration.DefaultTimings(),
		progress: func() migration.CheckProgressOutcome {
			return migration.CheckProgressOutcome{Stalled: true, Reason: migration.Reason{Code: "stalled"}}
		},
		counts: migration.EntityCounts{
			migration.Users:   {Read: 3, Created: 3},
			migration.Tickets: {Read: 5, Created: 5},
		},
		attempts: map[string]int{},
	}
	w.env.SetTestTimeout(20 * time.Second)
	Register(w.env)
	w.register()
	return w
}

func done(rows int64) migration.ExportOutcome {
	return migration.ExportOutcome{Done: true, Counts: migration.Counts{Read: rows, Created: rows}}
}

func answer[In, Out any](w *world, name migration.Activity[In, Out], do func(In) (Out, error)) {
	w.env.RegisterActivityWithOptions(func(_ context.Context, in In) (Out, error) { return do(in) },
		activity.RegisterOptions{Name: string(name)})
}

func (w *world) register() {
	answer(w, migration.Preflight, func(migration.PreflightInput) (migration.CheckOutcome, error) { return w.preflight() })
	answer(w, migration.MakePlan, func(migration.MakePlanInput) (migration.MakePlanOutcome, error) {
		return migration.MakePlanOutcome{
			Partitions: planned(w.suspended),
			Rows:       map[migration.Entity]int64{migration.Users: 3, migration.Tickets: 5},
			Streams:    w.streams,
		}, nil
	})
	answer(w, migration.PublishBundle, func(migration.PublishInput) (migration.PublishOutcome, error) {
		counts := w.published
		if counts == nil {
			counts = w.counts
		}
		return migration.PublishOutcome{Path: "/bundles/acme", Counts: counts}, nil
	})
	answer(w, migration.ExportPartition, func(in migration.ExportInput) (migration.ExportOutcome, error) {
		w.mu.Lock()
		w.exports = append(w.exports, in)
		w.attempts[in.Partition.ID]++
		attempt := w.attempts[in.Partition.ID]
		w.mu.Unlock()
		return w.export(in, attempt)
	})
	answer(w, migration.CompareSource, func(in migration.CompareInput) (migration.CompareOutcome, error) {
		w.mu.Lock()
		defer w.mu.Unlock()
		w.compares = append(w.compares, in)
		return w.compare(in), nil
	})
	answer(w, migration.ReadBack, func(migration.ReadBackInput) (migration.ReadBackOutcome, error) { return w.readBack(), nil })
	answer(w, migration.SweepDuplicates, func(migration.SweepInput) (migration.SweepOutcome, error) { return w.sweep(), nil })
	answer(w, migration.CheckProgress, func(migration.CheckProgressInput) (migration.CheckProgressOutcome, error) {
		return w.progress(), nil
	})
	answer(w, migration.SettleOpen, func(migration.SettleOpenInput) (migration.SettleOpenOutcome, error) {
		w.mu.Lock()
		defer w.mu.Unlock()
		w.settled++
		return migration.SettleOpenOutcome{}, nil
	})
	answer(w, migration.RecordState, func(in migration.RecordStateInput) (migration.RecordStateOutcome, error) {
		w.mu.Lock()
		defer w.mu.Unlock()
		w.states = append(w.states, in)
		w.told(in)
		return migration.RecordStateOutcome{Counts: w.counts}, nil
	})
}

// run executes the workflow to its end.
func (w *world) run(t *testing.T, o migration.Options) (migration.Progress, error) {
	t.Helper()
	w.env.ExecuteWorkflow(string(migration.MigrateCustomer), migration.MigrateCustomerInput{
		Migration: subject, Options: o, Timings: w.timings, ExportQueue: "exports",
	})
	if !w.env.IsWorkflowCompleted() {
		t.Fatal("the workflow did not end")
	}
	var p migration.Progress
	err := w.env.GetWorkflowError()
	if err == nil {
		if err := w.env.GetWorkflowResult(&p); err != nil {
			t.Fatal(err)
		}
	}
	return p, err
}

// ended is the last state that the ledger was told.
func (w *world) ended(t *testing.T) migration.RecordStateInput {
	t.Helper()
	w.mu.Lock()
	defer w.mu.Unlock()
	if len(w.states) == 0 || !w.states[len(w.states)-1].Ended {
		t.Fatal("the ledger was not told how the run ended")
	}
	return w.states[len(w.states)-1]
}

func (w *world) exported() []string {
	w.mu.Lock()
	defer w.mu.Unlock()
	var ids []string
	for _, in := range w.exports {
		ids = append(ids, in.Partition.ID)
	}
	return ids
}

func TestMigrationCompletesAndTellsTheLedger(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	p, err := w.run(t, migration.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if p.State != migration.StateCompleted || p.Percent != 100 {
		t.Errorf("ended as %s with %d %%, want completed with 100 %%", p.State, p.Percent)
	}
	if got := w.ended(t).State; got != migration.StateCompleted {
		t.Errorf("the ledger was told %s", got)
	}
	if got := w.exported(); len(got) != 3 || got[0] != users.ID {
		t.Errorf("exported %v, want users first, then both ticket partitions", got)
	}
}

func TestFailedRecordsEndAsCompletedWithFailures(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.counts = migration.EntityCounts{migration.Tickets: {Read: 5, Created: 4, Failed: 1}}
	p, err := w.run(t, migration.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if p.State != migration.StateCompletedWithFailures {
		t.Errorf("ended as %s", p.State)
	}
}

func TestPreflightRefusalFailsWithWhatToDo(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.preflight = func() (migration.CheckOutcome, error) {
		return migration.CheckOutcome{Fatal: true, Findings: []migration.CheckFinding{
			{Name: "account", Fatal: true, Text: "the token is refused", Fix: "put a new token into the secret"},
			{Name: "fine", OK: true, Fatal: true, Text: "unseen"},
		}}, nil
	}
	_, err := w.run(t, migration.Options{})
	var app *temporal.ApplicationError
	if !errors.As(err, &app) || app.Message() != "account: the token is refused (put a new token into the secret)" {
		t.Errorf("failed with %v", err)
	}
	if got := w.ended(t); got.State != migration.StateFailed || got.Reason.Text == "" {
		t.Errorf("the ledger was told %+v", got)
	}
	if len(w.exported()) != 0 {
		t.Error("something was exported")
	}
}

func TestWaitingPartitionIsScheduledAgainAfterItsTimer(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	began := w.env.Now()
	w.export = func(in migration.ExportInput, attempt int) (migration.ExportOutcome, error) {
		if in.Partition == first && attempt == 1 {
			return migration.ExportOutcome{Waiting: &migration.Reason{Code: "retry_after", Text: "told to wait", Until: w.env.Now().Add(30 * time.Minute)}}, nil
		}
		return done(in.Partition.Rows), nil
	}
	p, err := w.run(t, migration.Options{})
	if err != nil || p.State != migration.StateCompleted {
		t.Fatalf("ended as %s, %v", p.State, err)
	}
	if waited := w.env.Now().Sub(began); waited < 30*time.Minute {
		t.Errorf("waited %s of 30 minutes", waited)
	}
	if w.attempts[first.ID] != 2 || w.attempts[second.ID] != 1 {
		t.Errorf("scheduled %v", w.attempts)
	}
}

func parkedFirst(in migration.ExportInput, attempt int) (migration.ExportOutcome, error) {
	if in.Partition == first && attempt == 1 {
		return migration.ExportOutcome{Parked: &migration.Parked{Partition: first.ID, Code: "credentials", Text: "the token is refused"}}, nil
	}
	return done(in.Partition.Rows), nil
}

func TestParkedPartitionWaitsWhileTheOthersGoOnAndIsRetried(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.export = parkedFirst
	w.env.RegisterDelayedCallback(func() {
		p := query(t, w)
		if p.State != migration.StateNeedsAttention || len(p.Parked) != 1 {
			t.Errorf("state %s with %d parked", p.State, len(p.Parked))
		}
		if w.attempts[second.ID] != 1 {
			t.Error("the other partition did not go on")
		}
		w.env.UpdateWorkflow(migration.UpdateRetry, "", accepted(t), migration.Command{By: "ann"})
	}, time.Hour)
	p, err := w.run(t, migration.Options{})
	if err != nil || p.State != migration.StateCompleted {
		t.Fatalf("ended as %s, %v", p.State, err)
	}
	again := w.exports[len(w.exports)-1]
	if w.attempts[first.ID] != 2 || !again.Tolerated || again.RetryBefore.IsZero() {
		t.Errorf("the retry was scheduled as %+v", again)
	}
}

func TestALateWordOfTheWatchdogLeavesTheReasonForAttention(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	asked, parked := make(chan struct{}), make(chan struct{})
	w.export = func(in migration.ExportInput, attempt int) (migration.ExportOutcome, error) {
		if in.Partition == users && attempt == 1 {
			<-asked
		}
		return parkedFirst(in, attempt)
	}
	var once sync.Once
	w.progress = func() migration.CheckProgressOutcome {
		once.Do(func() {
			close(asked)
			<-parked
		})
		return migration.CheckProgressOutcome{}
	}
	w.told = func(in migration.RecordStateInput) {
		if in.State == migration.StateNeedsAttention {
			close(parked)
		}
	}
	w.env.RegisterDelayedCallback(func() {
		if p := query(t, w); p.State != migration.StateNeedsAttention || p.Reason.Code != "credentials" {
			t.Errorf("it is %s because of %q", p.State, p.Reason.Code)
		}
		w.env.UpdateWorkflow(migration.UpdateRetry, "", accepted(t), migration.Command{By: "ann"})
	}, time.Hour)
	w.timings.Watchdog = time.Millisecond
	if p, err := w.run(t, migration.Options{}); err != nil || p.State != migration.StateCompleted {
		t.Fatalf("ended as %s, %v", p.State, err)
	}
}

func TestABundlesTicketsDoNotWaitForItsPeople(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.streams = true
	w.export = func(in migration.ExportInput, attempt int) (migration.ExportOutcome, error) {
		if in.Partition == users && attempt == 1 {
			return migration.ExportOutcome{Parked: &migration.Parked{Partition: users.ID, Code: "credentials", Text: "the token is refused"}}, nil
		}
		return done(in.Partition.Rows), nil
	}
	w.env.RegisterDelayedCallback(func() {
		if got := w.exported(); len(got) != 3 {
			t.Errorf("exported %v while the users wait for an operator", got)
		}
		w.env.UpdateWorkflow(migration.UpdateRetry, "", accepted(t), migration.Command{By: "ann"})
	}, time.Hour)
	p, err := w.run(t, migration.Options{})
	if err != nil || p.State != migration.StateCompleted || p.Bundle != "/bundles/acme" {
		t.Fatalf("ended as %+v, %v", p, err)
	}
}

// addedUp counts how often the ledger was asked to add up.
func (w *world) addedUp() int {
	w.mu.Lock()
	defer w.mu.Unlock()
	n := 0
	for _, s := range w.states {
		if s.AddUp {
			n++
		}
	}
	return n
}

func TestThePeopleWhomPublishingBringsAreInTheSum(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		published migration.EntityCounts
		want      int
	}{
		"none were brought": {nil, 1},
		"one was brought": {migration.EntityCounts{
			migration.Users:   {Read: 4, Created: 4},
			migration.Tickets: {Read: 5, Created: 5},
		}, 2},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			w.streams, w.published = true, c.published
			p, err := w.run(t, migration.Options{})
			if err != nil || p.State != migration.StateCompleted || w.addedUp() != c.want {
				t.Fatalf("ended as %s, %v; the ledger was added up %d times, want %d", p.State, err, w.addedUp(), c.want)
			}
		})
	}
}

func TestAStepThatFailsEndsThoseBesideIt(t *testing.T) {
	t.Parallel()
	var suite testsuite.WorkflowTestSuite
	env := suite.NewTestWorkflowEnvironment()
	refused := errors.New("the token is refused")
	began := env.Now()
	env.ExecuteWorkflow(func(ctx workflow.Context) error {
		return sideBySide(ctx,
			func(ctx workflow.Context) error { return workflow.Sleep(ctx, 10*time.Hour) },
			func(ctx workflow.Context) error { return errors.Join(workflow.Sleep(ctx, time.Minute), refused) },
		)
	})
	if err := env.GetWorkflowError(); err == nil || !strings.Contains(err.Error(), refused.Error()) {
		t.Errorf("ended with %v", err)
	}
	if took := env.Now().Sub(began); took > time.Hour {
		t.Errorf("it took %s", took)
	}
}

func TestSkippedPartitionEndsAsCompletedWithFailures(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.export = parkedFirst
	w.counts = migration.EntityCounts{migration.Tickets: {Read: 5, Created: 2, InDoubt: 3}}
	w.env.RegisterDelayedCallback(func() {
		w.env.SignalWorkflow(migration.UpdateSkip, migration.Command{By: "ann", Partition: first.ID})
	}, time.Hour)
	p, err := w.run(t, migration.Options{})
	if err != nil || p.State != migration.StateCompletedWithFailures {
		t.Fatalf("ended as %s, %v", p.State, err)
	}
	if w.attempts[first.ID] != 1 {
		t.Error("a skipped partition was scheduled again")
	}
}

func TestASkippedPartitionStaysSkippedWhenTheComparisonMissesIt(t *testing.T) {
	t.Parallel()
	for _, given := range []migration.Partition{second, suspended} {
		t.Run(given.ID, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			w.suspended = true
			w.export = func(in migration.ExportInput, _ int) (migration.ExportOutcome, error) {
				if in.Partition == given {
					return migration.ExportOutcome{Parked: &migration.Parked{Partition: given.ID, Code: "credentials"}}, nil
				}
				return done(in.Partition.Rows), nil
			}
			w.compare = func(in migration.CompareInput) (out migration.CompareOutcome) {
				if slices.Contains(in.Entities, given.Entity) {
					out.Partitions = []migration.Partition{given}
					if in.Final {
						out.Comparison.Missing = given.Rows
					}
				}
				return out
			}
			w.env.RegisterDelayedCallback(func() {
				w.env.UpdateWorkflow(migration.UpdateSkip, "", accepted(t), migration.Command{By: "ann"})
			}, time.Hour)
			w.env.RegisterDelayedCallback(func() {
				t.Errorf("a day later it is %s", query(t, w).State)
				w.env.CancelWorkflow()
			}, 24*time.Hour)
			p, err := w.run(t, migration.Options{})
			if err != nil || p.State != migration.StateCompletedWithFailures {
				t.Fatalf("ended as %s, %v", p.State, err)
			}
			if w.attempts[given.ID] != 1 || p.Comparison.Missing != given.Rows {
				t.Errorf("tried %d times, missing %d", w.attempts[given.ID], p.Comparison.Missing)
			}
		})
	}
}

func TestAPauseIsShownFirstAndThenTheVerdictThatIsWaitedFor(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		name  string
		parks func(w *world) // what comes while the activity runs that ends as parked
		told  []string
		shown []migration.State
	}{
		{"parked, then paused", func(*world) {},
			[]string{migration.UpdatePause, migration.UpdateRetry, migration.UpdateResume},
			[]migration.State{migration.StateNeedsAttention, migration.StatePaused, migration.StatePaused, migration.StateExporting}},
		{"paused, then parked",
			func(w *world) { w.env.SignalWorkflow(migration.UpdatePause, migration.Command{By: "ann"}) },
			[]string{migration.UpdateResume, migration.UpdateRetry},
			[]migration.State{migration.StatePaused, migration.StateNeedsAttention, migration.StateExporting}},
		{"parked, paused and resumed", func(*world) {},
			[]string{migration.UpdatePause, migration.UpdateResume, migration.UpdateRetry},
			[]migration.State{migration.StateNeedsAttention, migration.StatePaused, migration.StateNeedsAttention, migration.StateExporting}},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			w.export = func(in migration.ExportInput, attempt int) (migration.ExportOutcome, error) {
				switch {
				case in.Partition == users && attempt == 1:
					row.parks(w)
					return migration.ExportOutcome{Parked: &migration.Parked{Partition: users.ID, Code: "credentials"}}, nil
				case in.Partition == users && attempt == 2:
					return migration.ExportOutcome{Waiting: &migration.Reason{Code: "retry_after", Until: w.env.Now().Add(24 * time.Hour)}}, nil
				}
				return done(in.Partition.Rows), nil
			}
			for i, want := range row.shown {
				w.env.RegisterDelayedCallback(func() {
					p := query(t, w)
					if p.State != want || p.Reason.Code == "" {
						t.Errorf("before word %d it is %s, because of %q, want %s", i, p.State, p.Reason.Code, want)
					}
					if want == migration.StateNeedsAttention && p.Reason.Code != "credentials" {
						t.Errorf("the reason is %q", p.Reason.Code)
					}
					if i < len(row.told) {
						w.env.UpdateWorkflow(row.told[i], "", accepted(t), migration.Command{By: "ann"})
					}
				}, time.Duration(i+1)*time.Hour)
			}
			p, err := w.run(t, migration.Options{})
			if err != nil || p.State != migration.StateCompleted {
				t.Fatalf("ended as %s, %v", p.State, err)
			}
		})
	}
}

func TestPauseStopsSchedulingUntilResume(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	paused := false
	w.export = func(in migration.ExportInput, attempt int) (migration.ExportOutcome, error) {
		if in.Partition == users && attempt == 1 { // a lane hears the word before the workflow does
			return migration.ExportOutcome{Stopped: migration.ControlPause}, nil
		}
		return done(in.Partition.Rows), nil
	}
	w.env.RegisterDelayedCallback(func() {
		w.env.UpdateWorkflow(migration.UpdatePause, "", accepted(t), migration.Command{By: "ann", Reason: "audit"})
	}, 2*time.Second)
	w.env.RegisterDelayedCallback(func() {
		paused = true
		p := query(t, w)
		if p.State != migration.StatePaused || p.Reason.Text != "paused by ann: audit" {
			t.Errorf("state %s, reason %q", p.State, p.Reason.Text)
		}
		if got := w.exported(); len(got) != 1 {
			t.Errorf("exported %v while paused", got)
		}
		w.env.UpdateWorkflow(migration.UpdatePause, "", refused(t), migration.Command{By: "bob"})
		w.env.UpdateWorkflow(migration.UpdateResume, "", accepted(t), migration.Command{By: "ann"})
	}, time.Hour)
	p, err := w.run(t, migration.Options{})
	if err != nil || p.State != migration.StateCompleted || !paused {
		t.Fatalf("ended as %s, %v", p.State, err)
	}
}

func TestAWaitThatEndsInAPauseLeavesItsReason(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.export = func(in migration.ExportInput, attempt int) (migration.ExportOutcome, error) {
		if in.Partition == users && attempt == 1 {
			return migration.ExportOutcome{Waiting: &migration.Reason{Code: "retry_after", Until: w.env.Now().Add(30 * time.Minute)}}, nil
		}
		return done(in.Partition.Rows), nil
	}
	w.env.RegisterDelayedCallback(func() {
		w.env.UpdateWorkflow(migration.UpdatePause, "", accepted(t), migration.Command{By: "ann"})
	}, time.Minute)
	w.env.RegisterDelayedCallback(func() {
		if p := query(t, w); p.State != migration.StatePaused || p.Reason.Code != "paused" {
			t.Errorf("it is %s because of %q", p.State, p.Reason.Code)
		}
		w.env.UpdateWorkflow(migration.UpdateResume, "", accepted(t), migration.Command{By: "ann"})
	}, time.Hour)
	if p, err := w.run(t, migration.Options{}); err != nil || p.State != migration.StateCompleted {
		t.Fatalf("ended as %s, %v", p.State, err)
	}
}

func TestOldWordToPauseDoesNotStopARunThatNobodyPaused(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.export = func(in migration.ExportInput, attempt int) (migration.ExportOutcome, error) {
		if attempt == 1 {
			return migration.ExportOutcome{Stopped: migration.ControlPause}, nil
		}
		return done(in.Partition.Rows), nil
	}
	p, err := w.run(t, migration.Options{})
	if err != nil || p.State != migration.StateCompleted {
		t.Fatalf("ended as %s, %v", p.State, err)
	}
	if w.states[0].Control != migration.ControlRun {
		t.Errorf("the workers were told %q", w.states[0].Control)
	}
}

func TestCancelSettlesOpenBatchesThenEnds(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.export = func(in migration.ExportInput, _ int) (migration.ExportOutcome, error) {
		return migration.ExportOutcome{Waiting: &migration.Reason{Code: "retry_after", Until: w.env.Now().Add(time.Hour)}}, nil
	}
	w.env.RegisterDelayedCallback(w.env.CancelWorkflow, time.Minute)
	_, err := w.run(t, migration.Options{})
	if !temporal.IsCanceledError(err) {
		t.Errorf("ended with %v, want a cancellation", err)
	}
	if w.settled != 1 {
		t.Errorf("open batches were settled %d times, want once", w.settled)
	}
	if got := w.ended(t).State; got != migration.StateCancelled {
		t.Errorf("the ledger was told %s", got)
	}
	if w.states[0].Control != migration.ControlCancel || w.states[0].State != migration.StateCancelling {
		t.Errorf("the workers were first told %+v", w.states[0])
	}
}

func TestCatchUpBringsWhatCameMeanwhileAtMostThreeTimes(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.compare = func(migration.CompareInput) migration.CompareOutcome {
		return migration.CompareOutcome{Partitions: []migration.Partition{second}, Comparison: migration.Comparison{ArrivedLate: 1}}
	}
	p, err := w.run(t, migration.Options{})
	if err != nil || p.State != migration.StateCompleted {
		t.Fatalf("ended as %s, %v", p.State, err)
	}
	if w.attempts[second.ID] != 1+catchUpPasses || len(w.compares) != catchUpPasses+1 {
		t.Errorf("%d exports after %d comparisons", w.attempts[second.ID], len(w.compares))
	}
	if p.Comparison.ArrivedLate != 1 {
		t.Errorf("arrived late: %d", p.Comparison.ArrivedLate)
	}
}

func TestUsersAreSuspendedWhenTheLastLateTicketIsThere(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.suspended = true
	late := map[migration.Entity]migration.Partition{migration.Tickets: second, migration.Suspensions: suspended} // found once each
	w.compare = func(in migration.CompareInput) (out migration.CompareOutcome) {
		for _, e := range in.Entities {
			if p, ok := late[e]; ok {
				out.Partitions = append(out.Partitions, p)
				delete(late, e)
			}
		}
		return out
	}
	p, err := w.run(t, migration.Options{})
	if err != nil || p.State != migration.StateCompleted {
		t.Fatalf("ended as %s, %v", p.State, err)
	}
	if got, want := w.exported()[3:], []string{second.ID, suspended.ID, suspended.ID}; !slices.Equal(got, want) {
		t.Errorf("exported %v after the plan's people and tickets, want %v", got, want)
	}
	var compared []migration.Entity
	for _, in := range w.compares {
		compared = append(compared, in.Entities...)
	}
	for _, e := range migration.Work() {
		if !slices.Contains(compared, e) {
			t.Errorf("%s were not compared", e)
		}
	}
}

func TestAParkedSuspensionIsRetriedBesideTheProofs(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.suspended = true
	w.export = func(in migration.ExportInput, attempt int) (migration.ExportOutcome, error) {
		if in.Partition == suspended && attempt == 1 {
			return migration.ExportOutcome{Parked: &migration.Parked{Partition: suspended.ID, Code: "credentials"}}, nil
		}
		return done(in.Partition.Rows), nil
	}
	var seen migration.Progress
	w.env.RegisterDelayedCallback(func() {
		seen = query(t, w)
		w.env.UpdateWorkflow(migration.UpdateRetry, "", accepted(t), migration.Command{By: "ann"})
	}, time.Hour)
	p, err := w.run(t, migration.Options{})
	if err != nil || p.State != migration.StateCompleted {
		t.Fatalf("ended as %s, %v", p.State, err)
	}
	if seen.State != migration.StateNeedsAttention || len(seen.Parked) != 1 || seen.Parked[0].Partition != suspended.ID {
		t.Errorf("an hour later it was %s with parked %v", seen.State, seen.Parked)
	}
	if w.attempts[suspended.ID] != 2 {
		t.Errorf("tried %d times", w.attempts[suspended.ID])
	}
}

func TestASuspensionWithoutAnOutcomeNeedsAttention(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.suspended = true
	w.compare = func(in migration.CompareInput) (out migration.CompareOutcome) {
		if slices.Contains(in.Entities, migration.Suspensions) {
			out.Comparison.Missing = 1
		}
		return out
	}
	var seen migration.Progress
	w.env.RegisterDelayedCallback(func() {
		seen = query(t, w)
		w.env.UpdateWorkflow(migration.UpdateSkip, "", accepted(t), migration.Command{By: "ann"})
	}, time.Hour)
	if _, err := w.run(t, migration.Options{}); err != nil {
		t.Fatal(err)
	}
	if seen.State != migration.StateNeedsAttention || seen.Comparison.Missing != 1 {
		t.Errorf("an hour later it was %s, missing %d", seen.State, seen.Comparison.Missing)
	}
}

func TestWrongSumNeedsAttentionBeforeItMayComplete(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		name   string
		counts migration.Counts
		sweep  migration.SweepOutcome
		back   migration.ReadBackOutcome
		missed int64
	}{
		{name: "a record without an outcome", counts: migration.Counts{Read: 5, Created: 4}},
		{name: "a record in doubt", counts: migration.Counts{Read: 5, Created: 4, InDoubt: 1}},
		{name: "an id of the source that nobody read", counts: migration.Counts{Read: 5, Created: 5}, missed: 1},
		{name: "a duplicate that nobody can judge", counts: migration.Counts{Read: 5, Created: 5}, sweep: migration.SweepOutcome{Unresolved: 1}},
		{name: "a target that is missing", counts: migration.Counts{Read: 5, Created: 5}, sweep: migration.SweepOutcome{Missing: 1}},
		{name: "a ticket that is read back otherwise", counts: migration.Counts{Read: 5, Created: 5}, back: migration.ReadBackOutcome{Compared: 5, Differing: 1, Examples: []string{"1 (tags)"}}},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			w.counts = migration.EntityCounts{migration.Tickets: row.counts}
			w.sweep = func() migration.SweepOutcome { return row.sweep }
			w.readBack = func() migration.ReadBackOutcome { return row.back }
			w.compare = func(migration.CompareInput) migration.CompareOutcome {
				return migration.CompareOutcome{Comparison: migration.Comparison{Missing: row.missed}}
			}
			seen := false
			w.env.RegisterDelayedCallback(func() {
				p := query(t, w)
				seen = p.State == migration.StateNeedsAttention
				w.env.UpdateWorkflow(migration.UpdateSkip, "", accepted(t), migration.Command{By: "ann"})
			}, time.Hour)
			p, err := w.run(t, migration.Options{})
			if err != nil || !seen {
				t.Fatalf("needed attention: %t; ended as %s, %v", seen, p.State, err)
			}
			if p.State != migration.StateCompletedWithFailures {
				t.Errorf("ended as %s", p.State)
			}
		})
	}
}

func TestARetryOfTheSumBringsWhatHadNoOutcome(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	retried := false
	w.compare = func(in migration.CompareInput) (out migration.CompareOutcome) {
		switch {
		case !retried:
			out.Comparison.Missing = 1
		case w.attempts[second.ID] == 1:
			out.Partitions = []migration.Partition{second}
		}
		return out
	}
	w.env.RegisterDelayedCallback(func() {
		if p := query(t, w); p.State != migration.StateNeedsAttention {
			t.Errorf("an hour later it was %s", p.State)
		}
		retried = true
		w.env.UpdateWorkflow(migration.UpdateRetry, "", accepted(t), migration.Command{By: "ann"})
	}, time.Hour)
	p, err := w.run(t, migration.Options{})
	if err != nil || p.State != migration.StateCompleted {
		t.Fatalf("ended as %s, %v", p.State, err)
	}
	if w.attempts[second.ID] != 2 || p.Comparison.Missing != 0 {
		t.Errorf("exported %d times, missing %d", w.attempts[second.ID], p.Comparison.Missing)
	}
}

func TestTrialTakesNoMoreThanItsLimit(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	if _, err := w.run(t, migration.Options{Limit: 4}); err != nil {
		t.Fatal(err)
	}
	var limits int64
	for _, in := range w.exports {
		if in.Partition.Entity != migration.Tickets {
			t.Errorf("a trial exported %s; it takes the people of its tickets on demand", in.Partition.ID)
		}
		limits += in.Limit
	}
	if limits != 4 {
		t.Errorf("limits add up to %d, want 4", limits)
	}
}

func TestWatchdogMakesAStallVisible(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	stalled := false
	w.export = func(in migration.ExportInput, attempt int) (migration.ExportOutcome, error) {
		if in.Partition == first && attempt == 1 {
			return migration.ExportOutcome{Waiting: &migration.Reason{Code: "retry_after", Until: w.env.Now().Add(20 * time.Minute)}}, nil
		}
		return done(in.Partition.Rows), nil
	}
	w.env.RegisterDelayedCallback(func() { stalled = query(t, w).Reason.Code == "stalled" }, 11*time.Minute)
	if _, err := w.run(t, migration.Options{}); err != nil {
		t.Fatal(err)
	}
	if !stalled {
		t.Error("nothing moved for 11 minutes and the reason did not say so")
	}
}

func query(t *testing.T, w *world) migration.Progress {
	t.Helper()
	v, err := w.env.QueryWorkflow(migration.QueryProgress)
	if err != nil {
		t.Fatal(err)
	}
	var p migration.Progress
	if err := v.Get(&p); err != nil {
		t.Fatal(err)
	}
	return p
}

func accepted(t *testing.T) *testsuite.TestUpdateCallback {
	return &testsuite.TestUpdateCallback{
		OnAccept: func() {},
		OnReject: func(err error) { t.Errorf("the update was refused: %v", err) },
		OnComplete: func(_ any, err error) {
			if err != nil {
				t.Errorf("the update failed: %v", err)
			}
		},
	}
}

func refused(t *testing.T) *testsuite.TestUpdateCallback {
	return &testsuite.TestUpdateCallback{
		OnAccept:   func() { t.Error("the update was accepted") },
		OnReject:   func(error) {},
		OnComplete: func(any, error) {},
	}
}
