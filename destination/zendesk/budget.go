package zendesk

import (
	"context"
	"sync"
	"time"
)

// Budget is what all workers share about an account: how many requests were
// taken out of a window, how many jobs are open, and until when the account
// wants to be left alone.
type Budget interface {
	// Take asks for want requests of the window that begins at the given time.
	// It grants at most limit in total to all callers for that window, and
	// fewer than want, or none, when the limit is reached.
	Take(ctx context.Context, account string, window time.Time, want, limit int) (granted int, err error)

	// Jobs tells how many jobs this worker may have open, when it has so many
	// and so many callers wait for one: over all workers at most limit. When
	// that is fewer than it has, it begins no new one. It is repeated every
	// second while jobs are open, and once when none is left.
	Jobs(ctx context.Context, account string, open, waiting, limit int) (allowed int, err error)

	// Pause tells every worker to leave the account alone until then. A later
	// end than the one known wins.
	Pause(ctx context.Context, account string, until time.Time, why string) error

	// PausedUntil is the end of the pause and its reason code; the zero time
	// when none is known. It returns at once.
	PausedUntil(account string) (until time.Time, why string)
}

// loneBudget is the budget of a process that shares the account with nobody.
type loneBudget struct {
	mu     sync.Mutex
	window time.Time
	taken  int
	until  time.Time
	why    string
}

func newLoneBudget() *loneBudget { return &loneBudget{} }

func (b *loneBudget) Take(_ context.Context, _ string, window time.Time, want, limit int) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if !window.Equal(b.window) {
		b.window, b.taken = window, 0
	}
	granted := max(0, min(want, limit-b.taken))
	b.taken += granted
	return granted, nil
}

func (b *loneBudget) Jobs(_ context.Context, _ string, _, _, limit int) (int, error) {
	return limit, nil
}

func (b *loneBudget) Pause(_ context.Context, _ string, until time.Time, why string) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if until.After(b.until) {
		b.until, b.why = until, why
	}
	return nil
}

func (b *loneBudget) PausedUntil(string) (time.Time, string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.until, b.why
}
