package zendesk

import (
	"context"
	"fmt"
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
	// askAgain is how soon it asks for more after it got all that it asked for.
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
	limited bool      // it answered less than was asked for
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
		ask := !s.asking && !full.After(now) && now.Sub(s.asked) >= s.patience()
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

// patience is how long a caller waits before it asks for more. The lock must
// be held.
func (s *slots) patience() time.Duration {
	switch {
	case !s.limited:
		return askAgain
	case s.minding:
		return jobsEvery // mind asks for all
	}
	return jobsEvery / 4
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
	s.allowed, s.limited = allowed, allowed < open+waiting
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

// close gives back what this process held: whoever comes next need not wait
// until it is taken for dead.
func (s *slots) close() error {
	s.mu.Lock()
	used := s.allowed > 0
	s.mu.Unlock()
	if !used {
		return nil
	}
	ctx, cancel := context.WithTimeout(context.Background(), jobsWithin)
	defer cancel()
	if _, err := s.budget.Jobs(ctx, s.a.name, 0, 0, maxOpenJobs); err != nil {
		return fmt.Errorf("give the open jobs of account %s back: %w", s.a.name, err)
	}
	return nil
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
