package source

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"
)

const (
	// pingAfter is how long a session may lie idle before it is asked whether
	// it is still there: firewalls drop idle connections without a word.
	pingAfter = time.Second
	// pingTimeout bounds that question.
	pingTimeout = 2 * time.Second
	// closeTimeout bounds the farewell to a session.
	closeTimeout = 5 * time.Second
)

// pool keeps up to a number of sessions and opens them when they are needed.
// A session that is not clean when it comes back (broken, busy, inside a
// transaction) is closed, never handed on.
type pool struct {
	config *pgx.ConnConfig
	slots  chan struct{} // one token per session in use

	closed chan struct{}
	ending sync.WaitGroup

	mu   sync.Mutex
	idle []idleSession
}

type idleSession struct {
	conn  *pgx.Conn
	since time.Time
}

var errPoolClosed = errors.New("the source is closed")

func newPool(config *pgx.ConnConfig, size int) *pool {
	return &pool{config: config, slots: make(chan struct{}, size), closed: make(chan struct{})}
}

// acquire waits for its turn and returns a session that answers. The caller
// gives it back by release.
func (p *pool) acquire(ctx context.Context) (*pgx.Conn, error) {
	select {
	case p.slots <- struct{}{}:
	case <-p.closed:
		return nil, errPoolClosed
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	conn, err := p.session(ctx)
	if err != nil {
		<-p.slots
	}
	return conn, err
}

func (p *pool) session(ctx context.Context) (*pgx.Conn, error) {
	for {
		s := p.pop()
		if s.conn == nil {
			return pgx.ConnectConfig(ctx, p.config)
		}
		if time.Since(s.since) < pingAfter || answers(ctx, s.conn) {
			return s.conn, nil
		}
		p.end(s.conn)
	}
}

// pop takes the session that was used last; its zero value when there is none.
func (p *pool) pop() idleSession {
	p.mu.Lock()
	defer p.mu.Unlock()
	n := len(p.idle)
	if n == 0 {
		return idleSession{}
	}
	s := p.idle[n-1]
	p.idle = p.idle[:n-1]
	return s
}

func answers(ctx context.Context, conn *pgx.Conn) bool {
	ctx, cancel := context.WithTimeout(ctx, pingTimeout)
	defer cancel()
	return conn.Ping(ctx) == nil
}

func (p *pool) release(conn *pgx.Conn) {
	defer func() { <-p.slots }()
	if conn.IsClosed() || conn.PgConn().IsBusy() || conn.PgConn().TxStatus() != 'I' {
		p.end(conn)
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.idle = append(p.idle, idleSession{conn, time.Now()})
}

// end closes a session in the background: a peer that is gone must hold up
// nobody.
func (p *pool) end(conn *pgx.Conn) {
	p.ending.Go(func() {
		ctx, cancel := context.WithTimeout(context.Background(), closeTimeout)
		defer cancel()
		_ = conn.Close(ctx) // nothing depends on it: the server ends a session whose peer is gone
	})
}

// close ends all sessions, once those in use have come back.
func (p *pool) close() {
	close(p.closed)
	for range cap(p.slots) {
		p.slots <- struct{}{}
	}
	for s := p.pop(); s.conn != nil; s = p.pop() {
		p.end(s.conn)
	}
	p.ending.Wait()
}
