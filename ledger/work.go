package ledger

import (
	"context"

	"github.com/jackc/pgx/v5"

	"farewell/migration"
)

// Unfinished lists the partitions, on-demand ones included, in which something
// is left: true where that is nothing but failed records, which only a retry
// takes up again; false where records were not read, sent or settled.
func (l *Ledger) Unfinished(ctx context.Context, m migration.Migration) (map[migration.Partition]bool, error) {
	return l.partitionsWhere(ctx, m, "find what is left of "+m.String(), `
		(p.ordinal is not null and not p.ended) or unsent > 0 or opened > 0 or failed > 0`,
		"not ((p.ordinal is not null and not p.ended) or unsent > 0 or opened > 0)")
}

// OpenPartitions lists the partitions that have batches without a settlement.
func (l *Ledger) OpenPartitions(ctx context.Context, m migration.Migration) ([]migration.Partition, error) {
	found, err := l.partitionsWhere(ctx, m, "list the open batches of "+m.String(), "opened > 0", "false")
	partitions := make([]migration.Partition, 0, len(found))
	for p := range found {
		partitions = append(partitions, p)
	}
	return partitions, err
}

func (l *Ledger) partitionsWhere(ctx context.Context, m migration.Migration, op, condition, flag string) (map[migration.Partition]bool, error) {
	ctx, cancel := l.bound(ctx)
	defer cancel()
	rows, err := l.pool.Query(ctx, `
		select p.name, p.entity, p.after_id, p.up_to_id, p.planned_rows, `+flag+`
		from partitions p
		cross join lateral (
			select coalesce(sum(t.unsent), 0) as unsent, coalesce(sum(t.failed), 0) as failed
			from tallies t where t.partition_id = p.id
		) t
		cross join lateral (select count(*) as opened from open_batches o where o.partition_id = p.id) o
		where p.migration_id = migration_of($1, $2, $3) and (`+condition+`)`, key(m)...)
	if err != nil {
		return nil, failed(op, err)
	}
	found := map[migration.Partition]bool{}
	var p migration.Partition
	var value bool
	_, err = pgx.ForEachRow(rows, []any{&p.ID, &p.Entity, &p.After, &p.UpTo, &p.Rows, &value}, func() error {
		found[p] = value
		return nil
	})
	if err != nil {
		return nil, failed(op, err)
	}
	return found, nil
}

// Part is a settled part of a bundle.
type Part struct {
	Partition string
	Pass      int
}

// Parts lists the parts of a bundle that are settled, in the order of the plan
// and of their passes. A batch of a streaming destination is a part, and its
// generation the pass.
func (l *Ledger) Parts(ctx context.Context, m migration.Migration) ([]Part, error) {
	ctx, cancel := l.bound(ctx)
	defer cancel()
	op := "list the parts of " + m.String()
	rows, err := l.pool.Query(ctx, `
		select p.name, i.generation
		from partitions p
		join intents i on i.partition_id = p.id
		join settlements s on s.migration_id = i.migration_id and s.batch_id = i.batch_id
		where p.migration_id = migration_of($1, $2, $3) and s.verdict <> 'found'
		order by p.ordinal, p.name, i.generation`, key(m)...)
	if err != nil {
		return nil, failed(op, err)
	}
	parts, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (Part, error) {
		var ref Part
		err := row.Scan(&ref.Partition, &ref.Pass)
		return ref, err
	})
	if err != nil {
		return nil, failed(op, err)
	}
	return parts, nil
}
