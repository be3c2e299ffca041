package ledger

import (
	"context"

	"github.com/jackc/pgx/v5"

	"farewell/migration"
)

// Compared replaces what the last comparison with the source listed for an
// entity: records with outcome changed_since, deleted_at_source, arrived_late
// or missing. It may be repeated.
func (l *Ledger) Compared(ctx context.Context, m migration.Migration, run string, e migration.Entity, list []migration.Failure) error {
	return l.replace(ctx, m, run, e, []string{"changed_since", "deleted_at_source", "arrived_late", "missing"}, list)
}

// Swept replaces what the last sweep listed for an entity: records with
// outcome duplicate or not_in_account. It may be repeated.
func (l *Ledger) Swept(ctx context.Context, m migration.Migration, run string, e migration.Entity, list []migration.Failure) error {
	return l.replace(ctx, m, run, e, []string{migration.Duplicate, migration.NotInAccount}, list)
}

// ReadBack replaces what the last read-back listed for an entity: records with
// outcome differs. It may be repeated.
func (l *Ledger) ReadBack(ctx context.Context, m migration.Migration, run string, e migration.Entity, list []migration.Failure) error {
	return l.replace(ctx, m, run, e, []string{migration.Differs}, list)
}

func (l *Ledger) replace(ctx context.Context, m migration.Migration, run string, e migration.Entity, outcomes []string, list []migration.Failure) error {
	ctx, cancel := l.bound(ctx)
	defer cancel()
	n := len(list)
	ids, kinds, codes, texts, partitions := make([]string, n), make([]string, n), make([]string, n), make([]string, n), make([]string, n)
	for i, f := range list {
		ids[i], kinds[i], codes[i], texts[i], partitions[i] = f.SourceID, f.Outcome, clean(f.Code), clean(f.Text), f.Partition
	}
	err := repeated(ctx, func() error {
		var b pgx.Batch
		b.Queue(ensureMigration, key(m)...)
		b.Queue(ensureRun, key(m, run)...)
		b.Queue("delete from differences where migration_id = "+theMigration+" and entity = $4 and outcome = any($5)", key(m, e, outcomes)...)
		b.Queue(`
			insert into differences (migration_id, entity, source_id, outcome, run_id, at, code, text, partition)
			select r.migration_id, $5, u.id, u.outcome, r.id, clock_timestamp(), u.code, u.text, u.partition
			from runs r, unnest($6::text[], $7::text[], $8::text[], $9::text[], $10::text[]) u(id, outcome, code, text, partition)
			where r.migration_id = `+theMigration+` and r.run = $4
			on conflict do nothing`, key(m, run, e, ids, kinds, codes, texts, partitions)...)
		return l.pool.SendBatch(ctx, &b).Close()
	})
	if err != nil {
		return failed("list the differences of "+string(e)+" of "+m.String(), err)
	}
	return nil
}

// currentFailures are the records of migration $1 to $3 that did not arrive, or
// not as they are now. A failure that a later batch healed is no longer here.
// What is counted beside the entities comes last.
const currentFailures = `
	select coalesce(array_position(array['organizations', 'users', 'tickets'], n.entity), 4) as place, n.entity, n.source_id,
		case n.outcome when 'f' then 'failed' else 'skipped' end as outcome, n.code, n.text, p.name as partition, n.at
	from not_delivered n
	join partitions p on p.id = n.partition_id
	where n.migration_id = ` + theMigration + ` and n.outcome <> '-'
	union all
	select coalesce(array_position(array['organizations', 'users', 'tickets'], d.entity), 4), d.entity, d.source_id, d.outcome, d.code, d.text, d.partition, d.at
	from differences d
	where d.migration_id = ` + theMigration

// failurePage is how many failures are read at once.
const failurePage = 2000

// Failures calls fn for each record that did not arrive, or not as it is at the
// source now, by entity and source id. It holds no connection while fn runs.
func (l *Ledger) Failures(ctx context.Context, m migration.Migration, fn func(migration.Failure) error) error {
	place, last := 0, migration.Failure{}
	for {
		page, lastPlace, err := l.failuresAfter(ctx, m, place, last)
		if err != nil {
			return failed("list the failures of "+m.String(), err)
		}
		for _, f := range page {
			if err := fn(f); err != nil {
				return err
			}
		}
		if len(page) < failurePage {
			return nil
		}
		place, last = lastPlace, page[len(page)-1]
	}
}

func (l *Ledger) failuresAfter(ctx context.Context, m migration.Migration, place int, after migration.Failure) ([]migration.Failure, int, error) {
	ctx, cancel := l.bound(ctx)
	defer cancel()
	rows, err := l.pool.Query(ctx, `
		select f.place, f.entity, f.source_id, f.outcome, f.code, f.text, f.partition, f.at
		from (`+currentFailures+`) f
		where (f.place, f.entity, f.source_id, f.outcome) > ($4, $5, $6 collate "C", $7)
		order by f.place, f.entity, f.source_id, f.outcome
		limit $8`, key(m, place, after.Entity, after.SourceID, after.Outcome, failurePage)...)
	if err != nil {
		return nil, 0, err
	}
	page, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (migration.Failure, error) {
		var f migration.Failure
		err := row.Scan(&place, &f.Entity, &f.SourceID, &f.Outcome, &f.Code, &f.Text, &f.Partition, &f.At)
		return f, err
	})
	return page, place, err
}
