package ledger

import (
	"context"
	"errors"

	"github.com/jackc/pgx/v5"

	"farewell/migration"
)

// KeepMapping makes content, whose hash is given, the mapping of a run that
// has none yet, and returns the content of the one that is in force from now
// on: the first one stays. It may be repeated. The run must have begun.
func (l *Ledger) KeepMapping(ctx context.Context, m migration.Migration, run, hash string, content []byte) (inForce []byte, err error) {
	ctx, cancel := l.bound(ctx)
	defer cancel()
	var b pgx.Batch
	b.Queue("insert into mappings (hash, content) values ($1, $2) on conflict do nothing", hash, string(content))
	b.Queue(`
		update runs set mapping = $5
		where migration_id = `+theMigration+` and run = $4 and mapping = ''`, key(m, run, hash)...)
	if err := l.pool.SendBatch(ctx, &b).Close(); err != nil {
		return nil, failed("keep the mapping of run "+run+" of "+m.String(), err)
	}
	return l.Mapping(ctx, m, run)
}

// Mapping is the content of a run's mapping; nil when it has none.
func (l *Ledger) Mapping(ctx context.Context, m migration.Migration, run string) ([]byte, error) {
	ctx, cancel := l.bound(ctx)
	defer cancel()
	var content []byte
	err := l.pool.QueryRow(ctx, `
		select k.content
		from runs r
		join mappings k on k.hash = r.mapping
		where r.migration_id = `+theMigration+` and r.run = $4`, key(m, run)...).Scan(&content)
	if err != nil && !errors.Is(err, pgx.ErrNoRows) {
		return nil, failed("read the mapping of run "+run+" of "+m.String(), err)
	}
	return content, nil
}

// MappingBefore is the hash of the mapping of the newest run other than this
// one, empty when that had none; any is false when there is no such run.
func (l *Ledger) MappingBefore(ctx context.Context, m migration.Migration, run string) (hash string, any bool, err error) {
	ctx, cancel := l.bound(ctx)
	defer cancel()
	err = l.pool.QueryRow(ctx, `
		select mapping
		from runs
		where migration_id = `+theMigration+` and run <> $4 and begun_at is not null
		order by id desc
		limit 1`, key(m, run)...).Scan(&hash)
	if errors.Is(err, pgx.ErrNoRows) {
		return "", false, nil
	}
	if err != nil {
		return "", false, failed("look for the last mapping of "+m.String(), err)
	}
	return hash, true, nil
}
