package ledger

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"farewell/migration"
)

// TakeOver makes the caller the only one who may decide about a partition: it
// issues the next fence, and every decision under an earlier one is refused
// from then on. It returns all batches of the partition in the order of their
// intents, with the evidence of those that are not settled. A partition that
// the plan lacks is created (people on demand); of one that exists, only the
// ID of p is used. Calling it again fences the caller's own earlier hold.
func (l *Ledger) TakeOver(ctx context.Context, m migration.Migration, p migration.Partition, run string) (migration.PartitionState, error) {
	ctx, cancel := l.bound(ctx)
	defer cancel()
	var state migration.PartitionState
	err := repeated(ctx, func() (err error) {
		state, err = l.takeOver(ctx, m, p, run)
		return err
	})
	if err != nil {
		return migration.PartitionState{}, failed("take over "+p.ID+" of "+m.String(), err)
	}
	return state, nil
}

// takeOver sends its statements together as one transaction. The batches are
// read by a statement of their own, after the update: only then does its
// snapshot show the intents of a predecessor for whom the update waited.
func (l *Ledger) takeOver(ctx context.Context, m migration.Migration, p migration.Partition, run string) (migration.PartitionState, error) {
	var b pgx.Batch
	b.Queue(ensureMigration, key(m)...)
	b.Queue(ensureRun, key(m, run)...)
	b.Queue(`
		insert into partitions (migration_id, name, entity, after_id, up_to_id, planned_rows)
		select `+theMigration+`, $4, $5, $6, $7, $8
		where not exists (select from partitions where migration_id = `+theMigration+` and name = $4)
		on conflict do nothing`, key(m, p.ID, p.Entity, p.After, p.UpTo, p.Rows)...)
	b.Queue(`
		update partitions set fence = fence + 1
		where migration_id = `+theMigration+` and name = $4
		returning entity, after_id, up_to_id, planned_rows, fence, ended`, key(m, p.ID)...)
	b.Queue(`
		select `+batchColumns+`
		from partitions p
		join intents i on i.partition_id = p.id
		join runs r on r.id = i.run_id
		left join settlements s on s.migration_id = i.migration_id and s.batch_id = i.batch_id
		where p.migration_id = `+theMigration+` and p.name = $4
		order by i.seq`, key(m, p.ID)...)
	b.Queue(`
		select e.batch_id, e.kind, coalesce(e.job_id, ''), coalesce(e.note, ''), e.at, e.source_ids, coalesce(e.outcomes, ''), e.target_ids, e.problems
		from partitions p
		join open_batches o on o.partition_id = p.id
		join evidence e on e.migration_id = o.migration_id and e.batch_id = o.batch_id
		where p.migration_id = `+theMigration+` and p.name = $4
		order by e.seq`, key(m, p.ID)...)

	state := migration.PartitionState{Hold: migration.Hold{Migration: m, Run: run}}
	results := l.pool.SendBatch(ctx, &b)
	err := readTakeOver(results, p.ID, &state)
	if closeErr := results.Close(); err == nil {
		err = closeErr
	}
	return state, err
}

func readTakeOver(results pgx.BatchResults, id string, state *migration.PartitionState) error {
	for range 3 {
		if _, err := results.Exec(); err != nil {
			return err
		}
	}
	held := migration.Partition{ID: id}
	err := results.QueryRow().Scan(&held.Entity, &held.After, &held.UpTo, &held.Rows, &state.Hold.Fence, &state.Ended)
	if err != nil {
		return err
	}
	state.Hold.Partition = held
	rows, err := results.Query()
	if err != nil {
		return err
	}
	if state.Batches, err = pgx.CollectRows(rows, scanBatch); err != nil {
		return err
	}
	for i := range state.Batches {
		state.Batches[i].Entity, state.Batches[i].Partition = held.Entity, held.ID
	}
	return readEvidence(results, state.Batches)
}

// batchColumns are what scanBatch reads, from intents i, runs r of the intent,
// and settlements s, which may be missing.
const batchColumns = `i.batch_id, i.source_ids, i.level, i.generation, i.in_order, i.read_at, i.intent_at, i.send_by, r.run,
	s.settled_at, coalesce(s.verdict, ''), coalesce(s.outcomes, ''), case when s.batch_id is null then i.files end`

func scanBatch(row pgx.CollectableRow) (migration.BatchState, error) {
	var b migration.BatchState
	var readAt, settledAt *time.Time
	var ids, outcomes string
	var files []byte
	err := row.Scan(&b.ID, &ids, &b.Level, &b.Generation, &b.InOrder, &readAt, &b.IntentAt, &b.SendBy, &b.Run,
		&settledAt, &b.Verdict, &outcomes, &files)
	if err == nil && files != nil {
		err = json.Unmarshal(files, &b.Files)
	}
	b.SourceIDs = fromList(ids)
	b.ReadAt, b.SettledAt, b.Settled = orZero(readAt), orZero(settledAt), settledAt != nil
	if b.Settled {
		b.Outcomes = []migration.Outcome(outcomes)
	}
	return b, err
}

func readEvidence(results pgx.BatchResults, batches []migration.BatchState) error {
	byID := make(map[string]*migration.BatchState)
	for i := range batches {
		if !batches[i].Settled {
			byID[batches[i].ID] = &batches[i]
		}
	}
	rows, err := results.Query()
	if err != nil {
		return err
	}
	var id string
	var e migration.Evidence
	var c columns
	_, err = pgx.ForEachRow(rows, []any{&id, &e.Kind, &e.JobID, &e.Note, &e.At, &c.sources, &c.outcomes, &c.targets, &c.problems}, func() error {
		items, err := c.items()
		if err != nil {
			return fmt.Errorf("evidence of batch %s: %w", id, err)
		}
		if b := byID[id]; b != nil {
			e.Items = items
			b.Evidence = append(b.Evidence, e)
		}
		c = columns{}
		return nil
	})
	return err
}

// EndPartition records that the cursor has reached the end of the partition's
// range. It may be repeated.
func (l *Ledger) EndPartition(ctx context.Context, h migration.Hold) error {
	ctx, cancel := l.bound(ctx)
	defer cancel()
	tag, err := l.pool.Exec(ctx, `
		update partitions set ended = true
		where migration_id = `+theMigration+` and name = $4 and fence = $5`,
		key(h.Migration, h.Partition.ID, h.Fence)...)
	if err != nil {
		return failed("end "+h.Partition.ID+" of "+h.Migration.String(), err)
	}
	if tag.RowsAffected() == 0 {
		return fenced("end", h)
	}
	return nil
}

// fenced says which hold is not the current one.
func fenced(op string, h migration.Hold) error {
	return fmt.Errorf("ledger: %s %s of %s under fence %d: %w", op, h.Partition.ID, h.Migration, h.Fence, ErrFenced)
}
