package ledger

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"farewell/migration"
)

// Intend writes down that a batch is about to be sent, before it is. The
// request must be on its way within sendWithin: sendBy is that moment by the
// ledger's clock, so a caller that counts from before this call is on the safe
// side. The records must not be in another open batch.
//
// Writing the same batch again under the same hold is fine, and is what to do
// after an error of which it is unknown whether it was written: the first
// sendBy is returned. ErrFenced: nothing was written, and nothing may be sent.
//
// The batch's changes are written with it, in place of those of its records'
// earlier batches.
//
// A batch that is InOrder at level 0 and generation 0 promises that none of its
// records was in a batch of this partition before; the fast counts rely on it.
func (l *Ledger) Intend(ctx context.Context, h migration.Hold, b migration.Batch, sendWithin time.Duration) (sendBy time.Time, err error) {
	ctx, cancel := l.bound(ctx)
	defer cancel()
	op := "write the intent of batch " + b.ID + " of " + h.Partition.ID
	if err := distinct(b.SourceIDs); err != nil {
		return time.Time{}, fmt.Errorf("ledger: %s: %w", op, err)
	}
	err = repeated(ctx, func() (err error) {
		sendBy, err = l.intend(ctx, h, b, sendWithin)
		return err
	})
	switch {
	case errors.Is(err, ErrFenced):
		return time.Time{}, fenced("write the intent of batch "+b.ID+" in", h)
	case err != nil:
		return time.Time{}, failed(op, err)
	}
	return sendBy, nil
}

// The lock on the partition's row makes a takeover wait for this statement, or
// this statement for the takeover, after which the fence no longer matches.
const intendSQL = `
	with held as (
		select p.id as partition_id, p.migration_id, p.entity
		from partitions p
		where p.migration_id = ` + theMigration + ` and p.name = $4 and p.fence = $5
		for share
	), written as (
		insert into intents (migration_id, partition_id, run_id, generation, fence, read_at, intent_at, send_by, level, in_order, batch_id, source_ids, files)
		select h.migration_id, h.partition_id, r.id, $8, $5, $9, clock_timestamp(), clock_timestamp() + $10 * interval '1 microsecond', $11, $12, $7, array_to_string($13::text[], chr(31)), $15::jsonb
		from held h
		join runs r on r.migration_id = h.migration_id and r.run = $6
		on conflict (migration_id, batch_id) do nothing
		returning send_by
	), opened as (
		insert into open_batches (migration_id, batch_id, partition_id, entity, records, send_by, repeats)
		select h.migration_id, $7, h.partition_id, h.entity, cardinality($13), w.send_by, not $14 or h.entity <> 'tickets' and (
			exists (select from prior(h.migration_id, h.entity, h.partition_id, $13::text[], false)))
		from held h, written w
	)
	select exists (select from held), (select send_by from written), i.send_by, coalesce(i.fence, 0),
		exists (select from settlements s where s.migration_id = i.migration_id and s.batch_id = i.batch_id)
	from (select) one
	left join intents i on i.migration_id = ` + theMigration + ` and i.batch_id = $7`

func (l *Ledger) intend(ctx context.Context, h migration.Hold, b migration.Batch, sendWithin time.Duration) (time.Time, error) {
	firstTime := b.InOrder && b.Level == 0 && b.Generation == 0
	var held, settled bool
	var written, before *time.Time
	var fence int64
	files, err := filesText(b.Files)
	if err != nil {
		return time.Time{}, err
	}
	var q pgx.Batch
	q.Queue(intendSQL, key(h.Migration, h.Partition.ID, h.Fence, h.Run, b.ID, b.Generation, orNull(b.ReadAt),
		sendWithin.Microseconds(), b.Level, b.InOrder, b.SourceIDs, firstTime, files)...).QueryRow(func(row pgx.Row) error {
		return row.Scan(&held, &written, &before, &fence, &settled)
	})
	if len(b.Changes) > 0 || !firstTime {
		args, err := changesArgs(h, b)
		if err != nil {
			return time.Time{}, err
		}
		q.Queue(changesSQL, args...)
	}
	err = l.pool.SendBatch(ctx, &q).Close()
	switch {
	case err != nil:
		return time.Time{}, err
	case !held:
		return time.Time{}, ErrFenced
	case written != nil:
		return *written, nil
	case before == nil:
		return time.Time{}, errLostRace
	case settled:
		return time.Time{}, fmt.Errorf("%w: the same records need a new generation", ErrSettled)
	case fence != h.Fence:
		return time.Time{}, fmt.Errorf("it was written under fence %d, before the takeover, and may have been sent then: look it up", fence)
	}
	return *before, nil
}

// separator stands between the ids of a batch in the tables.
const separator = "\x1f"

// distinct refuses a batch that would be counted wrongly.
func distinct(ids []string) error {
	if len(ids) == 0 {
		return errors.New("the batch holds no records")
	}
	seen := make(map[string]bool, len(ids))
	for _, id := range ids {
		if strings.Contains(id, separator) {
			return fmt.Errorf("record %q has the separator of ids in its id: choose another id in the source's views", id)
		}
		if seen[id] {
			return fmt.Errorf("record %s is in the batch twice", id)
		}
		seen[id] = true
	}
	return nil
}
