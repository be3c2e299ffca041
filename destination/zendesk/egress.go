package zendesk

import (
	"context"
	"sync"
	"time"

	"farewell/migration"
)

// Egress is what all workers share that are seen from outside under one
// address, over all accounts.
type Egress interface {
	// Slots gives out up to want moments at which a request may leave. Without
	// a cap it is want, at once.
	Slots(ctx context.Context, want int) (migration.Departures, error)

	// Gate is the last word on the egress, and until when the edge's refusal
	// of the account stands (zero: it does not). It returns at once.
	Gate(account string) (e migration.Egress, blocked time.Time)

	// Block notes that the edge refused a request of the account that was sent
	// so long ago. The account rests for at least so long; everything else
	// until a probe was well.
	Block(ctx context.Context, account, evidence string, ago, atLeast time.Duration) error

	// ClaimProbe is true for the one caller that may send the next probe of a
	// blocked egress now; Probed must follow.
	ClaimProbe(ctx context.Context) (bool, error)
	Probed(ctx context.Context, r migration.ProbeResult) error
}

// loneEgress is the egress of a process that shares its address with nobody:
// it has no cap, and an edge block concerns the account alone.
type loneEgress struct {
	mu      sync.Mutex
	blocked map[string]time.Time
}

func newLoneEgress() *loneEgress { return &loneEgress{blocked: make(map[string]time.Time)} }

func (l *loneEgress) Slots(_ context.Context, want int) (migration.Departures, error) {
	return migration.Departures{First: time.Now(), Granted: want}, nil
}

func (l *loneEgress) Gate(account string) (migration.Egress, time.Time) {
	l.mu.Lock()
	defer l.mu.Unlock()
	e := migration.Egress{State: migration.EgressOpen}
	if until := l.blocked[account]; until.After(time.Now()) {
		return e, until
	}
	return e, time.Time{}
}

func (l *loneEgress) Block(_ context.Context, account, _ string, _, atLeast time.Duration) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if until := time.Now().Add(atLeast); until.After(l.blocked[account]) {
		l.blocked[account] = until
	}
	return nil
}

func (l *loneEgress) ClaimProbe(context.Context) (bool, error)            { return false, nil }
func (l *loneEgress) Probed(context.Context, migration.ProbeResult) error { return nil }
