package activities

import (
	"context"
	"fmt"
	"sync"
	"time"

	"farewell/migration"
)

// errandRepeat is how often a worker says that its errand still runs: several
// times before its word has passed.
const errandRepeat = 5 * time.Second

// peopleLocks let one lane of a process at a time bring people of a migration
// on demand: two that create the same person collide.
type peopleLocks struct {
	mu    sync.Mutex
	locks map[string]*sync.Mutex
}

func (p *peopleLocks) of(m migration.Migration, e migration.Entity) *sync.Mutex {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.locks == nil {
		p.locks = map[string]*sync.Mutex{}
	}
	key := string(e) + "\x00" + m.WorkflowID() + "\x00" + m.Destination
	if p.locks[key] == nil {
		p.locks[key] = &sync.Mutex{}
	}
	return p.locks[key]
}

// reserveErrand waits until this lane is the only one, of all workers, that
// brings people of the migration's entity on demand. Without it nothing would be
// wrong, only slow: each lane that begins fences the one before, and takes what
// that one has just sent for lost until it was looked up, which is minutes. end
// must be called.
func (l *lane) reserveErrand(e migration.Entity) (end func(), err error) {
	l.a.Reasons.set(l.reason, "people_on_demand", "people whom the tickets name are being brought by another lane or worker", time.Time{})
	defer l.a.Reasons.set(l.reason, "", "", time.Time{})
	lock := l.a.people.of(l.in.Migration, e)
	lock.Lock()
	for {
		granted, err := l.a.Ledger.Errand(l.feedCtx, l.in.Migration, e, l.a.Worker, false)
		if err == nil && !granted {
			err = pause(l.feedCtx, l.in.Timings.PollEvery)
		}
		if err != nil {
			lock.Unlock()
			return nil, fmt.Errorf("wait for the place to bring %s on demand: %w", e, err)
		}
		if granted {
			break
		}
	}
	ctx, stop := context.WithCancel(context.WithoutCancel(l.feedCtx))
	var repeating sync.WaitGroup
	repeating.Go(func() { l.repeatErrand(ctx, e) })
	return func() {
		stop()
		repeating.Wait()
		// Whoever waits begins in a while, also when this fails.
		_ = l.a.Ledger.EndErrand(context.WithoutCancel(ctx), l.in.Migration, e, l.a.Worker)
		lock.Unlock()
	}, nil
}

// repeatErrand keeps the place. When that fails for long, another lane fences
// this one, which is what the ledger is safe against.
func (l *lane) repeatErrand(ctx context.Context, e migration.Entity) {
	ticker := time.NewTicker(errandRepeat)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
			_, _ = l.a.Ledger.Errand(ctx, l.in.Migration, e, l.a.Worker, true)
		}
	}
}

// errand runs a lane of its own within this one's activity.
func (l *lane) errand(p migration.Partition, prepare func(child *lane)) error {
	in := l.in
	in.Partition, in.Limit = p, 0
	child, err := l.a.startLane(l.feedCtx, l.dest, in, exportAll)
	if err != nil {
		return err
	}
	defer child.end()
	l.a.Reasons.speakFor(l.reason, true)
	defer l.a.Reasons.speakFor(l.reason, false)
	prepare(child)
	if err := child.run(); err != nil {
		return err
	}
	if out := child.halted(); out != nil {
		if out.Parked != nil { // an operator decides about what the workflow has planned
			out.Parked.Partition = l.in.Partition.ID
		}
		l.halt(*out)
		return context.Canceled
	}
	return nil
}
