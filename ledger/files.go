package ledger

import (
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

// besideSQL makes the partition in which a ticket partition's attachments are
// counted, and gives it the fence of the hold, as long as that is in force.
const besideSQL = `
	insert into partitions (migration_id, name, entity, fence)
	select p.migration_id, $6, 'attachments', p.fence
	from partitions p
	where p.migration_id = ` + theMigration + ` and p.name = $4 and p.fence = $5 and not exists (
		select from partitions f where f.migration_id = p.migration_id and f.name = $6 and f.fence = p.fence)
	on conflict (migration_id, name) do update set fence = excluded.fence`

// queueFiles adds the attachments of a batch to the transaction that settles
// it: they are a batch of their own, of the same name, written and settled
// under the hold of the tickets.
func queueFiles(q *pgx.Batch, h migration.Hold, batchID string, items []migration.Item) error {
	if len(items) == 0 {
		return nil
	}
	beside := h
	beside.Partition = migration.BesideTickets(h.Partition)
	id := "files-" + batchID
	d, err := newDecision(beside, id, nil, migration.Settlement{Items: items, Verdict: "decided"})
	if err != nil {
		return fmt.Errorf("attachments: %w", err)
	}
	ids := make([]string, len(items))
	for i, item := range items {
		ids[i] = item.SourceID
	}
	q.Queue(besideSQL, key(h.Migration, h.Partition.ID, h.Fence, beside.Partition.ID)...)
	// They are not sent, so they wait for nothing. That they are new is decided
	// by what is there, not by the place of their tickets.
	q.Queue(intendSQL, key(h.Migration, beside.Partition.ID, h.Fence, h.Run, id, 0, nil, 0, 0, false, ids, true, nil)...)
	q.Queue(settleSQL, d.args...)
	return nil
}

// readFiles reads what queueFiles has queued.
func readFiles(results pgx.BatchResults, items []migration.Item) error {
	if len(items) == 0 {
		return nil
	}
	for range 2 {
		if _, err := results.Exec(); err != nil {
			return fmt.Errorf("attachments: %w", err)
		}
	}
	if err := readSettled(results, false); err != nil {
		return fmt.Errorf("attachments: %w", err)
	}
	return nil
}
