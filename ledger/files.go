package ledger

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/jackc/pgx/v5"

	"farewell/migration"
)

// filesText is what an intent keeps of its records' attachments; nil: nothing.
func filesText(files []migration.FileFate) ([]byte, error) {
	if len(files) == 0 {
		return nil, nil
	}
	kept := make([]migration.FileFate, len(files))
	for i, f := range files {
		kept[i] = f
		kept[i].Text = clean(f.Text)
	}
	text, err := json.Marshal(kept)
	if err != nil {
		return nil, fmt.Errorf("write down the attachments: %w", err)
	}
	return text, nil
}

// SentFiles tells what became of the attachments of records that were settled
// in some batches: those without a code are with them. It says so of what went
// out with the batches, not of what earlier ones did.
func (l *Ledger) SentFiles(ctx context.Context, m migration.Migration, batchIDs, sourceIDs []string) ([]migration.FileFate, error) {
	ctx, cancel := l.bound(ctx)
	defer cancel()
	op := "read the attachments of " + m.String()
	rows, err := l.pool.Query(ctx, `
		select f.id, f.ticket, coalesce(f.target, ''), coalesce(n.code, f.code, ''), coalesce(n.text, f.text, ''), coalesce(f.size, 0), coalesce(f.sha256, '')
		from intents i
		cross join lateral jsonb_to_recordset(i.files) f(id text, ticket text, target text, code text, text text, size bigint, sha256 text)
		left join not_delivered n on n.migration_id = i.migration_id and n.entity = 'attachments' and n.source_id = f.id and n.outcome <> '-'
		where i.migration_id = `+theMigration+` and i.batch_id = any($4) and f.ticket = any($5)`, key(m, batchIDs, sourceIDs)...)
	if err != nil {
		return nil, failed(op, err)
	}
	files, err := pgx.CollectRows(rows, pgx.RowToStructByPos[migration.FileFate])
	if err != nil {
		return nil, failed(op, err)
	}
	return files, nil
}

// besideSQL makes the partition in which a ticket partition's attachments are
// counted, and gives it the fence that is in force for the tickets: an attempt
// that has lost these decides nothing about their attachments either.
const besideSQL = `
	insert into partitions (migration_id, name, entity, fence)
	select p.migration_id, $5, 'attachments', p.fence
	from partitions p
	where p.migration_id = ` + theMigration + ` and p.name = $4 and not exists (
		select from partitions f where f.migration_id = p.migration_id and f.name = $5 and f.fence = p.fence)
	on conflict (migration_id, name) do update set fence = greatest(partitions.fence, excluded.fence)`

// filesStatements settle the attachments of a batch, in the transaction that
// settles it: they are a batch of their own, of the same name, written and
// settled under the hold of the tickets.
func filesStatements(h migration.Hold, batchID string, items []migration.Item) ([]statement, error) {
	if len(items) == 0 {
		return nil, nil
	}
	beside := h
	beside.Partition = migration.BesideTickets(h.Partition)
	id := "files-" + batchID
	args, err := settleArgs(beside, id, nil, migration.Settlement{Items: items, Verdict: "decided"})
	if err != nil {
		return nil, fmt.Errorf("attachments: %w", err)
	}
	ids := make([]string, len(items))
	for i, item := range items {
		ids[i] = item.SourceID
	}
	return []statement{
		{sql: besideSQL, args: key(h.Migration, h.Partition.ID, beside.Partition.ID)},
		// They are not sent, so they wait for nothing. That they are new is decided
		// by what is there, not by the place of their tickets.
		{sql: intendSQL, args: key(h.Migration, beside.Partition.ID, h.Fence, h.Run, id, 0, nil, 0, 0, false, idList(ids), len(ids), true, nil)},
		{settleSQL, args, func(row pgx.Row) error {
			if err := readSettled(row); err != nil {
				return fmt.Errorf("attachments: %w", err)
			}
			return nil
		}},
	}, nil
}
