package zendesk

import (
	"context"
	"net/http"
	"net/url"
	"slices"
	"strconv"
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
	var seen seenTickets
	sweep := destination.Sweep{Saw: targetIDs(nil).has}
	if in.Entity != migration.Tickets {
		return sweep, nil
	}
	lag := a.timings.ExportLag
	if err := sleep(ctx, lag+lag/exportSettle); err != nil {
		return sweep, err
	}
	err := a.exportTickets(ctx, a.startBefore(in.Since), time.Time{}, func(t exportedTicket) error {
		if t.Status != statusDeleted {
			seen.add(t.SourceID, t.ID, t.Generated, t.Tagged)
		}
		return nil
	})
	if err != nil {
		return destination.Sweep{}, err
	}
	seen.sort()
	targets := seen.targets()
	sweep.Records, sweep.Saw = int64(len(targets)), targets.has
	seen.eachAgain(func(sourceID string, tickets []seenTicket) {
		d := destination.Duplicate{SourceID: sourceID}
		for _, t := range tickets {
			d.Copies = append(d.Copies, destination.Copy{
				TargetID: strconv.FormatInt(t.target, 10),
				Tagged:   t.tagged,
				MadeAt:   a.clock.ours(time.Unix(t.generated, 0)),
			})
		}
		sweep.Duplicates = append(sweep.Duplicates, d)
	})
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
	told := make(map[int64]bool)
	return a.exportTickets(ctx, time.Unix(1, 0), time.Time{}, func(t exportedTicket) error {
		if !asked[t.SourceID] || told[t.ID] || t.Status == statusDeleted || !t.Tagged {
			return nil
		}
		told[t.ID] = true
		return found(migration.Item{SourceID: t.SourceID, Outcome: migration.AlreadyThere, TargetID: t.target()})
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
