package zendesk_test

import (
	"context"
	"errors"
	"math"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"farewell/destination"
	"farewell/destination/zendesk"
	"farewell/migration"
)

func TestNoWindowGetsMoreThanItsShare(t *testing.T) {
	t.Parallel()
	const plan, reserved, scale, workers = 100, 20, 30, 2 // windows of 2 s
	s := newSandbox(t, map[string]any{"time_scale": scale, "plan_per_minute": plan})
	pace := migration.DefaultTimings().Scaled(scale)
	if pace.RateWindow != 2*time.Second {
		t.Fatalf("the window is %s", pace.RateWindow)
	}
	account := s.account()
	account.PlanPerMinute, account.ReservedPercent = plan, reserved
	shared := &countingBudget{}
	ctx, cancel := context.WithTimeout(context.Background(), 7*time.Second) // at least two whole windows
	defer cancel()
	var wait sync.WaitGroup
	for range workers {
		a := open(t, zendesk.Options{Account: account, Timings: pace, Budget: shared})
		for range 4 {
			wait.Go(func() {
				for ctx.Err() == nil {
					_, _ = a.Prepare(ctx, destination.PrepareInput{ // its end comes by the context
						Entity: migration.Users, Page: migration.Page{Users: []migration.User{{ID: "1"}}}, Directory: nobody,
					})
				}
			})
		}
	}
	wait.Wait()
	most := s.count(t, "peak_requests_per_window")
	if most > plan-plan*reserved/100 || most < plan/2 {
		t.Errorf("the busiest window had %d requests, want at most %d and at least %d", most, plan-plan*reserved/100, plan/2)
	}
	if n := s.count(t, "answers_429"); n != 0 {
		t.Errorf("%d answers were 429", n)
	}
}

// countingBudget is a budget of several workers.
type countingBudget struct {
	mu     sync.Mutex
	taken  map[time.Time]int
	until  time.Time
	why    string
	pauses int
}

func (b *countingBudget) Take(_ context.Context, _ string, window time.Time, want, limit int) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.taken == nil {
		b.taken = make(map[time.Time]int)
	}
	granted := max(0, min(want, limit-b.taken[window]))
	b.taken[window] += granted
	return granted, nil
}

func (b *countingBudget) Pause(_ context.Context, _ string, until time.Time, why string) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.until, b.why = until, why
	b.pauses++
	return nil
}

func (b *countingBudget) Jobs(_ context.Context, _ string, _, _, limit int) (int, error) {
	return limit, nil
}

func (b *countingBudget) PausedUntil(string) (time.Time, string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.until, b.why
}

func TestOthersOnTheAccountAreLeftTheirShare(t *testing.T) {
	t.Parallel()
	// A window of some 17 hours, nine tenths of which are over: what is left
	// of it does not end meanwhile, and its requests are all due.
	now := float64(time.Now().Unix())
	window := now / (math.Floor(now/60_000) + 0.9)
	s := newSandbox(t, map[string]any{"time_scale": 60 / window, "plan_per_minute": 100})
	account := s.account()
	account.PlanPerMinute = 100
	pace := migration.DefaultTimings()
	pace.RateWindow = time.Duration(60 * float64(time.Second) / (60 / window))
	other := open(t, zendesk.Options{Account: destination.Account{
		Name: "other", URL: account.URL, PlanPerMinute: 100, ReservedPercent: 0, Auth: account.Auth, Secret: account.Secret,
	}, Timings: pace})
	ours := open(t, zendesk.Options{Account: account, Timings: pace})
	look := func(a *zendesk.Account, n int) {
		for range n {
			ctx, cancel := context.WithTimeout(context.Background(), time.Second)
			_, err := a.Prepare(ctx, destination.PrepareInput{
				Entity: migration.Users, Page: migration.Page{Users: []migration.User{{ID: "1"}}}, Directory: nobody,
			})
			cancel()
			if err != nil {
				if !errors.Is(err, context.DeadlineExceeded) && destination.KindOf(err) != destination.Waiting {
					t.Errorf("look: %v", err)
				}
				return // it waits for the next window
			}
		}
	}
	look(other, 60)
	look(ours, 80) // its own share is 80, but only 20 are left above the reserve
	if most := s.count(t, "peak_requests_per_window"); most > 80 || most < 70 {
		t.Errorf("a window had %d requests of both, want 80 at most, and most of them", most)
	}
}

func TestRetryAfterIsKeptAndToldToAllWorkers(t *testing.T) {
	t.Parallel()
	s := newSandbox(t, fault("rate_limited", "users", map[string]any{"retry_after": 2, "count": 1}))
	shared := &countingBudget{}
	first := open(t, zendesk.Options{Account: s.account(), Timings: timings(), Budget: shared})
	second := open(t, zendesk.Options{Account: s.account(), Timings: timings(), Budget: shared})
	in := destination.PrepareInput{Entity: migration.Users, Page: migration.Page{Users: []migration.User{{ID: "1"}}}, Directory: nobody}
	began := time.Now()
	_, err := first.Prepare(within(t), in)
	var e *destination.Error
	if !errors.As(err, &e) || e.Kind != destination.Temporary || e.RetryAfter != 2*time.Second {
		t.Errorf("error %v, want temporary with 2 s to wait", err)
	}
	answered := make(chan error, 1)
	go func() {
		_, err := second.Prepare(within(t), in)
		answered <- err
	}()
	eventually(t, time.Second, func() bool { return second.WaitingFor().Code == "retry_after" })
	if r := second.WaitingFor(); r.Until.Before(began.Add(time.Second)) || r.Since.IsZero() {
		t.Errorf("reason %+v, want since when and until when", r)
	}
	if err := <-answered; err != nil || time.Since(began) < 2*time.Second {
		t.Errorf("the other worker went on after %s, error %v", time.Since(began), err)
	}
	if n := s.count(t, "requests_inside_retry_after"); n != 0 {
		t.Errorf("%d requests inside a Retry-After", n)
	}
}

// lateBudget grants what is asked for, but while it is slow only when the window
// is over.
type lateBudget struct {
	countingBudget
	window time.Duration
	slow   atomic.Bool
}

func (b *lateBudget) Take(ctx context.Context, account string, window time.Time, want, limit int) (int, error) {
	if b.slow.Load() {
		select {
		case <-time.After(time.Until(window.Add(b.window))):
		case <-ctx.Done():
			return 0, ctx.Err()
		}
	}
	return b.countingBudget.Take(ctx, account, window, want, limit)
}

func TestAGrantThatIsAlwaysLateIsTheReasonAndNoLaneWaitsForItForLong(t *testing.T) {
	t.Parallel()
	pace := timings()
	pace.RateWindow, pace.LaneWait = 50*time.Millisecond, 500*time.Millisecond
	budget := &lateBudget{window: pace.RateWindow}
	budget.slow.Store(true)
	a := open(t, zendesk.Options{Account: newSandbox(t, nil).account(), Timings: pace, Budget: budget})
	reserved := make(chan error, 1)
	go func() {
		_, err := a.Reserve(within(t))
		reserved <- err
	}()
	eventually(t, pace.LaneWait, func() bool { return a.WaitingFor().Code == "late_grants" })
	var e *destination.Error
	if err := <-reserved; !errors.As(err, &e) || e.Kind != destination.Waiting || e.Code != "late_grants" {
		t.Errorf("error %v, want waiting for late grants", err)
	}
	budget.slow.Store(false)
	release, err := a.Reserve(within(t))
	if err != nil {
		t.Fatalf("grants come in time again: %v", err)
	}
	release()
	if r := a.WaitingFor(); r.Code != "" {
		t.Errorf("nothing waits, and the reason is %+v", r)
	}
}

func TestEdgeBlockStopsTheAccount(t *testing.T) {
	t.Parallel()
	for _, status := range []int{403, 429, 503} {
		s := newSandbox(t, nil)
		account := timings()
		account.LaneWait = 2 * time.Minute
		a := open(t, zendesk.Options{Account: s.account(), Timings: account})
		prepare(t, a, migration.Tickets, tickets("warm", 1))
		s.configure(t, map[string]any{"edge_block": true, "edge_status": status})
		_, _, err := submit(t, a, tickets("t", 1))
		if kind := destination.KindOf(err); kind != destination.Blocked && (status != 429 || kind != destination.Temporary) {
			t.Errorf("status %d: %v", status, err)
		}
		ctx, cancel := context.WithCancel(context.Background())
		go func() { _, _ = a.Reserve(ctx) }() // ends with the context
		eventually(t, time.Second, func() bool { return a.WaitingFor().Code == "edge_block" })
		cancel()
		if n := s.count(t, "edge_blocked"); n != 1 {
			t.Errorf("status %d: %d requests met the block, want 1", status, n)
		}
	}
}

func TestReserveSaysWhenTheWaitIsTooLong(t *testing.T) {
	t.Parallel()
	s := newSandbox(t, nil)
	account := s.account()
	account.PlanPerMinute = 10 // 8 of them ours
	slow := migration.DefaultTimings()
	slow.RateWindow, slow.LaneWait = time.Hour, time.Second
	a := open(t, zendesk.Options{Account: account, Timings: slow})
	for i := range 10 { // eight, and one more when the hour turns meanwhile
		release, err := a.Reserve(within(t))
		if err == nil {
			release()
			continue
		}
		// How many were given before depends on how much of the hour has passed.
		var e *destination.Error
		if !errors.As(err, &e) || e.Kind != destination.Waiting || e.Code != "rate_window" && e.Code != "rate_pace" || e.RetryAfter <= 0 {
			t.Errorf("reservation %d: error %v, want waiting for the rate window, with the time", i, err)
		}
		return
	}
	t.Error("ten requests of eight were given")
}

func TestOpenJobsAreBounded(t *testing.T) {
	t.Parallel()
	s := newSandbox(t, map[string]any{"plan_per_minute": 100000})
	a := s.open(t)
	var releases []func()
	for range 25 {
		release, err := a.Reserve(within(t))
		if err != nil {
			t.Fatal(err)
		}
		releases = append(releases, release)
	}
	reserved := make(chan error, 1)
	go func() {
		_, err := a.Reserve(within(t))
		reserved <- err
	}()
	eventually(t, time.Second, func() bool { return a.WaitingFor().Code == "open_jobs" })
	releases[0]()
	releases[0]() // the second call gives nothing back
	if err := <-reserved; err != nil {
		t.Errorf("the freed slot was not given on: %v", err)
	}
}

func TestTooManyJobsHasNoEffectAndHoldsNewJobsBack(t *testing.T) {
	t.Parallel()
	for _, status := range []int{429, 422} {
		s := newSandbox(t, map[string]any{"job_limit": 1, "too_many_jobs_status": status, "seconds_per_ticket": 20})
		a := s.open(t)
		if _, _, err := submit(t, a, tickets("a", 1)); err != nil {
			t.Fatal(err)
		}
		_, _, err := submit(t, a, tickets("b", 1))
		var e *destination.Error
		if !errors.As(err, &e) || e.Kind != destination.Temporary || e.Code != "TooManyJobs" || !e.NoEffect() || e.RetryAfter == 0 {
			t.Errorf("status %d: error %v, want temporary: TooManyJobs", status, err)
		}
	}
}
