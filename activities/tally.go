package activities

import (
	"context"
	"fmt"
	"sync"
	"time"

	"farewell/migration"
)

// fewFailures is how many failures never park a partition by their share
// alone: one bad ticket of a customer with fifty is 2 %, and no emergency.
const fewFailures = 5

// tally counts the failures of a partition.
type tally struct {
	failed int64
	code   string // of the failures in a row
	inRow  int
}

// add counts the outcomes of a batch and says, in words, when a partition has
// failed more than is tolerated. rows is the partition's size when planned.
func (t *tally) add(items []migration.Item, limit migration.Tolerance, rows int64) (reason string, tooMany bool) {
	for _, item := range items {
		switch item.Outcome {
		case migration.Failed:
			t.failed++
			if item.Code != t.code {
				t.code, t.inRow = item.Code, 0
			}
			t.inRow++
		case migration.NotSent:
		default:
			t.inRow = 0
		}
		if t.inRow >= limit.Consecutive {
			return fmt.Sprintf("%d records in a row failed with %s", t.inRow, t.code), true
		}
	}
	share := float64(rows) * limit.Percent / 100
	if t.failed > fewFailures && float64(t.failed) > share {
		return fmt.Sprintf("%d of about %d records failed, more than %g %%", t.failed, rows, limit.Percent), true
	}
	return "", false
}

// backoff slows a lane down after refusals that may pass.
type backoff struct {
	mu    sync.Mutex
	delay time.Duration
	until time.Time
}

// The first and the longest delay when the destination names none.
const (
	backoffFirst = 500 * time.Millisecond
	backoffMost  = 30 * time.Second
)

// grow lengthens the delay, to what was asked for if anything was, and returns it.
func (b *backoff) grow(asked time.Duration) time.Duration {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.delay = min(backoffMost, max(backoffFirst, 2*b.delay))
	if asked > 0 {
		b.delay = asked
	}
	b.until = time.Now().Add(b.delay)
	return b.delay
}

func (b *backoff) reset() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.delay, b.until = 0, time.Time{}
}

// wait returns when the delay is over.
func (b *backoff) wait(ctx context.Context) error {
	b.mu.Lock()
	left := time.Until(b.until)
	b.mu.Unlock()
	if left <= 0 {
		return nil
	}
	return pause(ctx, left)
}
