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
	sendBy, err = l.intend(ctx, h, b, sendWithin)
	switch {
	case errors.Is(err, ErrFenced):
		return time.Time{}, fenced("write the intent of batch "+b.ID+" in", h)
	case err != nil:
		return time.Time{}, failed(op, err)
	}
	return sendBy, nil
}

const intendSQL = `
	select held, written, known, coalesce(known_fence, 0), coalesce(settled, false)
	from farewell_ledger.intend($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16)`

func (l *Ledger) intend(ctx context.Context, h migration.Hold, b migration.Batch, sendWithin time.Duration) (time.Time, error) {
	firstTime := b.InOrder && b.Level == 0 && b.Generation == 0
	var held, settled bool
	var written, before *time.Time
	var fence int64
	files, err := filesText(b.Files)
	if err != nil {
		return time.Time{}, err
	}
	w := &write{place: placeOf(h), statements: []statement{{intendSQL, key(h.Migration, h.Partition.ID, h.Fence, h.Run, b.ID, b.Generation, orNull(b.ReadAt),
		sendWithin.Microseconds(), b.Level, b.InOrder, idList(b.SourceIDs), len(b.SourceIDs), firstTime, files), func(row pgx.Row) error {
		return row.Scan(&held, &written, &before, &fence, &settled)
	}}}}
	if len(b.Changes) > 0 || !firstTime {
		args, err := changesArgs(h, b)
		if err != nil {
			return time.Time{}, err
		}
		w.statements = append(w.statements, statement{sql: changesSQL, args: args})
	}
	err = l.write(ctx, w)
	switch {
	case err != nil:
		return time.Time{}, err
	case !held:
		return time.Time{}, ErrFenced
	case written != nil:
		return *written, nil
	case before == nil:
		return time.Time{}, errors.New("the ledger neither wrote the intent nor has another")
	case settled:
		return time.Time{}, fmt.Errorf("%w: the same records need a new generation", ErrSettled)
	case fence != h.Fence:
		return time.Time{}, fmt.Errorf("it was written under fence %d, before the takeover, and may have been sent then: look it up", fence)
	}
	return *before, nil
}

// separator stands between the ids of a batch in the tables.
const separator = "\x1f"

// idList is what id_list in the tables takes apart.
func idList(ids []string) string { return strings.Join(ids, separator) }

// fromList is id_list for what comes as one text, which is cheaper to send and
// to read than an array.
func fromList(text string) []string {
	if text == "" {
		return nil
	}
	return strings.Split(text, separator)
}

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
