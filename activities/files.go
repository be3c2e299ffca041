package activities

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"farewell/migration"
)

// fileList is the ledger's list of a partition's files, taken over when the
// first file is met.
type fileList struct {
	hold  migration.Hold
	known map[string]bool
}

// beside is the partition that lists the files of a ticket partition.
func beside(p migration.Partition) migration.Partition {
	return migration.Partition{
		ID:     strings.Replace(p.ID, string(migration.Tickets), string(migration.Attachments), 1),
		Entity: migration.Attachments,
	}
}

// listFiles lists the attachments of tickets as skipped, once each: they are
// not brought yet, and nothing may be left out in silence.
func (l *lane) listFiles(page migration.Page) error {
	var ids []string
	for i := range page.Tickets {
		for j := range page.Tickets[i].Comments {
			for _, f := range page.Tickets[i].Comments[j].Attachments {
				ids = append(ids, f.ID)
			}
		}
	}
	if len(ids) == 0 {
		return nil
	}
	if err := l.openFileList(); err != nil {
		return err
	}
	ids = slices.DeleteFunc(ids, func(id string) bool { return l.files.known[id] })
	if len(ids) == 0 {
		return nil
	}
	for _, id := range ids {
		l.files.known[id] = true
	}
	p := l.files.hold.Partition
	b := migration.Batch{
		ID:     migration.BatchID(l.in.Migration, p.ID, 0, 0, ids),
		Entity: migration.Attachments, Partition: p.ID, SourceIDs: ids, ReadAt: page.ReadAt,
	}
	if _, err := l.a.Ledger.Intend(l.feedCtx, l.files.hold, b, l.in.Timings.SendWithin); err != nil {
		return fmt.Errorf("write down %d attachments: %w", len(ids), err)
	}
	if err := l.a.Ledger.Settle(l.restCtx, l.files.hold, b.ID, migration.Settlement{Items: skippedFiles(ids), Verdict: verdictDecided}); err != nil {
		return fmt.Errorf("list %d attachments as skipped: %w", len(ids), err)
	}
	return nil
}

// openFileList takes the list over.
func (l *lane) openFileList() error {
	if l.files != nil {
		return nil
	}
	state, err := l.a.Ledger.TakeOver(l.feedCtx, l.in.Migration, beside(l.in.Partition), l.in.Run)
	if err != nil {
		return fmt.Errorf("take over the list of files of %s: %w", l.in.Partition.ID, err)
	}
	l.files = &fileList{hold: state.Hold, known: map[string]bool{}}
	for _, b := range state.Batches {
		for _, id := range b.SourceIDs {
			l.files.known[id] = true
		}
	}
	return l.a.settleFiles(l.restCtx, state)
}

// settleFiles settles what an earlier attempt wrote down without settling it.
func (a *Activities) settleFiles(ctx context.Context, state migration.PartitionState) error {
	for _, b := range state.Batches {
		if b.Settled {
			continue
		}
		s := migration.Settlement{Items: skippedFiles(b.SourceIDs), Verdict: verdictDecided}
		if err := a.Ledger.Settle(ctx, state.Hold, b.ID, s); err != nil {
			return fmt.Errorf("settle the list of files %s: %w", b.ID, err)
		}
	}
	return nil
}

func skippedFiles(ids []string) []migration.Item {
	items := notSent(ids)
	for i := range items {
		items[i].Outcome = migration.Skipped
		items[i].Code, items[i].Text = "attachment_not_migrated", "files are not brought to Zendesk by this version"
	}
	return items
}
