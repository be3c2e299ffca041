package zendesk

import (
	"context"
	"fmt"
	"net/http"
	"strconv"
	"sync"
	"time"

	"farewell/destination"
	"farewell/migration"
)

const (
	// assumedPlan is the smallest plan in use: 200 requests a minute
	// (https://developer.zendesk.com/api-reference/introduction/rate-limits/).
	assumedPlan = 200
	// chunks is into how many parts a window is divided when it is taken out
	// of the shared budget: parts small enough that one worker leaves little
	// unused, large enough that not each request asks the budget.
	chunks = 50
	// evenness is how much faster than on average requests leave while a window
	// has budget: evenly enough not to be taken for an attack, with the rest of
	// the window to catch up in.
	evenness = 1.5
	// nearReserve is how close to the reserved share requests go one at a time,
	// since others may be under way that this process does not know of.
	nearReserve = 10
	// recheck is how often a wait looks again for a pause told by others.
	recheck = time.Second
	// minWaiting is the least that a caller is told to wait elsewhere.
	minWaiting = time.Second
)

// pacer keeps the account's requests inside what it was granted: a share of
// each fixed rate window. The share is taken from the shared budget in chunks
// and corrected downwards by what the account itself says remains.
//
// A request under way when a window turns may be counted in either, so it is
// charged to both.
type pacer struct {
	account  string
	plan     int
	reserved int // percent
	window   time.Duration
	laneWait time.Duration
	budget   Budget
	exit     *Exit
	clock    *clock
	waits    *waits

	mu        sync.Mutex
	changed   chan struct{} // closed when those who wait should look again
	current   int64         // number of the window since the Unix epoch
	tokens    int           // taken from the budget, not used yet
	owed      int           // requests of the window before that may be counted in this one
	drained   bool          // the budget grants no more in this window
	nextTake  time.Time     // the budget grants no more before
	scarce    int64         // the last window in which the budget granted less than was wanted
	taking    bool          // a caller asks the budget right now
	late      int           // grants in a row that came when their window was over
	promised  int           // tokens set aside by reserve, not sent yet
	inflight  int
	remaining int // what the account said last in this window; -1: nothing yet
	limit     int // the account's own limit; 0: not said yet
	paused    time.Time
}

func newPacer(a destination.Account, t migration.Timings, b Budget, x *Exit, c *clock, w *waits) *pacer {
	plan := a.PlanPerMinute
	if plan <= 0 {
		plan = assumedPlan
	}
	return &pacer{
		account:   a.Name,
		plan:      plan,
		reserved:  min(max(a.ReservedPercent, 0), 95),
		window:    t.RateWindow,
		laneWait:  t.LaneWait,
		budget:    b,
		exit:      x,
		clock:     c,
		waits:     w,
		changed:   make(chan struct{}),
		remaining: -1,
	}
}

// wait returns when one more request may go out, which then counts as under
// way until done. An *Error of kind Waiting says that it would take too long.
func (p *pacer) wait(ctx context.Context) error {
	return p.acquire(ctx, func() { p.inflight++ })
}

// reserve sets a request of this window aside for use.
func (p *pacer) reserve(ctx context.Context) error {
	return p.acquire(ctx, func() { p.promised++ })
}

// use turns what reserve set aside into a request under way. When the window
// has turned meanwhile, it waits for a new one.
func (p *pacer) use(ctx context.Context) error {
	p.mu.Lock()
	p.turn(time.Now())
	if p.promised > 0 && !p.pauseEnd().After(time.Now()) {
		p.promised--
		p.inflight++
		p.mu.Unlock()
		return nil
	}
	p.mu.Unlock()
	return p.wait(ctx)
}

// giveBack returns what reserve set aside, when there is nothing to send.
func (p *pacer) giveBack() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.turn(time.Now())
	if p.promised > 0 {
		p.promised--
		p.tokens++
		p.wake()
	}
}

// charge counts a request that cannot wait: one for a new access token, which
// others wait for.
func (p *pacer) charge() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.turn(time.Now())
	if p.tokens > 0 {
		p.tokens--
	} else {
		p.owed++
	}
	p.inflight++
}

// done ends a request that left at that time; ans is nil when there was no
// answer.
func (p *pacer) done(left time.Time, ans *answer) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.inflight--
	if ans != nil {
		p.turn(time.Now())
		p.learn(ans, p.windowOf(left, ans))
	}
	p.wake()
}

// windowOf is the window in which the account counted a request. Its Date
// tells, when windows are whole seconds; else the departure does.
func (p *pacer) windowOf(left time.Time, ans *answer) int64 {
	if p.window%time.Second == 0 {
		if date, err := http.ParseTime(ans.header.Get("Date")); err == nil {
			return date.UnixNano() / int64(p.window)
		}
	}
	return p.clock.theirs(left).UnixNano() / int64(p.window)
}

// learn corrects the current window by what the account says. Answers overtake
// each other, so the least that remains counts.
func (p *pacer) learn(ans *answer, window int64) {
	if limit, ok := headerInt(ans, "X-Rate-Limit", "Ratelimit-Limit", "Rate-Limit"); ok && limit > 0 {
		p.limit = limit
	}
	if remaining, ok := headerInt(ans, "X-Rate-Limit-Remaining", "Ratelimit-Remaining", "Rate-Limit-Remaining"); ok && window == p.current {
		if p.remaining < 0 || remaining < p.remaining {
			p.remaining = remaining
		}
	}
}

// pause leaves the account alone until then, in all workers.
func (p *pacer) pause(ctx context.Context, until time.Time, why string) error {
	p.mu.Lock()
	if until.After(p.paused) {
		p.paused = until
	}
	p.wake()
	p.mu.Unlock()
	if err := p.budget.Pause(context.WithoutCancel(ctx), p.account, until, why); err != nil {
		return fmt.Errorf("pause account %s until %s: %w", p.account, until.UTC().Format(time.RFC3339), err)
	}
	return nil
}

// acquire waits until a request fits and counts it by take, under the lock.
func (p *pacer) acquire(ctx context.Context, take func()) error {
	caller, began := p.waits.caller(), time.Now()
	defer caller.over()
	for {
		p.mu.Lock()
		now := time.Now()
		p.turn(now)
		code, until := p.obstacle(now)
		if code == "" && p.tokens > 0 {
			p.tokens--
			take()
			p.mu.Unlock()
			return nil
		}
		ask := code == "" && !p.taking && !p.nextTake.After(now)
		if code == "" {
			code, until = p.slow(), latest(p.nextTake, now.Add(time.Millisecond))
		}
		tooLong := until.Sub(began) > p.laneWait
		if ask && (!tooLong || code != reasonLateGrants) {
			if code == reasonLateGrants {
				caller.becauseOf(code, time.Time{})
			}
			if err := p.refill(ctx); err != nil {
				return err
			}
			continue
		}
		changed := p.changed
		p.mu.Unlock()
		if tooLong {
			return waitingError("send a request", code, max(until.Sub(now), minWaiting))
		}
		caller.becauseOf(code, until)
		if code == reasonEgressBlocked {
			err := p.exit.hold(ctx, code, until)
			if err != nil {
				return err
			}
			continue
		}
		if err := waitForChange(ctx, changed, until); err != nil {
			return err
		}
	}
}

// slow is why a request waits that nothing forbids. One grant in a window may be
// late, for the window before.
func (p *pacer) slow() string {
	if p.late > 1 {
		return reasonLateGrants
	}
	return reasonRatePace
}

// obstacle is why no request may go out now, and until when.
func (p *pacer) obstacle(now time.Time) (code string, until time.Time) {
	if code, until := p.exit.obstacle(p.account, now); code != "" {
		return code, until
	}
	if end := p.pauseEnd(); end.After(now) {
		return reasonRetryAfter, end
	}
	turn := p.turnsAt()
	if p.drained && p.tokens == 0 {
		return reasonRateWindow, turn
	}
	if p.remaining < 0 {
		return "", time.Time{}
	}
	floor := p.floor()
	if p.remaining <= floor {
		return reasonRateWindow, turn
	}
	if p.remaining-p.inflight <= floor || p.remaining <= floor+min(nearReserve, p.plan/chunks) && p.inflight > 0 {
		return reasonRateWindow, minTime(turn, now.Add(recheck)) // until one of those under way is back
	}
	return "", time.Time{}
}

// rests tells until when the account wants to be left alone; an empty code when
// it does not.
func (p *pacer) rests(now time.Time) (code string, until time.Time) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if end := p.pauseEnd(); end.After(now) {
		return reasonRetryAfter, end
	}
	return "", time.Time{}
}

// refill takes a chunk out of the budget. It is called with the lock held and
// returns without it.
func (p *pacer) refill(ctx context.Context) error {
	p.taking = true
	window := p.current
	chunk := max(1, p.share()/chunks)
	want := chunk + p.owed
	limit := min(p.share(), p.dueBy(time.Now())+want)
	p.mu.Unlock()
	granted, err := p.budget.Take(ctx, p.account, p.startOf(window), want, limit)
	p.mu.Lock()
	defer p.mu.Unlock()
	p.taking = false
	p.wake()
	if err != nil {
		return &destination.Error{Op: "take requests out of the budget", Kind: destination.Temporary, Code: "budget", Err: err}
	}
	p.turn(time.Now())
	if p.current != window {
		p.late++
		return nil // what was granted is void: it was of a window that is over
	}
	p.late = 0
	pay := min(p.owed, granted)
	p.owed -= pay
	p.tokens += granted - pay
	if granted == want {
		return nil
	}
	p.scarce = window
	if limit == p.share() {
		p.drained = true
		return nil
	}
	p.nextTake = time.Now().Add(time.Duration(float64(p.window) * float64(chunk) / (float64(p.share()) * evenness)))
	return nil
}

// dueBy is how many of the window's requests may have left by now.
func (p *pacer) dueBy(now time.Time) int {
	passed := p.clock.theirs(now).Sub(p.startOf(p.current))
	return int(float64(p.share()) * evenness * float64(passed) / float64(p.window))
}

// short tells whether the budget has lately granted less than was wanted.
func (p *pacer) short() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.scarce >= p.current-1
}

// turn begins a new window when its time has come.
func (p *pacer) turn(now time.Time) {
	n := p.clock.theirs(now).UnixNano() / int64(p.window)
	if n == p.current {
		return
	}
	p.owed = p.inflight
	p.current, p.tokens, p.promised, p.drained, p.remaining = n, 0, 0, false, -1
	p.nextTake = time.Time{}
}

// share is how many requests of a window are ours.
func (p *pacer) share() int { return max(1, p.granted()-p.floor()) }

// floor is how many must remain for the account's other integrations.
func (p *pacer) floor() int { return (p.granted()*p.reserved + 99) / 100 }

// granted is the plan, or less when the account says so.
func (p *pacer) granted() int {
	if p.limit > 0 {
		return min(p.plan, p.limit)
	}
	return p.plan
}

func (p *pacer) startOf(n int64) time.Time { return time.Unix(0, n*int64(p.window)).UTC() }

// turnsAt is the end of the window by our clock.
func (p *pacer) turnsAt() time.Time { return p.clock.ours(p.startOf(p.current + 1)) }

func (p *pacer) pauseEnd() time.Time {
	until, _ := p.budget.PausedUntil(p.account)
	if p.paused.After(until) {
		return p.paused
	}
	return until
}

// look lets those who wait look again.
func (p *pacer) look() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.wake()
}

func (p *pacer) wake() {
	close(p.changed)
	p.changed = make(chan struct{})
}

// waitForChange waits for a change, at most until the given time.
func waitForChange(ctx context.Context, changed <-chan struct{}, until time.Time) error {
	timer := time.NewTimer(min(max(time.Until(until), time.Millisecond), recheck))
	defer timer.Stop()
	select {
	case <-changed:
	case <-timer.C:
	case <-ctx.Done():
		return ctx.Err()
	}
	return nil
}

func waitingError(op, code string, d time.Duration) error {
	return &destination.Error{Op: op, Kind: destination.Waiting, Code: code, RetryAfter: d}
}

func headerInt(ans *answer, names ...string) (int, bool) {
	for _, name := range names {
		if n, err := strconv.Atoi(ans.header.Get(name)); err == nil {
			return n, true
		}
	}
	return 0, false
}

func minTime(a, b time.Time) time.Time {
	if a.Before(b) {
		return a
	}
	return b
}

// said is the account's own limit; 0 when it has not said.
func (p *pacer) said() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.limit
}
