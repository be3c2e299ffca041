package zendesk

import (
	"context"
	"sync"
	"time"

	"farewell/migration"
)

// maxOpenJobs stays below Zendesk's limit of 30 queued or running jobs, which
// the account's other integrations share
// (https://developer.zendesk.com/api-reference/introduction/rate-limits/).
const maxOpenJobs = 25

// slots bounds the jobs that this process has open in the account. When the
// account says TooManyJobs, no new one is begun for the time of a full job.
type slots struct {
	waits    *waits
	laneWait time.Duration
	rest     time.Duration // how long a refusal holds

	mu      sync.Mutex
	open    int
	full    time.Time // the account said so until then
	changed chan struct{}
}

func newSlots(t migration.Timings, w *waits) *slots {
	return &slots{
		waits:    w,
		laneWait: t.LaneWait,
		rest:     max(bulkLimit*t.JobPerTicket, t.PollEvery),
		changed:  make(chan struct{}),
	}
}

// acquire waits for a slot.
func (s *slots) acquire(ctx context.Context) error {
	caller, began := s.waits.caller(), time.Now()
	defer caller.over()
	for {
		s.mu.Lock()
		now := time.Now()
		full := s.full
		if s.open < maxOpenJobs && !full.After(now) {
			s.open++
			s.mu.Unlock()
			return nil
		}
		changed := s.changed
		s.mu.Unlock()
		until := now.Add(recheck)
		if full.After(now) {
			until = full
		}
		if until.Sub(began) > s.laneWait {
			return waitingError("open a job", reasonOpenJobs, max(s.rest, minWaiting))
		}
		caller.becauseOf(reasonOpenJobs, time.Time{})
		if err := waitForChange(ctx, changed, until); err != nil {
			return err
		}
	}
}

func (s *slots) release() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.open--
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
