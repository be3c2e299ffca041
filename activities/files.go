package activities

import (
	"context"
	"fmt"
	"io"
	"math"
	"time"

	"farewell/destination"
	"farewell/migration"
)

// filesInBatch is how many attachments the tickets of one batch may have
// together, if they are more than one: at the pace of the smallest plan they are
// uploaded within a minute, long before the first of them would expire.
const filesInBatch = 100

// byFiles cuts a page so that no batch has too many attachments.
func byFiles(page migration.Page) []migration.Page {
	var pages []migration.Page
	from, files := 0, 0
	for i := range page.Tickets {
		n := countFiles(&page.Tickets[i])
		if files+n > filesInBatch && i > from {
			pages = append(pages, page.Slice(from, i))
			from, files = i, 0
		}
		files += n
	}
	if from == 0 {
		return []migration.Page{page}
	}
	last := page.Slice(from, page.Len())
	last.Last, last.More = page.Last, page.More
	return append(pages, last)
}

func countFiles(t *migration.Ticket) int {
	n := len(t.Attachments)
	for i := range t.Comments {
		n += len(t.Comments[i].Attachments)
	}
	return n
}

// openFile opens attachments for the destination. Bytes that move are progress.
func (l *lane) openFile(ctx context.Context, a migration.Attachment) (destination.File, error) {
	f, err := l.a.Files.Open(ctx, l.in.Migration.Customer, a)
	if err == nil {
		f.ReadCloser = beatingFile{f.ReadCloser, l.pulse}
	}
	return f, err
}

// beatingFile notes progress with each read: those of a file are large.
type beatingFile struct {
	io.ReadCloser
	pulse *pulse
}

func (f beatingFile) Read(p []byte) (int, error) {
	n, err := f.ReadCloser.Read(p)
	if n > 0 {
		f.pulse.progress(0)
	}
	return n, err
}

// filesOf are the attachments of records that are decided without being sent.
func filesOf(page migration.Page, ids []string) []migration.FileFate {
	decided := make(map[string]bool, len(ids))
	for _, id := range ids {
		decided[id] = true
	}
	var fates []migration.FileFate
	for i := range page.Tickets {
		if t := &page.Tickets[i]; decided[t.ID] && countFiles(t) > 0 {
			for _, f := range t.Files() {
				fates = append(fates, migration.FileFate{ID: f.ID, TicketID: t.ID})
			}
		}
	}
	return fates
}

// isStale tells whether a parcel's uploads have become too old to be sent. Runs
// that an earlier version began do not say when they are.
func (l *lane) isStale(p destination.Parcel) bool {
	fresh := l.in.Timings.UploadFresh
	return fresh > 0 && !p.Uploaded.IsZero() && time.Since(p.Uploaded) > fresh
}

// sendAnew uploads the attachments of a parcel that waited too long once more,
// for a request of its own: the uploads before expire unused.
func (l *lane) sendAnew(page migration.Page, p destination.Parcel, level int, inOrder bool) error {
	decided := make(map[string]bool, len(p.Decided))
	for _, item := range p.Decided {
		decided[item.SourceID] = true
	}
	return l.send(page.Without(decided), level, inOrder)
}

// fileItems are the outcomes of the attachments of a batch, given those of its
// tickets.
func (l *lane) fileItems(b migration.Batch, settled []migration.Item) ([]migration.Item, error) {
	if len(b.Files) == 0 {
		return nil, nil
	}
	tickets := itemsByID(settled)
	lost, err := l.expired(b, tickets)
	if err != nil {
		return nil, err
	}
	var items []migration.Item
	counted := make(map[string]bool, len(b.Files)) // a view may show an attachment at two comments
	for _, f := range b.Files {
		if counted[f.ID] {
			continue
		}
		counted[f.ID] = true
		if f.Code == "" && lost[f.TicketID] {
			f.Code, f.Text = migration.FileExpired, "it had expired when its ticket was made: the account made the ticket too late"
		}
		if item := f.Item(tickets[f.TicketID].Outcome); item.Outcome != migration.NotSent {
			items = append(items, item)
		}
	}
	return items, nil
}

// expired looks which tickets came too late for their uploads, when that may
// have happened: a batch that was decided in time had them all.
func (l *lane) expired(b migration.Batch, tickets map[string]migration.Item) (map[string]bool, error) {
	if time.Since(b.SendBy) < l.in.Timings.UploadLife-l.in.Timings.UploadFresh {
		return nil, nil
	}
	carried := map[string]int{}
	for _, f := range b.Files {
		if t := tickets[f.TicketID]; f.Code == "" && t.TargetID != "" && (t.Outcome == migration.Created || t.Outcome == migration.AlreadyThere) {
			carried[f.TicketID]++
		}
	}
	lost := map[string]bool{}
	for id, n := range carried {
		there, err := l.dest.CountFiles(l.restCtx, tickets[id].TargetID)
		if err != nil {
			return nil, fmt.Errorf("look for the attachments of ticket %s: %w", id, err)
		}
		lost[id] = there < n
	}
	return lost, nil
}

// weighFiles halts the lane when attachments fail in a row for one reason: a
// store that lets nobody in looks like many files that are gone, and a ticket
// that is there cannot get its files later.
func (l *lane) weighFiles(items []migration.Item) {
	if len(items) == 0 {
		return
	}
	l.mu.Lock()
	reason, tooMany := l.fileFailures.add(items, migration.Tolerance{Percent: 100, Consecutive: l.in.Tolerance.Consecutive}, math.MaxInt32)
	l.mu.Unlock()
	if !tooMany || l.in.Tolerated {
		return
	}
	l.halt(migration.ExportOutcome{Parked: &migration.Parked{
		Partition: l.in.Partition.ID,
		Code:      "too_many_file_failures",
		Text:      "of the attachments, " + reason,
		Fix:       "see `starter failures`; mend the cause and retry: further tickets then get their files; or retry without, to go on without them",
		Since:     time.Now(),
	}})
}
