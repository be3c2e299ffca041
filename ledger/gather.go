package ledger

import (
	"context"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"

	"farewell/migration"
)

const (
	// gatherMost bounds how much one transaction locks, and for how long.
	gatherMost = 32
	// gatherPatience is how long the next transaction waits for the one under
	// way: what hangs must not hold up who has nothing to do with it.
	gatherPatience = 100 * time.Millisecond
)

// gatherer puts the writes of a process into few transactions: whoever comes
// while one is under way goes with the next. A transaction of several costs
// little more than one of one, and jobs that have ended are told of together.
type gatherer struct {
	send     func([]*write) error // all of those who have not left, or nothing
	patience time.Duration        // gatherPatience

	mu      sync.Mutex
	busy    bool // a transaction is under way, and the patience with it is not at its end
	waiting []*write
}

// write is what one call writes.
type write struct {
	place      string // see placeOf
	statements []statement
	answer     error // what reading the rows of a transaction that was committed came to

	left     bool          // the caller has, before the transaction began: none is to begin
	ended    chan struct{} // closed when the transaction has ended, and failed and together are known
	failed   error
	together bool // others were in it
}

// statement is one of a write's. read gets its only row; nil: it has none.
type statement struct {
	sql  string
	args []any
	read func(pgx.Row) error
}

// placeOf is the order of writes within a transaction, which is that of their
// locks, so that no two transactions wait for each other: by migration and
// entity; people on demand, who share a lock with ranges but want it for
// themselves, come before those.
func placeOf(h migration.Hold) string {
	within := "1"
	if h.Partition.ID == migration.OnDemand(h.Partition.Entity).ID {
		within = "0"
	}
	return strings.Join([]string{h.Migration.String(), string(h.Partition.Entity), within, h.Partition.ID}, separator)
}

// write commits what a call writes, together with what others write at the same
// time. They know nothing of each other: when their transaction fails, each has
// one of its own.
func (l *Ledger) write(ctx context.Context, w *write) error {
	apart := false
	return repeated(ctx, func() error {
		if !apart {
			together, err := l.writes.take(ctx, w)
			switch {
			case err == nil:
				return w.answer
			case !together:
				return err
			}
			apart = true
		}
		if err := send(ctx, l.pool, []*write{w}); err != nil {
			return err
		}
		return w.answer
	})
}

// take returns when the write's transaction has ended, and whether others were
// in it. When ctx ends before that, how it ends is unknown; but none begins.
func (g *gatherer) take(ctx context.Context, w *write) (together bool, err error) {
	if err := ctx.Err(); err != nil {
		return false, err
	}
	w.ended = make(chan struct{})
	g.join(w)
	select {
	case <-w.ended:
		return w.together, w.failed
	case <-ctx.Done():
		g.leave(w)
		return false, ctx.Err()
	}
}

func (g *gatherer) join(w *write) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.waiting = append(g.waiting, w)
	if !g.busy {
		g.begin()
	}
}

func (g *gatherer) leave(w *write) {
	g.mu.Lock()
	defer g.mu.Unlock()
	w.left = true
	if i := slices.Index(g.waiting, w); i >= 0 {
		g.waiting = slices.Delete(g.waiting, i, i+1)
	}
}

// remaining are the writes whose callers have not left.
func (g *gatherer) remaining(writes []*write) []*write {
	g.mu.Lock()
	defer g.mu.Unlock()
	return slices.DeleteFunc(slices.Clone(writes), func(w *write) bool { return w.left })
}

// begin puts who waits on the way. The caller holds mu.
func (g *gatherer) begin() {
	g.busy = len(g.waiting) > 0
	if !g.busy {
		return
	}
	n := min(len(g.waiting), gatherMost)
	writes := slices.Clone(g.waiting[:n])
	g.waiting = slices.Delete(g.waiting, 0, n)
	go g.run(writes)
}

func (g *gatherer) next() {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.begin()
}

func (g *gatherer) run(writes []*write) {
	patience := time.AfterFunc(g.patience, g.next)
	slices.SortStableFunc(writes, func(a, b *write) int { return strings.Compare(a.place, b.place) })
	err := g.send(writes)
	for _, w := range writes {
		w.failed, w.together = err, len(writes) > 1
		close(w.ended)
	}
	if patience.Stop() { // else the next has begun
		g.next()
	}
}

// sendTogether is send for those who gave their writes away: they may have
// left, also while a connection was waited for.
func (l *Ledger) sendTogether(writes []*write) error {
	ctx, cancel := l.bound(context.Background())
	defer cancel()
	conn, err := l.pool.Acquire(ctx)
	if err != nil {
		return err
	}
	defer conn.Release()
	return send(ctx, conn, l.writes.remaining(writes))
}

// send makes one round trip and one transaction of writes.
func send(ctx context.Context, to interface {
	SendBatch(context.Context, *pgx.Batch) pgx.BatchResults
}, writes []*write) error {
	var b pgx.Batch
	for _, w := range writes {
		for _, s := range w.statements {
			b.Queue(s.sql, s.args...)
		}
	}
	results := to.SendBatch(ctx, &b)
	for _, w := range writes {
		w.answer = w.readRows(results)
	}
	return results.Close()
}

// readRows reads all of them, also when one is bad: the next are others'.
func (w *write) readRows(results pgx.BatchResults) error {
	var first error
	for _, s := range w.statements {
		var err error
		if s.read == nil {
			_, err = results.Exec()
		} else {
			err = s.read(results.QueryRow())
		}
		if first == nil {
			first = err
		}
	}
	return first
}
