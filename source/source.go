// Package source reads a customer's records from the closing product's
// Postgres, in key order and read only. It knows the six views of
// docs/source-views.md and nothing of the tables behind them.
package source

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"strconv"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgproto3"
	"github.com/jackc/pgx/v5/pgxpool"
)

const (
	// DefaultSchema is where the views are looked for.
	DefaultSchema = "farewell"

	// callTimeout ends every call but the streams on our side, whatever the
	// server or the network does: below the 20 s of an export's heartbeat.
	callTimeout = 18 * time.Second
	// defaultStatementTimeout ends a statement on the server's side, before
	// callTimeout does, so that the server's own words are heard.
	defaultStatementTimeout = 15 * time.Second
	// streamIdleTimeout ends a COPY that moves no byte.
	streamIdleTimeout = 15 * time.Second
	// streamTimeout is what the server grants one COPY as a whole; a part of
	// 2,000 tickets takes seconds, and slow writers are let finish.
	streamTimeout = 10 * time.Minute
	// lockTimeout ends the wait behind somebody's ALTER TABLE.
	lockTimeout = 5 * time.Second
	// idleInTransactionTimeout ends a session whose owner forgot it: an open
	// snapshot keeps the source from vacuuming.
	idleInTransactionTimeout = 30 * time.Second
	// connectTimeout ends an attempt to connect.
	connectTimeout = 10 * time.Second

	defaultMaxConns = 4

	// readBytes is what is taken from a connection at a time. Postgres sends a
	// stream in pieces of 8 kB, and the driver would ask for each.
	readBytes = 64 << 10
)

// Options say where the source is and how much of it may be used.
type Options struct {
	URL    string // a Postgres connection URL; a role that may only read is enough
	Schema string // of the six views; empty: DefaultSchema
	// MaxConns is the number of queries at a time; further ones wait for their
	// turn. 0: 4.
	MaxConns int
	// StatementTimeout is the longest that the server works on one statement,
	// below 18 s. 0: 15 s.
	StatementTimeout time.Duration
}

// Source reads the views. It is safe for concurrent use.
//
// Every call ends within 20 s, by itself or by an error, except CopyPart,
// which ends 15 s after the last byte moved. Permanent tells whether
// calling again can help.
type Source struct {
	pool   *pgxpool.Pool
	schema string

	callTimeout       time.Duration
	streamIdleTimeout time.Duration

	mu    sync.Mutex
	known shape // nil: not looked at yet
}

// Open prepares a pool of connections and does not connect: a source that is
// down shows at the first call. The caller closes the Source.
//
// Every session is read only, is called "farewell" in pg_stat_activity, and is
// ended by the server when it hangs. The URL must reach Postgres itself: a
// pooler in transaction mode drops these settings.
func Open(ctx context.Context, o Options) (*Source, error) {
	if o.Schema == "" {
		o.Schema = DefaultSchema
	}
	if o.MaxConns == 0 {
		o.MaxConns = defaultMaxConns
	}
	if o.StatementTimeout == 0 {
		o.StatementTimeout = defaultStatementTimeout
	}
	if o.StatementTimeout < 0 || o.StatementTimeout >= callTimeout {
		return nil, fmt.Errorf("open source: a statement timeout of %s is not within 0 to %s: choose a shorter one", o.StatementTimeout, callTimeout)
	}
	if o.MaxConns < 0 {
		return nil, fmt.Errorf("open source: %d connections: choose at least 1", o.MaxConns)
	}
	c, err := pgxpool.ParseConfig(o.URL)
	if err != nil {
		return nil, fmt.Errorf("open source: the connection URL cannot be read; it looks like postgres://user:password@host:5432/database: %w", err)
	}
	c.MaxConns = int32(o.MaxConns)
	c.MinConns = 0
	c.ConnConfig.ConnectTimeout = connectTimeout
	c.ConnConfig.BuildFrontend = func(r io.Reader, w io.Writer) *pgproto3.Frontend {
		return pgproto3.NewFrontend(bufio.NewReaderSize(r, readBytes), w)
	}
	for name, value := range map[string]string{
		"application_name":                    "farewell",
		"default_transaction_read_only":       "on",
		"statement_timeout":                   milliseconds(o.StatementTimeout),
		"lock_timeout":                        milliseconds(lockTimeout),
		"idle_in_transaction_session_timeout": milliseconds(idleInTransactionTimeout),
		"client_encoding":                     "UTF8",
		"standard_conforming_strings":         "on",  // literals are quoted by this rule
		"jit":                                 "off", // compiling takes longer than a page
	} {
		c.ConnConfig.RuntimeParams[name] = value
	}
	pool, err := pgxpool.NewWithConfig(ctx, c)
	if err != nil {
		return nil, fmt.Errorf("open source: %w", err)
	}
	return &Source{
		pool:              pool,
		schema:            o.Schema,
		callTimeout:       callTimeout,
		streamIdleTimeout: streamIdleTimeout,
	}, nil
}

func milliseconds(d time.Duration) string { return strconv.FormatInt(d.Milliseconds(), 10) }

// Close ends all connections, after the calls that are on their way.
func (s *Source) Close() { s.pool.Close() }

// Now is the source's clock.
func (s *Source) Now(ctx context.Context) (time.Time, error) {
	var now time.Time
	err := s.call(ctx, operation{name: "ask for the time"}, func(ctx context.Context, conn *pgx.Conn) error {
		return conn.QueryRow(ctx, "select clock_timestamp()").Scan(&now)
	})
	return now.UTC(), err
}

// Customer is a tenant of the source.
type Customer struct {
	ID   string
	Name string // empty when the view has none
}

// Customers lists all customers in the order of their ids.
func (s *Source) Customers(ctx context.Context) ([]Customer, error) {
	var customers []Customer
	err := s.call(ctx, operation{name: "list the customers", view: "customers"}, func(ctx context.Context, conn *pgx.Conn) error {
		if _, err := s.shape(ctx, conn); err != nil {
			return err
		}
		rows, err := conn.Query(ctx, "select v.id::text, coalesce(v.name::text, '') from "+s.table("customers")+" v order by v.id")
		if err != nil {
			return err
		}
		customers, err = pgx.CollectRows(rows, pgx.RowToStructByPos[Customer])
		return err
	})
	return customers, err
}

// table is the quoted name of a view.
func (s *Source) table(view string) string { return pgx.Identifier{s.schema, view}.Sanitize() }

// operation names what is done to what, for errors.
type operation struct {
	name     string
	view     string
	customer string
}

// call runs one piece of work on a connection of its own within the call
// timeout. A connection that the work leaves inside a transaction is closed,
// never handed on.
func (s *Source) call(ctx context.Context, op operation, work func(context.Context, *pgx.Conn) error) error {
	ctx, cancel := context.WithTimeoutCause(ctx, s.callTimeout, errCallTimeout)
	defer cancel()
	return s.run(ctx, &op, work)
}

func (s *Source) run(ctx context.Context, op *operation, work func(context.Context, *pgx.Conn) error) error {
	conn, err := s.pool.Acquire(ctx)
	if err != nil {
		return s.failed(ctx, *op, err)
	}
	defer conn.Release()
	if err := work(ctx, conn.Conn()); err != nil {
		return s.failed(ctx, *op, err)
	}
	return nil
}

// failed gives an error its words, and forgets what was known of the views
// when they may have changed.
func (s *Source) failed(ctx context.Context, op operation, err error) error {
	failure := newError(ctx, op, err)
	var e *Error
	if errors.As(failure, &e) && e.Permanent {
		s.mu.Lock()
		s.known = nil
		s.mu.Unlock()
	}
	return failure
}
