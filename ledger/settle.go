package ledger

import (
	"context"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5"

	"farewell/migration"
)

// Settle decides a batch: one item per source id, in the batch's order. A batch
// is settled exactly once; repeating the identical settlement is fine, another
// one is ErrSettled. ErrFenced: nothing was written.
//
// It also keeps what follows from the items: the failed and skipped ones with
// their reasons, the targets of organizations and users, and the tallies; and
// with them the outcomes of the records' attachments.
func (l *Ledger) Settle(ctx context.Context, h migration.Hold, batchID string, s migration.Settlement) error {
	return l.settle(ctx, h, batchID, nil, s)
}

// RecordAndSettle writes evidence and the settlement that follows from it in
// one transaction. When the hold is fenced or the settlement refused, the
// evidence is kept all the same.
func (l *Ledger) RecordAndSettle(ctx context.Context, h migration.Hold, batchID string, ev migration.Evidence, s migration.Settlement) error {
	return l.settle(ctx, h, batchID, &ev, s)
}

func (l *Ledger) settle(ctx context.Context, h migration.Hold, batchID string, ev *migration.Evidence, s migration.Settlement) error {
	ctx, cancel := l.bound(ctx)
	defer cancel()
	op := "settle batch " + batchID + " of " + h.Partition.ID
	d, err := newDecision(h, batchID, ev, s)
	if err != nil {
		return fmt.Errorf("ledger: %s: %w", op, err)
	}
	err = repeated(ctx, func() error { return l.write(ctx, d) })
	switch {
	case errors.Is(err, ErrFenced):
		return fenced("settle batch "+batchID+" in", h)
	case err != nil:
		return failed(op, err)
	}
	return nil
}

// decision is a settlement in the form of its statement's parameters.
type decision struct {
	hold   migration.Hold
	batch  string
	args   []any
	files  []migration.Item
	people bool // not tickets: a record may be in several partitions
}

func newDecision(h migration.Hold, batchID string, ev *migration.Evidence, s migration.Settlement) (decision, error) {
	c, err := toColumns(s.Items)
	if err != nil {
		return decision{}, err
	}
	if err := distinct(c.sources); err != nil {
		return decision{}, err
	}
	n := map[migration.Outcome]int{}
	var notable []migration.Item // failed, skipped and not sent
	var unsent, agents []string
	for _, item := range s.Items {
		n[item.Outcome]++
		if item.Agent {
			agents = append(agents, item.SourceID)
		}
		switch item.Outcome {
		case migration.NotSent:
			unsent = append(unsent, item.SourceID)
			notable = append(notable, item)
		case migration.Failed, migration.Skipped:
			notable = append(notable, item)
		}
	}
	ids, outcomes, codes, texts := make([]string, len(notable)), make([]string, len(notable)), make([]string, len(notable)), make([]string, len(notable))
	for i, item := range notable {
		ids[i], outcomes[i], codes[i], texts[i] = item.SourceID, string(item.Outcome), clean(item.Code), clean(item.Text)
	}
	e := h.Partition.Entity
	d := decision{hold: h, batch: batchID, files: s.Files, people: e != migration.Tickets && e != migration.Attachments}
	d.args = key(h.Migration, h.Partition.ID, h.Fence, h.Run, batchID, c.sources, c.outcomes, c.targets, s.Verdict,
		n[migration.Created], n[migration.AlreadyThere], n[migration.Skipped], n[migration.Failed], n[migration.NotSent], s.Again,
		unsent, ids, outcomes, codes, texts)
	evidence, err := evidenceArgs(ev, s.Items)
	if err != nil {
		return decision{}, err
	}
	d.args = append(append(d.args, evidence...), e == migration.Tickets, d.people, agents)
	return d, nil
}

// settleSQL, in words: under the partition's lock, write the settlement if the
// intent is there and there is none yet; close the batch; find the decisions
// that were in force for its records before; move the tallies from those to
// the new ones; and let not_delivered and targets say the new ones.
// A record that this batch did not send keeps the decision that it had.
// Evidence is appended whatever became of all that; items that the settlement
// holds too are not stored twice.
//
// Only of people may another partition have decided since the intent, which
// has noted for all others whether there was a decision before. Both $32 and
// $33 are not read from the partition, so that the server sees
// before it starts that it need not search the batches: that takes longer with
// every one of them. For the same reason delivered and unmapped first ask whether
// there is anything to look for: it is rare, and without statistics the server
// reads all that is noted of the entity for it.
const settleSQL = `
	with held as (
		select p.id as partition_id, p.migration_id, p.entity
		from partitions p
		where p.migration_id = ` + theMigration + ` and p.name = $4 and p.fence = $5
		for share
	), intent as (
		select h.*, r.id as run_id, i.source_ids = array_to_string($8::text[], chr(31)) as same_records
		from held h
		join runs r on r.migration_id = h.migration_id and r.run = $6
		join intents i on i.migration_id = h.migration_id and i.batch_id = $7 and i.partition_id = h.partition_id
	), settled as (
		insert into settlements (settled_at, migration_id, run_id, created, already, skipped, failed, not_sent, again, batch_id, verdict, outcomes, target_ids)
		select clock_timestamp(), i.migration_id, i.run_id, $12, $13, $14, $15, $16, $17, $7, $11, $9, array_to_string($10::text[], chr(31))
		from intent i where i.same_records
		on conflict (migration_id, batch_id) do nothing
		returning migration_id, run_id, settled_at
	), closed as (
		delete from open_batches o using settled s
		where o.migration_id = s.migration_id and o.batch_id = $7
		returning o.repeats
	), before as (
		select b.*
		from closed c, intent i, lateral prior(i.migration_id, i.entity, i.partition_id, $8::text[], $32::boolean) b
		where c.repeats or $33::boolean
	), replaced as (
		select b.* from before b where b.source_id <> all(coalesce($18::text[], '{}'))
	), moved as (
		select i.partition_id, i.run_id, $12::int as created, $13::int as already, $14::int as skipped, $15::int as failed,
			$16::int - (select count(*) from before b where b.source_id = any($18::text[])) as unsent
		from settled, intent i
		union all
		select r.partition_id, r.run_id, -(r.outcome = 'c')::int, -(r.outcome = 'a')::int, -(r.outcome = 's')::int, -(r.outcome = 'f')::int, -(r.outcome = '-')::int
		from replaced r
	), tallied as (
		insert into tallies as t (migration_id, partition_id, run_id, entity, created, already, skipped, failed, unsent, settled_at)
		select i.migration_id, m.partition_id, m.run_id, i.entity, sum(m.created), sum(m.already), sum(m.skipped), sum(m.failed), sum(m.unsent), clock_timestamp()
		from moved m, intent i
		group by i.migration_id, m.partition_id, m.run_id, i.entity
		order by m.partition_id, m.run_id
		on conflict (migration_id, partition_id, run_id) do update set
			created = t.created + excluded.created, already = t.already + excluded.already, skipped = t.skipped + excluded.skipped,
			failed = t.failed + excluded.failed, unsent = t.unsent + excluded.unsent, settled_at = excluded.settled_at
	), notable as (
		select u.id, u.outcome, u.code, u.text
		from unnest($19::text[], $20::text[], $21::text[], $22::text[]) u(id, outcome, code, text)
	), delivered as (
		delete from not_delivered n using intent i, replaced r
		where n.migration_id = i.migration_id and n.entity = i.entity and n.source_id = r.source_id
			and r.source_id not in (select id from notable) and exists (select from replaced)
	), kept as (
		insert into not_delivered as n (migration_id, entity, source_id, partition_id, run_id, at, outcome, code, text, batch_id)
		select i.migration_id, i.entity, u.id, i.partition_id, i.run_id, s.settled_at, u.outcome, u.code, u.text, $7
		from settled s, intent i, notable u
		where u.outcome <> '-' or u.id not in (select source_id from before)
		on conflict (migration_id, entity, source_id) do update set
			partition_id = excluded.partition_id, run_id = excluded.run_id, at = excluded.at, outcome = excluded.outcome,
			code = excluded.code, text = excluded.text, batch_id = excluded.batch_id
	), unmapped as (
		update targets t set outcome = null
		from settled s, intent i, notable u
		where t.migration_id = i.migration_id and t.entity = i.entity and t.source_id = u.id and u.outcome <> '-' and t.outcome is not null
			and exists (select from notable where outcome <> '-')
	), mapped as (
		insert into targets as t (migration_id, entity, source_id, target_id, agent, outcome, partition_id, run_id)
		select i.migration_id, i.entity, u.id, coalesce(u.target, ''), u.id = any(coalesce($34::text[], '{}')), u.outcome, i.partition_id, i.run_id
		from settled s, intent i, unnest($8::text[], $10::text[], string_to_array($9, null)) u(id, target, outcome)
		where not $32::boolean and u.outcome in ('c', 'a')
		on conflict (migration_id, entity, source_id) do update set
			target_id = case when excluded.target_id = '' then t.target_id else excluded.target_id end,
			agent = case when excluded.target_id = '' then t.agent else excluded.agent end,
			outcome = excluded.outcome, partition_id = excluded.partition_id, run_id = excluded.run_id
	), recorded as (
		insert into evidence (digest, migration_id, in_settlement, batch_id, kind, job_id, note, source_ids, outcomes, target_ids, problems)
		select $24, m.id, x.left_out, $7, $23, nullif($25, ''), nullif($26, ''),
			case when not x.left_out then $27::text[] end, case when not x.left_out then $28::text end,
			case when not x.left_out then $29::text[] end, $30::jsonb
		from (select ` + theMigration + ` as id) m, (select $31 and exists (select from settled) as left_out) x
		where $23 <> '' and m.id is not null and not exists (
			select from evidence e where e.migration_id = m.id and e.batch_id = $7 and e.kind = $23 and e.digest = $24)
	), marked as (
		update open_batches o set answered = true, doubtful = o.doubtful or $23 = 'unanswered'
		where o.migration_id = ` + theMigration + ` and o.batch_id = $7 and $23 <> '' and not exists (select from settled)
	)
	select exists (select from held), coalesce((select same_records from intent), false), exists (select from intent),
		exists (select from settled), s.batch_id is not null,
		coalesce(s.verdict = $11 and s.outcomes = $9 and s.target_ids is not distinct from array_to_string($10::text[], chr(31)), false)
	from (select) one
	left join settlements s on s.migration_id = ` + theMigration + ` and s.batch_id = $7`

// write runs the statement. For people it first takes a lock, in the same
// transaction but as a statement before, so that the second sees what another
// partition has just decided about the same person. Tickets and their files are
// in one partition only.
func (l *Ledger) write(ctx context.Context, d decision) error {
	var b pgx.Batch
	if d.people {
		b.Queue("select pg_advisory_xact_lock("+theMigration+", hashtext($4))", key(d.hold.Migration, d.hold.Partition.Entity)...)
	}
	b.Queue(settleSQL, d.args...)
	if err := queueFiles(&b, d.hold, d.batch, d.files); err != nil {
		return err
	}
	results := l.pool.SendBatch(ctx, &b)
	err := readSettled(results, d.people)
	if err == nil {
		err = readFiles(results, d.files)
	}
	if closeErr := results.Close(); closeErr != nil {
		return closeErr // without its commit, the answer means nothing
	}
	return err
}

func readSettled(results pgx.BatchResults, people bool) error {
	if people {
		if _, err := results.Exec(); err != nil {
			return err
		}
	}
	var held, same, intended, settled, before, identical bool
	if err := results.QueryRow().Scan(&held, &same, &intended, &settled, &before, &identical); err != nil {
		return err
	}
	switch {
	case !held:
		return ErrFenced
	case settled, identical:
		return nil
	case before:
		return ErrSettled
	case !intended:
		return errors.New("the partition has no intent of this batch in the ledger")
	case !same:
		return errors.New("the items are not those of the batch, in its order")
	}
	return errLostRace
}
