package source

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"
)

// begin opens a snapshot: all that is read until commit is of one moment.
const begin = "begin isolation level repeatable read, read only"

// snapshotClock is the transaction's time. It is taken just before the
// snapshot, so that a row changed later than it is never thought unchanged.
const snapshotClock = "select now()"

// readSnapshot queues the opening of a snapshot with the given query, sends
// both at once and returns the snapshot's time.
func readSnapshot(ctx context.Context, conn *pgx.Conn, sql string, args []any, take func(*row)) (time.Time, error) {
	var b pgx.Batch
	b.Queue(begin)
	b.Queue(snapshotClock)
	b.Queue(sql, args...)
	results := conn.SendBatch(ctx, &b)
	defer results.Close()
	if _, err := results.Exec(); err != nil {
		return time.Time{}, err
	}
	var at time.Time
	if err := results.QueryRow().Scan(&at); err != nil {
		return time.Time{}, err
	}
	rows, err := results.Query()
	if err := eachRow(rows, err, take); err != nil {
		return time.Time{}, err
	}
	return at.UTC(), results.Close()
}

// commit ends a snapshot.
func commit(ctx context.Context, conn *pgx.Conn) error {
	_, err := conn.Exec(ctx, "commit")
	return err
}
