package main

import (
	"cmp"
	"context"
	"maps"
	"slices"
	"sync"
	"time"
)

const (
	// describesAtOnce bounds the questions to Temporal that are open at a time.
	describesAtOnce = 8
	// describesPerRound bounds those of one round over migrations that do not
	// move; a fleet that waits for slots must not become a load of its own.
	describesPerRound = 40
	// describesWithin bounds a round as a whole.
	describesWithin = 20 * time.Second
	// movedWithin is how recent the last progress must be for a migration to
	// need no explanation.
	movedWithin = 3 * time.Second
)

// temporalBook holds what Temporal said last. A book is never changed: asking
// again gives a new one, so that a watch can show the old one meanwhile.
type temporalBook struct {
	queues     queueFacts
	executions map[string]execution // by workflow id
	asked      map[string]time.Time // when each was described last
}

// newTemporalBook returns a book in which nothing is written.
func newTemporalBook(queue string) *temporalBook {
	return &temporalBook{queues: queueFacts{Queue: queue}}
}

// refreshed asks Temporal about pollers and open workflows, and in detail about
// suspects: at most limit of them, those that were asked about longest ago.
// When Temporal is silent the new book says only that, and the ledger has the
// last word. A single workflow that it does not describe in time keeps what
// was known of it.
func (b *temporalBook) refreshed(ctx context.Context, temporal orchestrator, suspects []string, limit int, now time.Time) *temporalBook {
	queues, err := temporal.Queues(ctx)
	if err != nil {
		return b.silent(err)
	}
	open, err := temporal.Open(ctx)
	if err != nil {
		return b.silent(err)
	}
	next := &temporalBook{queues: queues, executions: maps.Clone(open), asked: map[string]time.Time{}}
	ids := append(b.carryOver(next), b.longestAgo(suspects, limit)...)
	for id, e := range describeAll(ctx, temporal, slices.Compact(slices.Sorted(slices.Values(ids)))) {
		next.executions[id] = e
		next.asked[id] = now
	}
	return next
}

func (b *temporalBook) silent(err error) *temporalBook {
	return &temporalBook{queues: queueFacts{Queue: b.queues.Queue, Silent: clean(err.Error())}, asked: b.asked}
}

// carryOver keeps what was described before and is still so. It returns the
// ids that were running and are not on the list any more: they have ended, or
// the list lags behind.
func (b *temporalBook) carryOver(next *temporalBook) (vanished []string) {
	for id, known := range b.executions {
		listed, ok := next.executions[id]
		if !ok && known.Status == statusRunning {
			vanished = append(vanished, id)
		}
		if !ok || listed.Run == known.Run {
			known.State = cmp.Or(listed.State, known.State)
			next.executions[id] = known
		}
	}
	maps.Copy(next.asked, b.asked)
	return vanished
}

// longestAgo cuts the ids to a number.
func (b *temporalBook) longestAgo(ids []string, limit int) []string {
	ids = slices.Clone(ids)
	slices.SortStableFunc(ids, func(x, y string) int { return b.asked[x].Compare(b.asked[y]) })
	return ids[:min(limit, len(ids))]
}

// describeAll asks about several workflows at a time and returns the answers
// that came in time.
func describeAll(ctx context.Context, temporal orchestrator, ids []string) map[string]execution {
	ctx, cancel := context.WithTimeout(ctx, describesWithin)
	defer cancel()
	var mu sync.Mutex
	answers := map[string]execution{}
	inParallel(ids, describesAtOnce, func(id string) {
		e, err := temporal.Describe(ctx, id)
		if err != nil {
			return // asked again in the next round, as one of those asked longest ago
		}
		mu.Lock()
		defer mu.Unlock()
		answers[id] = e
	})
	return answers
}

// inParallel calls do for every item, a bounded number at a time, and returns
// when all calls have.
func inParallel[T any](items []T, width int, do func(T)) {
	queue := make(chan T)
	var done sync.WaitGroup
	for range min(width, len(items)) {
		done.Go(func() {
			for item := range queue {
				do(item)
			}
		})
	}
	for _, item := range items {
		queue <- item
	}
	close(queue)
	done.Wait()
}
