package zendesk

import (
	"context"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"farewell/destination"
	"farewell/migration"
)

// statusDeleted is that of a ticket that was deleted, in the export.
const statusDeleted = "deleted"

// exportSettle is the part of the export's lag that is added to it, 2 s to a
// minute, for clocks of whole seconds.
const exportSettle = 30

// Sweep reads the incremental export once, from Since to its end, and finds
// source ids with more than one live ticket. It begins after the export's lag,
// so that it sees what was written before the call. Users and organizations
// cannot be twice, since their external ids are unique.
//
// MadeAt of a copy is when it was made or last changed, whichever is later:
// the export tells no more, since created_at is the imported one.
func (a *Account) Sweep(ctx context.Context, in destination.SweepInput) (destination.Sweep, error) {
	seen := newSeenTickets()
	sweep := destination.Sweep{Saw: seen.has}
	if in.Entity != migration.Tickets {
		return sweep, nil
	}
	lag := a.timings.ExportLag
	if err := sleep(ctx, lag+lag/exportSettle); err != nil {
		return sweep, err
	}
	more := make(map[string][]destination.Copy)
	err := a.exportTickets(ctx, a.startBefore(in.Since), time.Time{}, func(sourceID string, r listed) error {
		target, err := strconv.ParseInt(string(r.ID), 10, 64)
		if err != nil || r.Status == statusDeleted || seen.has(string(r.ID)) {
			return nil //nolint:nilerr // an id that is no number is none of a ticket that the ledger holds
		}
		c := seenTicket{target: target, generated: r.Generated, tagged: slices.Contains(r.Tags, Tag)}
		if first, again := seen.add(sourceID, c); again {
			if len(more[sourceID]) == 0 {
				more[sourceID] = append(more[sourceID], a.copyOf(first))
			}
			more[sourceID] = append(more[sourceID], a.copyOf(c))
		}
		return nil
	})
	if err != nil {
		return destination.Sweep{}, err
	}
	sweep.Records = int64(len(seen.targets))
	for sourceID, copies := range more {
		sweep.Duplicates = append(sweep.Duplicates, destination.Duplicate{SourceID: sourceID, Copies: copies})
	}
	slices.SortFunc(sweep.Duplicates, func(x, y destination.Duplicate) int { return strings.Compare(x.SourceID, y.SourceID) })
	return sweep, nil
}

func (a *Account) copyOf(t seenTicket) destination.Copy {
	return destination.Copy{
		TargetID: strconv.FormatInt(t.target, 10),
		Tagged:   t.tagged,
		MadeAt:   a.clock.ours(time.Unix(t.generated, 0)),
	}
}

// startBefore keeps the start of a pass out of the minute that the export
// refuses.
func (a *Account) startBefore(since time.Time) time.Time {
	limit := a.clock.theirs(time.Now()).Add(-exportStartBefore)
	if since.After(limit) {
		return limit
	}
	return since
}

// Delete moves a ticket to the account's deleted ones. A ticket that is not
// there any more counts as deleted.
func (a *Account) Delete(ctx context.Context, e migration.Entity, targetID string) error {
	if e != migration.Tickets || !id(targetID).positive() {
		return &destination.Error{
			Op: "delete " + string(e) + " " + targetID, Kind: destination.Refused, Code: "not a ticket",
			Fix: "look at the record in the account: only copies of tickets are deleted",
		}
	}
	c := call{op: "delete ticket " + targetID, method: http.MethodDelete, path: "/api/v2/tickets/" + url.PathEscape(targetID) + ".json"}
	err := a.repeat(ctx, c, nil)
	if is(err, http.StatusNotFound) {
		return nil
	}
	return err
}

// Inventory finds the records of ours among the source ids: tickets that carry
// our tag by one pass through the whole export, users and organizations by
// external id. Of several tickets of one source id, found is called for each.
func (a *Account) Inventory(ctx context.Context, e migration.Entity, sourceIDs []string, found func(migration.Item) error) error {
	if e != migration.Tickets {
		return a.peopleInventory(ctx, e, sourceIDs, found)
	}
	asked := make(map[string]bool, len(sourceIDs))
	for _, sourceID := range sourceIDs {
		asked[sourceID] = true
	}
	told := make(map[string]bool)
	return a.exportTickets(ctx, time.Unix(1, 0), time.Time{}, func(sourceID string, r listed) error {
		target := string(r.ID)
		if !asked[sourceID] || told[target] || r.Status == statusDeleted || !slices.Contains(r.Tags, Tag) {
			return nil
		}
		told[target] = true
		return found(migration.Item{SourceID: sourceID, Outcome: migration.AlreadyThere, TargetID: target})
	})
}

func (a *Account) peopleInventory(ctx context.Context, e migration.Entity, sourceIDs []string, found func(migration.Item) error) error {
	for chunk := range slices.Chunk(sourceIDs, bulkLimit) {
		there, err := a.byExternalIDs(ctx, e, chunk)
		if err != nil {
			return err
		}
		for _, sourceID := range chunk {
			record, ok := there[sourceID]
			if !ok {
				continue
			}
			if err := found(migration.Item{SourceID: sourceID, Outcome: migration.AlreadyThere, TargetID: string(record.ID)}); err != nil {
				return err
			}
		}
	}
	return nil
}
