package zendesk

import (
	"context"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"farewell/destination"
	"farewell/migration"
)

// statusDeleted is that of a ticket that was deleted, in the export.
const statusDeleted = "deleted"

// exportSettle is added to the export's lag, for clocks of whole seconds.
const exportSettle = 2 * time.Second

// Sweep reads the incremental export once, from Since to its end, and finds
// source ids with more than one live ticket. It begins after the export's lag,
// so that it sees what was written before the call. Users and organizations
// cannot be twice, since their external ids are unique.
//
// MadeAt of a copy is when it was made or last changed, whichever is later:
// the export tells no more, since created_at is the imported one.
func (a *Account) Sweep(ctx context.Context, in destination.SweepInput) (destination.Sweep, error) {
	sweep := destination.Sweep{Targets: make(map[string]bool)}
	if in.Entity != migration.Tickets {
		return sweep, nil
	}
	if err := sleep(ctx, a.timings.ExportLag+exportSettle); err != nil {
		return sweep, err
	}
	first := make(map[string]destination.Copy)
	more := make(map[string][]destination.Copy)
	err := a.exportTickets(ctx, a.startBefore(in.Since), time.Time{}, func(sourceID string, r listed) error {
		target := string(r.ID)
		if r.Status == statusDeleted || sweep.Targets[target] {
			return nil
		}
		sweep.Targets[target] = true
		c := destination.Copy{TargetID: target, Tagged: slices.Contains(r.Tags, Tag), MadeAt: a.clock.ours(time.Unix(r.Generated, 0))}
		if _, again := first[sourceID]; again {
			more[sourceID] = append(more[sourceID], c)
			return nil
		}
		first[sourceID] = c
		return nil
	})
	if err != nil {
		return destination.Sweep{}, err
	}
	sweep.Records = int64(len(sweep.Targets))
	for sourceID, copies := range more {
		sweep.Duplicates = append(sweep.Duplicates, destination.Duplicate{
			SourceID: sourceID,
			Copies:   append([]destination.Copy{first[sourceID]}, copies...),
		})
	}
	slices.SortFunc(sweep.Duplicates, func(x, y destination.Duplicate) int { return strings.Compare(x.SourceID, y.SourceID) })
	return sweep, nil
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
