package ledger

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"

	"farewell/migration"
)

// SavePlan writes the plan of a migration, unless there is one: the first stays
// for good, and is returned. Times come back in microseconds.
func (l *Ledger) SavePlan(ctx context.Context, m migration.Migration, p migration.Plan) (migration.Plan, error) {
	ctx, cancel := l.bound(ctx)
	defer cancel()
	n := len(p.Partitions)
	names, entities, after, upTo, rows := make([]string, n), make([]string, n), make([]string, n), make([]string, n), make([]int64, n)
	for i, q := range p.Partitions {
		names[i], entities[i], after[i], upTo[i], rows[i] = q.ID, string(q.Entity), q.After, q.UpTo, q.Rows
	}
	planned := make(map[migration.Entity]int64)
	for _, q := range p.Partitions {
		planned[q.Entity] += q.Rows
	}
	var b pgx.Batch
	b.Queue(ensureMigration, key(m)...)
	b.Queue(`
		with first as (
			update migrations set plan_as_of = $4, planned = $10
			where id = `+theMigration+` and plan_as_of is null
			returning id
		)
		insert into partitions (migration_id, name, entity, ordinal, after_id, up_to_id, planned_rows)
		select f.id, u.name, u.entity, u.n, u.after_id, u.up_to_id, u.planned_rows
		from first f, unnest($5::text[], $6::text[], $7::text[], $8::text[], $9::bigint[]) with ordinality u(name, entity, after_id, up_to_id, planned_rows, n)
		on conflict (migration_id, name) do update set
			ordinal = excluded.ordinal, after_id = excluded.after_id, up_to_id = excluded.up_to_id, planned_rows = excluded.planned_rows`,
		key(m, p.AsOf, names, entities, after, upTo, rows, planned)...)
	if err := l.pool.SendBatch(ctx, &b).Close(); err != nil {
		return migration.Plan{}, failed("save the plan of "+m.String(), err)
	}
	stored, _, err := l.Plan(ctx, m)
	return stored, err
}

// Plan returns the migration's plan; ok is false while there is none.
func (l *Ledger) Plan(ctx context.Context, m migration.Migration) (plan migration.Plan, ok bool, err error) {
	ctx, cancel := l.bound(ctx)
	defer cancel()
	rows, err := l.pool.Query(ctx, `
		select m.plan_as_of, coalesce(p.name, ''), coalesce(p.entity, ''), coalesce(p.after_id, ''), coalesce(p.up_to_id, ''), coalesce(p.planned_rows, 0)
		from migrations m
		left join partitions p on p.migration_id = m.id and p.ordinal is not null
		where m.id = `+theMigration+` and m.plan_as_of is not null
		order by p.ordinal`, key(m)...)
	if err != nil {
		return plan, false, failed("read the plan of "+m.String(), err)
	}
	var asOf time.Time
	var q migration.Partition
	_, err = pgx.ForEachRow(rows, []any{&asOf, &q.ID, &q.Entity, &q.After, &q.UpTo, &q.Rows}, func() error {
		plan.AsOf, ok = asOf, true
		if q.ID != "" {
			plan.Partitions = append(plan.Partitions, q)
		}
		return nil
	})
	if err != nil {
		return migration.Plan{}, false, failed("read the plan of "+m.String(), err)
	}
	return plan, ok, nil
}
