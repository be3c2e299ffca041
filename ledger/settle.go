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
	statements, err := settleStatements(h, batchID, ev, s)
	if err != nil {
		return fmt.Errorf("ledger: %s: %w", op, err)
	}
	err = l.write(ctx, &write{place: placeOf(h), statements: statements})
	switch {
	case errors.Is(err, ErrFenced):
		return fenced("settle batch "+batchID+" in", h)
	case err != nil:
		return failed(op, err)
	}
	return nil
}

// settleStatements settle a batch and, in the same transaction, its attachments.
func settleStatements(h migration.Hold, batchID string, ev *migration.Evidence, s migration.Settlement) ([]statement, error) {
	args, err := settleArgs(h, batchID, ev, s)
	if err != nil {
		return nil, err
	}
	files, err := filesStatements(h, batchID, s.Files)
	if err != nil {
		return nil, err
	}
	return append([]statement{{settleSQL, args, readSettled}}, files...), nil
}

// settleArgs are the parameters of settleSQL.
func settleArgs(h migration.Hold, batchID string, ev *migration.Evidence, s migration.Settlement) ([]any, error) {
	c, err := toColumns(s.Items)
	if err != nil {
		return nil, err
	}
	if err := distinct(c.sources); err != nil {
		return nil, err
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
	people := e != migration.Tickets && e != migration.Attachments // a record may be in several partitions
	args := key(h.Migration, h.Partition.ID, h.Fence, h.Run, batchID, idList(c.sources), c.outcomes, c.targetList(), s.Verdict,
		n[migration.Created], n[migration.AlreadyThere], n[migration.Skipped], n[migration.Failed], n[migration.NotSent], s.Again,
		unsent, ids, outcomes, codes, texts)
	evidence, err := evidenceArgs(ev, s.Items)
	if err != nil {
		return nil, err
	}
	return append(append(args, evidence...), people, agents), nil
}

const settleSQL = `
	select held, intended, same, settled, before, identical
	from farewell_ledger.settle($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17,
		$18, $19, $20, $21, $22, $23, $24, $25, $26, $27, $28, $29, $30, $31, $32, $33)`

func readSettled(row pgx.Row) error {
	var held, intended, same, settled, before, identical bool
	if err := row.Scan(&held, &intended, &same, &settled, &before, &identical); err != nil {
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
	return errors.New("the ledger neither wrote the settlement nor has another")
}
