package ledger

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"

	"farewell/migration"
)

// countSQL sums up the tallies and the open batches of the wanted migrations,
// each seen from its run: what other runs created is already there. A record
// in an open batch counts as read, and as in doubt or on its way, but not as
// what an earlier batch decided: the last part takes that off again.
const countSQL = `
	, line as (
		select w.migration_id, t.entity, t.created + t.already + t.skipped + t.failed + t.unsent as read,
			case when t.run_id = w.run_id then t.created else 0 end as created,
			case when t.run_id = w.run_id then t.already else t.already + t.created end as already,
			t.skipped, t.failed, 0 as in_doubt, t.settled_at
		from wanted w
		join tallies t on t.migration_id = w.migration_id and (w.partition_id is null or t.partition_id = w.partition_id)
		union all
		select w.migration_id, o.entity, o.records, 0, 0, 0, 0,
			case when o.doubtful or not o.answered and o.send_by < clock_timestamp() then o.records else 0 end, null
		from wanted w
		join open_batches o on o.migration_id = w.migration_id and (w.partition_id is null or o.partition_id = w.partition_id)
		union all
		select w.migration_id, o.entity, -1,
			-(b.outcome = 'c' and b.run_id is not distinct from w.run_id)::int,
			-(b.outcome = 'a' or b.outcome = 'c' and b.run_id is distinct from w.run_id)::int,
			-(b.outcome = 's')::int, -(b.outcome = 'f')::int, 0, null
		from wanted w
		join open_batches o on o.migration_id = w.migration_id and o.repeats
		join intents i on i.migration_id = o.migration_id and i.batch_id = o.batch_id
		cross join lateral prior(o.migration_id, o.entity, o.partition_id, id_list(i.source_ids), o.entity = 'tickets') b
		where w.partition_id is null or b.partition_id = w.partition_id
	)
	select migration_id, entity, sum(read)::bigint, sum(created)::bigint, sum(already)::bigint, sum(skipped)::bigint, sum(failed)::bigint,
		sum(in_doubt)::bigint, max(settled_at)
	from line
	group by migration_id, entity`

// wantedRun selects one migration ($1 to $3), seen from run $4, in all
// partitions or in partition $5.
const wantedRun = `
	with wanted as (
		select m.id as migration_id, r.id as run_id, p.id as partition_id
		from migrations m
		left join runs r on r.migration_id = m.id and r.run = $4
		left join partitions p on p.migration_id = m.id and p.name = $5
		where m.id = ` + theMigration + ` and ($5 = '' or p.id is not null)
	)`

// Counts adds up a migration, seen from a run: Created are the records of this
// run, AlreadyThere those found or created by another run. It reads sums that
// are kept with each settlement, so it is cheap at any size. Read are the
// records that were ever in a batch; those without any outcome that are not in
// doubt are on their way.
func (l *Ledger) Counts(ctx context.Context, m migration.Migration, run string) (migration.EntityCounts, error) {
	return l.count(ctx, m, run, "")
}

// PartitionCounts is Counts for one partition. A record belongs to the
// partition that decided about it last.
func (l *Ledger) PartitionCounts(ctx context.Context, m migration.Migration, run, partitionID string) (migration.Counts, error) {
	counts, err := l.count(ctx, m, run, partitionID)
	return counts.Total(), err
}

func (l *Ledger) count(ctx context.Context, m migration.Migration, run, partitionID string) (migration.EntityCounts, error) {
	ctx, cancel := l.bound(ctx)
	defer cancel()
	rows, err := l.pool.Query(ctx, wantedRun+countSQL, key(m, run, partitionID)...)
	if err != nil {
		return nil, failed("count "+m.String(), err)
	}
	counts := migration.EntityCounts{}
	err = eachCount(rows, func(_ int32, e migration.Entity, c migration.Counts, _ time.Time) { counts[e] = c })
	if err != nil {
		return nil, failed("count "+m.String(), err)
	}
	return counts, nil
}

// eachCount reads the answer of countSQL.
func eachCount(rows pgx.Rows, fn func(migrationID int32, e migration.Entity, c migration.Counts, lastSettle time.Time)) error {
	var id int32
	var e migration.Entity
	var c migration.Counts
	var last *time.Time
	_, err := pgx.ForEachRow(rows, []any{&id, &e, &c.Read, &c.Created, &c.AlreadyThere, &c.Skipped, &c.Failed, &c.InDoubt, &last}, func() error {
		fn(id, e, c, orZero(last))
		return nil
	})
	return err
}
