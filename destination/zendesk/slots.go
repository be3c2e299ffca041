package zendesk

import (
	"context"
	"sync"
	"time"

	"farewell/destination"
)

const (
	// maxOpenJobs stays below Zendesk's limit of 30 queued or running jobs,
	// which the account's other integrations share
	// (https://developer.zendesk.com/api-reference/introduction/rate-limits/).
	maxOpenJobs = 25
	// jobsEvery is how often a process tells the others how many jobs it has
	// open, and learns how many it may have.
	jobsEvery = time.Second
	// askAgain is how often it asks for more while callers wait.
	askAgain = 100 * time.Millisecond
	// jobsWithin ends a call for it.
	jobsWithin = 5 * time.Second
)

// slots bounds the jobs that all workers together have open in the account.
// When the account says TooManyJobs, no new one is begun for the time of a full
// job.
type slots struct {
	a      *Account
	budget Budget
	rest   time.Duration // how long a refusal holds

	mu      sync.Mutex
	open    int
	waiting int
	allowed int       // open at most
	asking  bool      // the budget is asked right now: nothing is opened meanwhile
	asked   time.Time // when it was
	minding bool
	full    time.Time // the account said so until then
	changed chan struct{}
}

func newSlots(a *Account, b Budget) *slots {
	return &slots{
		a:       a,
		budget:  b,
		rest:    max(bulkLimit*a.timings.JobPerTicket, a.timings.PollEvery),
		changed: make(chan struct{}),
	}
}

// acquire waits for a slot.
func (s *slots) acquire(ctx context.Context) error {
	caller, began := s.a.waits.caller(), time.Now()
	defer caller.over()
	s.count(1)
	defer s.count(-1)
	for {
		s.mu.Lock()
		now := time.Now()
		full := s.full
		if s.open < s.allowed && !s.asking && !full.After(now) {
			s.open++
			s.mind()
			s.mu.Unlock()
			return nil
		}
		changed := s.changed
		ask := !s.asking && !full.After(now) && now.Sub(s.asked) >= askAgain
		s.mu.Unlock()
		if ask {
			if err := s.ask(ctx); err != nil {
				return err
			}
			continue
		}
		until := now.Add(askAgain)
		if full.After(now) {
			until = full
		}
		if until.Sub(began) > s.a.timings.LaneWait {
			return waitingError("open a job", reasonOpenJobs, max(s.rest, minWaiting))
		}
		caller.becauseOf(reasonOpenJobs, time.Time{})
		if err := waitForChange(ctx, changed, until); err != nil {
			return err
		}
	}
}

func (s *slots) count(n int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.waiting += n
}

// ask learns how many jobs this process may have open.
func (s *slots) ask(ctx context.Context) error {
	s.mu.Lock()
	if s.asking {
		s.mu.Unlock()
		return nil
	}
	s.asking = true
	open, waiting := s.open, s.waiting
	s.mu.Unlock()
	bounded, cancel := context.WithTimeout(ctx, jobsWithin)
	defer cancel()
	allowed, err := s.budget.Jobs(bounded, s.a.name, open, waiting, maxOpenJobs)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.asking, s.asked = false, time.Now()
	s.wake()
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if err != nil {
		return &destination.Error{Op: "share the open jobs", Kind: destination.Temporary, Code: "budget", Err: err}
	}
	s.allowed = allowed
	if open+waiting == 0 {
		s.asked = time.Time{} // the next one need not wait
	}
	return nil
}

// mind tells the others every second what is open here, until nothing is and
// nobody waits. The lock must be held.
func (s *slots) mind() {
	if s.minding {
		return
	}
	s.minding = true
	go func() {
		for {
			err := sleep(s.a.live, jobsEvery)
			s.mu.Lock()
			last := s.open == 0 && s.waiting == 0
			if last {
				s.minding = false
			}
			s.mu.Unlock()
			if err == nil {
				err = s.ask(s.a.live)
			}
			if err != nil && s.a.live.Err() == nil {
				s.a.log.Warn("the other workers could not be told of the open jobs", "error", err)
			}
			if last || s.a.live.Err() != nil {
				return
			}
		}
	}()
}

func (s *slots) release() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.open--
	s.wake()
}

func (s *slots) wake() {
	close(s.changed)
	s.changed = make(chan struct{})
}

// refused notes that the account has as many jobs as it takes.
func (s *slots) refused() time.Duration {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.full = time.Now().Add(s.rest)
	return s.rest
}
