package ledger

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5"

	"farewell/migration"
)

// changesSQL lets the table say what the batch changed in its records, and no
// more what an earlier batch of theirs did. It comes after the intent in the
// same transaction, and does nothing without it.
const changesSQL = `
	with batch as (
		select i.migration_id, p.entity
		from intents i
		join partitions p on p.id = i.partition_id
		where i.migration_id = ` + theMigration + ` and i.batch_id = $4 and i.fence = $5
	), change as (
		select b.migration_id, b.entity, u.*
		from batch b, unnest($7::text[], $8::int[], $9::text[], $10::text[], $11::text[], $12::bytea[], $13::bytea[])
			u(source_id, place, field, part, rule, before, after)
	), gone as (
		delete from changes c using batch b
		where c.migration_id = b.migration_id and c.entity = b.entity and c.source_id = any($6)
			and (c.source_id, c.place) not in (select source_id, place from change)
	)
	insert into changes as c (migration_id, entity, source_id, place, field, part, rule, before, after)
	select migration_id, entity, source_id, place, field, part, rule, before, after
	from change
	on conflict (migration_id, entity, source_id, place) do update set
		field = excluded.field, part = excluded.part, rule = excluded.rule, before = excluded.before, after = excluded.after`

// changesArgs are the parameters of changesSQL.
func changesArgs(h migration.Hold, b migration.Batch) ([]any, error) {
	n := len(b.Changes)
	ids, places := make([]string, n), make([]int32, n)
	fields, parts, rules := make([]string, n), make([]string, n), make([]string, n)
	before, after := make([][]byte, n), make([][]byte, n)
	sent := make(map[string]bool, len(b.SourceIDs))
	for _, id := range b.SourceIDs {
		sent[id] = true
	}
	next := make(map[string]int32)
	for i, c := range b.Changes {
		if !sent[c.SourceID] {
			return nil, fmt.Errorf("a change of %s is about record %s, which is not in the batch", c.Field, c.SourceID)
		}
		ids[i], places[i] = c.SourceID, next[c.SourceID]
		next[c.SourceID]++
		fields[i], parts[i], rules[i] = c.Field, c.Part, string(c.Rule)
		var err error
		if before[i], err = hash(c.Before); err != nil {
			return nil, fmt.Errorf("change of %s of record %s: %w", c.Field, c.SourceID, err)
		}
		if after[i], err = hash(c.After); err != nil {
			return nil, fmt.Errorf("change of %s of record %s: %w", c.Field, c.SourceID, err)
		}
	}
	return key(h.Migration, b.ID, h.Fence, b.SourceIDs, ids, places, fields, parts, rules, before, after), nil
}

func hash(s string) ([]byte, error) {
	sum, err := hex.DecodeString(s)
	if err != nil || len(sum) != 32 {
		return nil, errors.New("its hash is no SHA-256 in hexadecimal digits")
	}
	return sum, nil
}

// currentChanges restricts changes c to migration $1 to $3, to rule $4 if that
// is not empty, and to records that are in the account or on their way there.
const currentChanges = `
	c.migration_id = ` + theMigration + ` and ($4 = '' or c.rule = $4) and not exists (
		select from not_delivered n
		where n.migration_id = c.migration_id and n.entity = c.entity and n.source_id = c.source_id)`

// changePage is how many changes are read at once.
const changePage = 2000

// Changes calls fn for each change that was made to a record on its way, by
// entity and source id, then in the order of each value's chain. An empty rule
// stands for all. Records that did not arrive have none. It holds no connection
// while fn runs.
func (l *Ledger) Changes(ctx context.Context, m migration.Migration, rule migration.Rule, fn func(migration.Change) error) error {
	for _, e := range append(migration.Work(), migration.Attachments, migration.Placeholders) {
		if err := l.changesOf(ctx, m, e, rule, fn); err != nil {
			return err
		}
	}
	return nil
}

func (l *Ledger) changesOf(ctx context.Context, m migration.Migration, e migration.Entity, rule migration.Rule, fn func(migration.Change) error) error {
	for lastID, lastPlace := "", -1; ; {
		page, place, err := l.changesAfter(ctx, m, e, rule, lastID, lastPlace)
		if err != nil {
			return failed("list the changes of "+string(e)+" of "+m.String(), err)
		}
		for _, c := range page {
			if err := fn(c); err != nil {
				return err
			}
		}
		if len(page) < changePage {
			return nil
		}
		lastID, lastPlace = page[len(page)-1].SourceID, place
	}
}

func (l *Ledger) changesAfter(ctx context.Context, m migration.Migration, e migration.Entity, rule migration.Rule, lastID string, lastPlace int) ([]migration.Change, int, error) {
	ctx, cancel := l.bound(ctx)
	defer cancel()
	rows, err := l.pool.Query(ctx, `
		select c.place, c.entity, c.source_id, c.field, c.part, c.rule, encode(c.before, 'hex'), encode(c.after, 'hex')
		from changes c
		where `+currentChanges+` and c.entity = $5 and (c.source_id, c.place) > ($6 collate "C", $7)
		order by c.source_id, c.place
		limit $8`, key(m, rule, e, lastID, lastPlace, changePage)...)
	if err != nil {
		return nil, lastPlace, err
	}
	page, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (migration.Change, error) {
		var c migration.Change
		err := row.Scan(&lastPlace, &c.Entity, &c.SourceID, &c.Field, &c.Part, &c.Rule, &c.Before, &c.After)
		return c, err
	})
	return page, lastPlace, err
}

// ChangesTo lists the changes of some records, each value's in the order of its
// chain.
func (l *Ledger) ChangesTo(ctx context.Context, m migration.Migration, e migration.Entity, sourceIDs []string) ([]migration.Change, error) {
	ctx, cancel := l.bound(ctx)
	defer cancel()
	op := "read the changes of " + string(e) + " of " + m.String()
	rows, err := l.pool.Query(ctx, `
		select c.entity, c.source_id, c.field, c.part, c.rule, encode(c.before, 'hex'), encode(c.after, 'hex')
		from changes c
		where `+currentChanges+` and c.entity = $5 and c.source_id = any($6)
		order by c.source_id, c.place`, key(m, "", e, sourceIDs)...)
	if err != nil {
		return nil, failed(op, err)
	}
	changes, err := pgx.CollectRows(rows, pgx.RowToStructByPos[migration.Change])
	if err != nil {
		return nil, failed(op, err)
	}
	return changes, nil
}

// ChangeCounts counts what Changes would list, by entity, field and rule, the
// most frequent first.
func (l *Ledger) ChangeCounts(ctx context.Context, m migration.Migration) ([]migration.ChangeCount, error) {
	ctx, cancel := l.bound(ctx)
	defer cancel()
	rows, err := l.pool.Query(ctx, `
		select c.entity, c.field, c.rule, count(*)
		from changes c
		where `+currentChanges+`
		group by c.entity, c.field, c.rule
		order by count(*) desc, c.entity, c.field, c.rule`, key(m, "")...)
	if err != nil {
		return nil, failed("count the changes of "+m.String(), err)
	}
	counts, err := pgx.CollectRows(rows, pgx.RowToStructByPos[migration.ChangeCount])
	if err != nil {
		return nil, failed("count the changes of "+m.String(), err)
	}
	return counts, nil
}
