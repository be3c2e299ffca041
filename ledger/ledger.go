package ledger

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"

	"farewell/migration"
)

// Limits that only catch what hangs. Each is below the heartbeat timeout of
// the activities that call the ledger.
const (
	callTimeout    = 10 * time.Second // a whole call, waiting for a connection included
	connectTimeout = 5 * time.Second
	defaultConns   = 8 // enough for the lanes of one worker, since a call holds a connection for milliseconds
)

// The errors that callers tell apart.
var (
	// ErrNotSetUp: the database or the schema is missing, or the schema of
	// another version.
	ErrNotSetUp = errors.New("the ledger is not set up: run `starter setup`")
	// ErrFenced: a later attempt took the partition over, and this one must end.
	ErrFenced = errors.New("a later attempt has taken the partition over: this attempt must end")
	// ErrSettled: the batch was decided otherwise before; the first decision stays.
	ErrSettled = errors.New("the batch is settled already, otherwise")
	// ErrNoRun: the migration has no such run that could be told anything.
	ErrNoRun = errors.New("the migration has no such active run in the ledger")
)

// Options for Open.
type Options struct {
	MaxConns int // connections at most; 0: 8
}

// Ledger is a pool of connections to the ledger. It is safe for concurrent use.
// Every call returns within 10 seconds, also when the server never answers.
type Ledger struct {
	pool   *pgxpool.Pool
	conn   *pgx.ConnConfig // for connections outside of the pool
	giveUp time.Duration   // callTimeout; tests do not wait that long
	writes gatherer        // of batches
}

// Open connects to the ledger. It refuses a database whose ledger schema is
// absent or of another version with ErrNotSetUp. The caller closes.
func Open(ctx context.Context, url string, o Options) (*Ledger, error) {
	config, err := pgxpool.ParseConfig(url)
	if err != nil {
		return nil, errors.New("ledger: the connection URL cannot be read: check FAREWELL_LEDGER_URL") // the cause would quote the password
	}
	config.MaxConns = defaultConns
	if o.MaxConns > 0 {
		config.MaxConns = int32(o.MaxConns)
	}
	harden(config.ConnConfig)
	pool, err := pgxpool.NewWithConfig(ctx, config)
	if err != nil {
		return nil, failed("open", err)
	}
	l := &Ledger{pool: pool, conn: config.ConnConfig.Copy(), giveUp: callTimeout}
	l.writes = gatherer{send: l.sendTogether, patience: gatherPatience}
	if err := l.checkVersion(ctx); err != nil {
		pool.Close()
		return nil, err
	}
	return l, nil
}

// Close ends all connections. No call may follow.
func (l *Ledger) Close() { l.pool.Close() }

// harden sets what every connection to the ledger needs, whatever the URL says.
func harden(c *pgx.ConnConfig) {
	c.ConnectTimeout = connectTimeout
	for name, value := range map[string]string{
		"application_name":                    "farewell-ledger",
		"search_path":                         Schema,
		"timezone":                            "UTC",
		"synchronous_commit":                  "on", // an acknowledged intent must survive a crash of the server
		"statement_timeout":                   "10s",
		"idle_in_transaction_session_timeout": "15s",
		"lock_timeout":                        "5s",
		// By itself the server plans each statement five times on each connection.
		"plan_cache_mode": "force_generic_plan",
		"jit":             "off", // compiling a statement takes longer than running it on a bundle's part
	} {
		c.RuntimeParams[name] = value
	}
}

func (l *Ledger) bound(ctx context.Context) (context.Context, context.CancelFunc) {
	return context.WithTimeout(ctx, l.giveUp)
}

// failed names what was being done. Everything that the ledger does may be
// repeated, also when it is unknown whether a commit took place; what the
// server refused for its content would be refused again.
func failed(op string, err error) error {
	var refused *pgconn.PgError
	if errors.As(err, &refused) && refused.Code == "3D000" { // no such database
		return fmt.Errorf("ledger: %s: %w: create the database first: %w", op, err, ErrNotSetUp)
	}
	if errors.Is(err, context.Canceled) || refusedForGood(err) {
		return fmt.Errorf("ledger: %s: %w", op, err)
	}
	return fmt.Errorf("ledger: %s: %w (the call may be repeated)", op, err)
}

func refusedForGood(err error) bool {
	var refused *pgconn.PgError
	if !errors.As(err, &refused) || len(refused.Code) != 5 {
		return false
	}
	switch refused.Code[:2] {
	case "22", "23", "28", "42": // data, constraint, credentials, syntax or privilege
		return true
	}
	return false
}

// repeated calls do again when the server chose it as the victim of a deadlock
// or of a race, of which nothing remains, and when the connection was lost,
// of which it is unknown what remains: all that comes here may be repeated. A
// server that restarts is back within the time of one call.
func repeated(ctx context.Context, do func() error) error {
	const tries = 5
	pause := 50 * time.Millisecond
	for try := 1; ; {
		err := do()
		var refused *pgconn.PgError
		switch {
		case err == nil || ctx.Err() != nil:
			return err
		case errors.As(err, &refused) && (refused.Code == "40001" || refused.Code == "40P01"):
			if try == tries {
				return err
			}
			try++
		case connectionLost(err):
			timer := time.NewTimer(pause)
			select {
			case <-timer.C:
			case <-ctx.Done():
				timer.Stop()
				return err
			}
			pause = min(2*pause, time.Second)
		default:
			return err
		}
	}
}

// connectionLost tells whether the server, or the way there, went away: while
// it was asked, or already before.
func connectionLost(err error) bool {
	var refused *pgconn.PgError
	if errors.As(err, &refused) {
		switch refused.Code {
		case "57P01", "57P02", "57P03": // is being shut down, has crashed, is starting
			return true
		}
		return false
	}
	var unreachable net.Error
	var unconnected *pgconn.ConnectError
	return errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, io.EOF) || errors.Is(err, net.ErrClosed) ||
		errors.As(err, &unreachable) || errors.As(err, &unconnected)
}

// key is a migration as the first three parameters of a statement.
func key(m migration.Migration, more ...any) []any {
	return append([]any{m.Customer, m.Destination, m.Account}, more...)
}

// theMigration is the id of a statement's migration. It is no function: one that
// reads a table is parsed and planned anew by each statement that calls it,
// which took half of the server's time.
const theMigration = "(select id from migrations where customer = $1 and destination = $2 and account = $3)"

const ensureMigration = `
	insert into migrations (customer, destination, account)
	select $1, $2, $3 where ` + theMigration + ` is null
	on conflict do nothing`

const ensureRun = `
	insert into runs (migration_id, run)
	select ` + theMigration + `, $4
	where not exists (select from runs where migration_id = ` + theMigration + ` and run = $4)
	on conflict do nothing`

// textLimit bounds what is kept of a reason or a note, in bytes.
const textLimit = 2000

// clean makes text from outside storable: Postgres takes no NUL and only UTF-8.
func clean(s string) string {
	if len(s) > textLimit {
		s = s[:textLimit]
	}
	return strings.ReplaceAll(strings.ToValidUTF8(s, ""), "\x00", "")
}

func orNull(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	return &t
}

func orZero(t *time.Time) time.Time {
	if t == nil {
		return time.Time{}
	}
	return *t
}
