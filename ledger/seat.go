package ledger

import (
	"context"
	"sync"
	"time"

	"farewell/migration"
)

// Seat is a worker's place at what all workers share about pace: the budgets
// and open jobs of accounts, and its egress. What is asked in passing is
// answered from memory.
type Seat struct {
	*Controls
	worker string
	egress string
	clock  ledgerClock
}

// Seat returns the place of a worker behind an egress. The worker's name must
// be its own.
func (c *Controls) Seat(worker, egress string) *Seat {
	return &Seat{Controls: c, worker: worker, egress: egress}
}

// Jobs tells how many jobs the worker may have open in the account, when it
// has so many and so many callers wait for one: over all workers never more
// than limit. It is repeated every second while jobs are open.
func (s *Seat) Jobs(ctx context.Context, account string, open, waiting, limit int) (allowed int, err error) {
	return s.ledger.share(ctx, "jobs", account, s.worker, open, waiting, limit, jobsCount)
}

// Slots gives out up to want moments at which requests may leave.
func (s *Seat) Slots(ctx context.Context, want int) (migration.Departures, error) {
	return s.ledger.slots(ctx, s.egress, want, &s.clock)
}

// Gate is the last word on the egress, and until when the edge's refusal of the
// account stands. It returns at once.
func (s *Seat) Gate(account string) (e migration.Egress, blocked time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	e, ok := s.egresses[s.egress]
	if !ok {
		e = migration.Egress{Name: s.egress, State: migration.EgressOpen}
	}
	if until := s.blocks[edgeKey{s.egress, account}]; until.After(time.Now()) {
		blocked = until
	}
	return e, blocked
}

// Block notes that the edge refused a request of the account that was sent so
// long ago. The account rests for at least so long; all others until a probe
// was well.
func (s *Seat) Block(ctx context.Context, account, evidence string, ago, atLeast time.Duration) error {
	s.hearBlock(edgeKey{s.egress, account}, time.Now().Add(-ago), time.Now().Add(atLeast), evidence)
	return s.ledger.block(ctx, s.egress, account, evidence, ago, atLeast)
}

// ClaimProbe is true for the one worker that may send the next probe now.
func (s *Seat) ClaimProbe(ctx context.Context) (bool, error) {
	return s.ledger.claimProbe(ctx, s.egress)
}

// Probed ends a claimed probe.
func (s *Seat) Probed(ctx context.Context, r migration.ProbeResult) error {
	return s.ledger.probed(ctx, s.egress, r)
}

// ledgerClock knows how far the ledger's clock is from ours: the best of the
// last answers, the quickest.
type ledgerClock struct {
	mu    sync.Mutex
	ahead time.Duration
	trip  time.Duration
	at    time.Time
}

// clockFor is how long a measured difference of clocks is trusted.
const clockFor = 30 * time.Second

func (c *ledgerClock) observe(asked, theirs, answered time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	trip := answered.Sub(asked)
	if trip < c.trip || answered.Sub(c.at) > clockFor {
		c.ahead, c.trip, c.at = theirs.Sub(asked.Add(trip/2)), trip, answered
	}
}

func (c *ledgerClock) ours(theirs time.Time) time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return theirs.Add(-c.ahead)
}
