package ledger

import (
	"context"

	"github.com/jackc/pgx/v5"

	"farewell/migration"
)

// Targets finds where organizations or users are in the account. Those that
// the ledger does not know are missing from the answer.
func (l *Ledger) Targets(ctx context.Context, m migration.Migration, e migration.Entity, sourceIDs []string) (map[string]migration.Target, error) {
	ctx, cancel := l.bound(ctx)
	defer cancel()
	op := "look up " + string(e) + " of " + m.String()
	// One look into the index for each id. For "= any" a server that has no
	// statistics of a new table yet reads all people instead. The migration is
	// looked up once, in a query of its own, and not for each of them.
	rows, err := l.pool.Query(ctx, `
		select w.id, t.target_id, t.agent, t.made
		from unnest($5::text[]) w(id)
		cross join lateral (
			select t.target_id, t.agent, t.outcome is not distinct from 'c' as made from targets t
			where t.migration_id = `+theMigration+` and t.entity = $4 and t.source_id = w.id limit 1) t
		where t.target_id <> ''`, key(m, e, sourceIDs)...)
	if err != nil {
		return nil, failed(op, err)
	}
	targets := make(map[string]migration.Target, len(sourceIDs))
	var id string
	var t migration.Target
	_, err = pgx.ForEachRow(rows, []any{&id, &t.ID, &t.Agent, &t.Made}, func() error { targets[id] = t; return nil })
	if err != nil {
		return nil, failed(op, err)
	}
	return targets, nil
}
