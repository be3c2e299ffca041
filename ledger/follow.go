package ledger

import (
	"context"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"

	"farewell/migration"
)

const (
	pollEvery   = 500 * time.Millisecond // a lost notification costs no more than this
	reloadEvery = time.Minute            // everything is read again, whatever its time stamp
	// lookBack reaches behind the last read, since a change is stamped before
	// it is committed: longer than any statement may take.
	lookBack = 30 * time.Second
)

// Controls follows the control channel and answers from memory. While the
// ledger cannot be reached, the last known word stays. With Take and Pause it
// is also the budget that all workers share for an account.
type Controls struct {
	ledger *Ledger
	stop   context.CancelFunc
	ended  chan struct{}

	mu       sync.Mutex
	words    map[migration.Migration]word
	pauses   map[string]pause
	egresses map[string]migration.Egress
	blocks   map[edgeKey]time.Time // until when
	changed  chan struct{}

	readAt   time.Time // by the ledger's clock
	reloadAt time.Time // by our own
}

type word struct {
	run     string
	control migration.Control
}

type pause struct {
	until time.Time
	why   string
}

// Follow reads the control channel and follows it, on a connection of its own,
// until Close. It fails when the channel cannot be read at the start, since a
// worker that does not know who is paused must not send.
func (l *Ledger) Follow(ctx context.Context) (*Controls, error) {
	ctx, cancel := l.bound(ctx)
	defer cancel()
	c := &Controls{
		ledger:  l,
		ended:   make(chan struct{}),
		words:   make(map[migration.Migration]word),
		pauses:  make(map[string]pause),
		blocks:  make(map[edgeKey]time.Time),
		changed: make(chan struct{}),
	}
	conn, err := c.connect(ctx)
	if err != nil {
		return nil, failed("follow the control channel", err)
	}
	following, stop := context.WithCancel(context.WithoutCancel(ctx))
	c.stop = stop
	go c.follow(following, conn)
	return c, nil
}

// Close ends the following and waits for it.
func (c *Controls) Close() {
	c.stop()
	<-c.ended
}

// Control is the word for a run: run, unless the run is the active one of its
// migration and was told otherwise.
func (c *Controls) Control(m migration.Migration, run string) migration.Control {
	c.mu.Lock()
	defer c.mu.Unlock()
	if w := c.words[m]; w.run == run && w.control != "" {
		return w.control
	}
	return migration.ControlRun
}

// PausedUntil is until when nothing may be sent to the account, and why; zero
// when nothing stands against it.
func (c *Controls) PausedUntil(account string) (until time.Time, why string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if p := c.pauses[account]; p.until.After(time.Now()) {
		return p.until, p.why
	}
	return time.Time{}, ""
}

// Changed returns a channel that is closed at the next change of any word or
// pause. Take it before asking, or a change in between is missed.
func (c *Controls) Changed() <-chan struct{} {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.changed
}

// Take is the ledger's Take.
func (c *Controls) Take(ctx context.Context, account string, window time.Time, want, limit int) (int, error) {
	return c.ledger.Take(ctx, account, window, want, limit)
}

// Pause is the ledger's Pause; here it is known at once.
func (c *Controls) Pause(ctx context.Context, account string, until time.Time, why string) error {
	c.hear(nil, map[string]pause{account: {until, clean(why)}})
	return c.ledger.Pause(ctx, account, until, why)
}

// follow reads whenever it is notified, and at least every pollEvery.
func (c *Controls) follow(ctx context.Context, conn *pgx.Conn) {
	defer close(c.ended)
	for ctx.Err() == nil {
		if conn == nil {
			conn = c.reconnect(ctx)
			continue
		}
		if !c.await(ctx, conn) {
			abandon(conn)
			conn = nil
		}
	}
	if conn != nil {
		abandon(conn)
	}
}

// await waits for a notification or the next poll, and reads. It returns false
// when the connection is of no more use.
func (c *Controls) await(ctx context.Context, conn *pgx.Conn) bool {
	wait, cancel := context.WithTimeout(ctx, pollEvery)
	_, err := conn.WaitForNotification(wait)
	cancel()
	if err != nil && (ctx.Err() != nil || conn.IsClosed()) {
		return false
	}
	ctx, cancel = c.ledger.bound(ctx)
	defer cancel()
	return c.read(ctx, conn) == nil // the next connection reads everything anew
}

// reconnect returns nil when it does not succeed, after a pause.
func (c *Controls) reconnect(ctx context.Context) *pgx.Conn {
	attempt, cancel := c.ledger.bound(ctx)
	defer cancel()
	conn, err := c.connect(attempt)
	if err == nil {
		return conn
	}
	// The error is not lost: the pool meets it too, in every call of a worker.
	select {
	case <-ctx.Done():
	case <-time.After(pollEvery):
	}
	return nil
}

// connect listens first and reads afterwards, so that no change is missed.
func (c *Controls) connect(ctx context.Context) (*pgx.Conn, error) {
	conn, err := pgx.ConnectConfig(ctx, c.ledger.conn.Copy())
	if err != nil {
		return nil, err
	}
	c.reloadAt = time.Time{}
	if _, err := conn.Exec(ctx, "listen "+channel); err != nil {
		abandon(conn)
		return nil, err
	}
	if err := c.read(ctx, conn); err != nil {
		abandon(conn)
		return nil, err
	}
	return conn, nil
}

// abandon closes a connection within a second, whatever its state.
func abandon(conn *pgx.Conn) {
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	_ = conn.Close(ctx) // nothing was left to be written on it
}

// read takes in what has changed since shortly before the last read.
func (c *Controls) read(ctx context.Context, conn *pgx.Conn) error {
	since := c.readAt.Add(-lookBack)
	reload := time.Since(c.reloadAt) > reloadEvery
	if reload {
		since = time.Time{}
	}
	words, pauses := make(map[migration.Migration]word), make(map[string]pause)
	var now time.Time
	var b pgx.Batch
	b.Queue("select clock_timestamp()").QueryRow(func(row pgx.Row) error { return row.Scan(&now) })
	b.Queue(`
		select m.customer, m.destination, m.account, r.run, m.control
		from migrations m
		join runs r on r.id = m.current_run
		where m.control_at >= $1`, since).Query(func(rows pgx.Rows) error {
		var m migration.Migration
		var w word
		_, err := pgx.ForEachRow(rows, []any{&m.Customer, &m.Destination, &m.Account, &w.run, &w.control}, func() error { words[m] = w; return nil })
		return err
	})
	b.Queue("select account, until, why from account_pauses where changed_at >= $1 and until > clock_timestamp()", since).Query(func(rows pgx.Rows) error {
		var account string
		var p pause
		_, err := pgx.ForEachRow(rows, []any{&account, &p.until, &p.why}, func() error { pauses[account] = p; return nil })
		return err
	})
	doors := newDoors()
	doors.queue(&b, since)
	if err := conn.SendBatch(ctx, &b).Close(); err != nil {
		return err
	}
	c.hear(words, pauses)
	c.hearDoors(doors, now)
	c.readAt = now
	if reload {
		c.reloadAt = time.Now()
	}
	return nil
}

// hear takes in words and pauses and wakes whoever waits for a change.
func (c *Controls) hear(words map[migration.Migration]word, pauses map[string]pause) {
	c.mu.Lock()
	defer c.mu.Unlock()
	changed := false
	for m, w := range words {
		if c.words[m] != w {
			c.words[m], changed = w, true
		}
	}
	for account, p := range pauses {
		if c.pauses[account].until.Before(p.until) {
			c.pauses[account], changed = p, true
		}
	}
	if changed {
		close(c.changed)
		c.changed = make(chan struct{})
	}
}
