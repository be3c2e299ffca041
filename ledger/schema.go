package ledger

import (
	"context"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/tern/v2/migrate"
)

// Schema is the Postgres schema that holds the ledger.
const Schema = "farewell_ledger"

const (
	versionTable  = Schema + ".schema_version"
	migrateWithin = time.Minute        // also when others are migrating the same database
	migrateLock   = 0x6661726577656c6c // "farewell" as the key of an advisory lock
)

//go:embed migrations/*.sql
var migrations embed.FS

// Migrate creates the ledger's schema in the database, or brings it to this
// binary's version. It may be called again, and by several processes at once.
func Migrate(ctx context.Context, url string) error {
	ctx, cancel := context.WithTimeout(ctx, migrateWithin)
	defer cancel()
	config, err := pgx.ParseConfig(url)
	if err != nil {
		return errors.New("ledger: the connection URL cannot be read: check FAREWELL_LEDGER_URL") // the cause would quote the password
	}
	harden(config)
	config.RuntimeParams["statement_timeout"] = "1min"
	config.RuntimeParams["lock_timeout"] = "1min"
	conn, err := pgx.ConnectConfig(ctx, config)
	if err != nil {
		return failed("connect to set up", err)
	}
	defer func() { _ = conn.Close(context.WithoutCancel(ctx)) }() // an error on closing changes nothing that was done
	if err := migrateAlone(ctx, conn); err != nil {
		return failed("set up", err)
	}
	return nil
}

// migrateAlone holds a lock, since not even "create schema if not exists" can
// be run by two sessions at once.
func migrateAlone(ctx context.Context, conn *pgx.Conn) error {
	if _, err := conn.Exec(ctx, "select pg_advisory_lock($1)", int64(migrateLock)); err != nil {
		return fmt.Errorf("wait for others who set up: %w", err)
	}
	if err := createSchema(ctx, conn); err != nil {
		return err
	}
	migrator, err := migrate.NewMigrator(ctx, conn, versionTable)
	if err != nil {
		return fmt.Errorf("read the schema's version: %w", err)
	}
	files, err := fs.Sub(migrations, "migrations")
	if err != nil {
		return err
	}
	if err := migrator.LoadMigrations(files); err != nil {
		return fmt.Errorf("load the embedded migrations: %w", err)
	}
	return migrator.Migrate(ctx)
}

// createSchema looks first: creating one that exists still needs a privilege
// that an operator who was given a ready schema does not have.
func createSchema(ctx context.Context, conn *pgx.Conn) error {
	var exists bool
	err := conn.QueryRow(ctx, "select exists (select from pg_namespace where nspname = $1)", Schema).Scan(&exists)
	if err != nil || exists {
		return err
	}
	if _, err := conn.Exec(ctx, "create schema "+Schema); err != nil {
		return fmt.Errorf("create schema %s (grant CREATE on the database, or create it yourself): %w", Schema, err)
	}
	return nil
}

func (l *Ledger) checkVersion(ctx context.Context) error {
	ctx, cancel := l.bound(ctx)
	defer cancel()
	files, err := fs.ReadDir(migrations, "migrations")
	if err != nil {
		return err
	}
	var found int
	err = l.pool.QueryRow(ctx, "select version from "+versionTable).Scan(&found)
	var refused *pgconn.PgError
	if errors.As(err, &refused) && refused.Code == "42P01" || errors.Is(err, pgx.ErrNoRows) {
		return fmt.Errorf("ledger: open: schema %s is missing in database %q: %w", Schema, l.conn.Database, ErrNotSetUp)
	}
	if err != nil {
		return failed("open", err)
	}
	if found > len(files) {
		return fmt.Errorf("ledger: open: schema %s has version %d, made by a newer Farewell; this one knows %d: use the newer binaries: %w", Schema, found, len(files), ErrNotSetUp)
	}
	if found < len(files) {
		return fmt.Errorf("ledger: open: schema %s has version %d, this Farewell needs %d: %w", Schema, found, len(files), ErrNotSetUp)
	}
	return nil
}
