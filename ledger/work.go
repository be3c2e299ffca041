package ledger

import (
	"context"

	"github.com/jackc/pgx/v5"

	"farewell/migration"
)

// Unfinished lists the partitions, those beside the plan included, in which
// something is left: true where that is nothing but failed records, which only
// a retry takes up again; false where records were not read, sent or settled.
func (l *Ledger) Unfinished(ctx context.Context, m migration.Migration) (map[migration.Partition]bool, error) {
	all, err := l.remainders(ctx, m)
	if err != nil {
		return nil, failed("find what is left of "+m.String(), err)
	}
	unfinished := make(map[migration.Partition]bool)
	for _, r := range all {
		work := r.unread || r.unsent > 0 || r.open > 0
		if work || r.failed > 0 {
			unfinished[r.partition] = !work
		}
	}
	return unfinished, nil
}

// OpenPartitions lists the partitions that have batches without a settlement.
func (l *Ledger) OpenPartitions(ctx context.Context, m migration.Migration) ([]migration.Partition, error) {
	all, err := l.remainders(ctx, m)
	if err != nil {
		return nil, failed("list the open batches of "+m.String(), err)
	}
	var open []migration.Partition
	for _, r := range all {
		if r.open > 0 {
			open = append(open, r.partition)
		}
	}
	return open, nil
}

// remainder is what is left to do in a partition.
type remainder struct {
	partition            migration.Partition
	unread               bool // the cursor has not reached the end of its range
	open, unsent, failed int64
}

func (l *Ledger) remainders(ctx context.Context, m migration.Migration) ([]remainder, error) {
	ctx, cancel := l.bound(ctx)
	defer cancel()
	rows, err := l.pool.Query(ctx, `
		select p.name, p.entity, p.after_id, p.up_to_id, p.planned_rows, p.ordinal is not null and not p.ended,
			(select count(*) from open_batches o where o.partition_id = p.id), coalesce(t.unsent, 0), coalesce(t.failed, 0)
		from partitions p
		left join (
			select partition_id, sum(unsent)::bigint as unsent, sum(failed)::bigint as failed
			from tallies
			where migration_id = `+theMigration+`
			group by partition_id
		) t on t.partition_id = p.id
		where p.migration_id = `+theMigration+`
		order by p.ordinal, p.name`, key(m)...)
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, func(row pgx.CollectableRow) (remainder, error) {
		var r remainder
		p := &r.partition
		err := row.Scan(&p.ID, &p.Entity, &p.After, &p.UpTo, &p.Rows, &r.unread, &r.open, &r.unsent, &r.failed)
		return r, err
	})
}

// Part is a settled part of a bundle.
type Part struct {
	Partition string
	Pass      int
}

// Parts lists the parts of a bundle that are settled, in the order of the plan
// and then of time. A batch of a streaming destination is a part, and its
// generation the pass; what a reconciliation found is no part.
func (l *Ledger) Parts(ctx context.Context, m migration.Migration) ([]Part, error) {
	ctx, cancel := l.bound(ctx)
	defer cancel()
	op := "list the parts of " + m.String()
	rows, err := l.pool.Query(ctx, `
		select p.name, i.generation
		from partitions p
		join intents i on i.partition_id = p.id
		join settlements s on s.migration_id = i.migration_id and s.batch_id = i.batch_id
		where p.migration_id = `+theMigration+` and s.verdict <> 'found' and p.entity <> 'attachments'
		order by p.ordinal, p.name, i.seq`, key(m)...)
	if err != nil {
		return nil, failed(op, err)
	}
	parts, err := pgx.CollectRows(rows, pgx.RowToStructByPos[Part])
	if err != nil {
		return nil, failed(op, err)
	}
	return parts, nil
}
