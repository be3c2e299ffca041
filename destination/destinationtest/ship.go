package destinationtest

import (
	"context"
	"errors"
	"testing"
	"time"

	"farewell/destination"
	"farewell/migration"
)

// patience ends a test whose destination hangs.
const patience = 2 * time.Minute

// Account is an empty account, opened for one test.
type Account struct {
	Destination destination.Batches
	// Poison changes a ticket so that the account refuses it, and it alone.
	Poison func(*migration.Ticket)
}

// partition is what the suite's records belong to.
const partition = "tickets-0001"

// shipper brings pages into an account as an export does, and keeps targets.
type shipper struct {
	Account
	targets map[migration.Entity]map[string]migration.Target
	jobs    map[string]bool // as the ledger would know them
}

func newShipper(a Account) *shipper {
	return &shipper{Account: a, jobs: map[string]bool{}, targets: map[migration.Entity]map[string]migration.Target{
		migration.Organizations: {}, migration.Users: {}, migration.Tickets: {},
	}}
}

func (s *shipper) directory(_ context.Context, e migration.Entity, ids []string) (map[string]migration.Target, error) {
	found := map[string]migration.Target{}
	for _, id := range ids {
		if target, ok := s.targets[e][id]; ok {
			found[id] = target
		}
	}
	return found, nil
}

func (s *shipper) owns(_ context.Context, jobIDs []string) (map[string]bool, error) {
	owned := map[string]bool{}
	for _, id := range jobIDs {
		owned[id] = s.jobs[id]
	}
	return owned, nil
}

// prepare makes a page ready.
func (s *shipper) prepare(t *testing.T, e migration.Entity, page migration.Page, level int) destination.Parcel {
	t.Helper()
	parcel, err := s.Destination.Prepare(within(t), destination.PrepareInput{
		Entity: e, Partition: partition, Page: page, Level: level, Directory: s.directory,
	})
	if err != nil {
		t.Fatalf("prepare %s: %v", e, err)
	}
	assertOncePerRecord(t, page.IDs(), append(notSent(parcel.Sent), parcel.Decided...))
	return parcel
}

// notSent gives the sent ids the form of items, to count them.
func notSent(ids []string) []migration.Item {
	items := make([]migration.Item, len(ids))
	for i, id := range ids {
		items[i] = migration.Item{SourceID: id, Outcome: migration.NotSent}
	}
	return items
}

// submit sends a parcel in a place that was reserved.
func (s *shipper) submit(t *testing.T, e migration.Entity, parcel destination.Parcel) (destination.Receipt, error) {
	t.Helper()
	release, err := s.Destination.Reserve(within(t))
	if err != nil {
		t.Fatalf("reserve: %v", err)
	}
	t.Cleanup(release) // a second call must do nothing
	receipt, err := s.Destination.Submit(within(t), s.batch(e, parcel), parcel)
	release()
	if receipt.JobID != "" {
		s.jobs[receipt.JobID] = true
	}
	return receipt, err
}

func (s *shipper) batch(e migration.Entity, parcel destination.Parcel) migration.Batch {
	return migration.Batch{ID: "batch", Entity: e, Partition: partition, SourceIDs: parcel.Sent, SendBy: time.Now().Add(20 * time.Second)}
}

// ship brings a page to its end and returns one outcome per record.
func (s *shipper) ship(t *testing.T, e migration.Entity, page migration.Page, level int) []migration.Item {
	t.Helper()
	parcel := s.prepare(t, e, page, level)
	items := parcel.Decided
	if len(parcel.Sent) > 0 {
		receipt, err := s.submit(t, e, parcel)
		var failure *destination.Error
		if errors.As(err, &failure) && failure.Kind == destination.TooLarge && page.Len() > 1 {
			return s.shipSingly(t, e, page)
		}
		if err != nil {
			t.Fatalf("submit %s: %v", e, err)
		}
		items = append(items, s.results(t, e, receipt, parcel.Sent)...)
	}
	assertOncePerRecord(t, page.IDs(), items)
	s.remember(e, items)
	return items
}

func (s *shipper) shipSingly(t *testing.T, e migration.Entity, page migration.Page) []migration.Item {
	t.Helper()
	var items []migration.Item
	for i := range page.Len() {
		items = append(items, s.ship(t, e, page.Slice(i, i+1), migration.SingleLevel)...)
	}
	return items
}

func (s *shipper) results(t *testing.T, e migration.Entity, receipt destination.Receipt, sent []string) []migration.Item {
	t.Helper()
	if receipt.JobID == "" {
		return receipt.Items
	}
	result, err := s.Destination.Await(within(t), receipt.JobID, e, sent)
	if err != nil {
		t.Fatalf("await %s: %v", e, err)
	}
	if result.Whole {
		t.Fatalf("await %s: the job failed whole: %s", e, result.Note)
	}
	return result.Items
}

func (s *shipper) remember(e migration.Entity, items []migration.Item) {
	for _, i := range items {
		if i.TargetID != "" {
			s.targets[e][i.SourceID] = migration.Target{ID: i.TargetID}
		}
	}
}

func within(t *testing.T) context.Context {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	t.Cleanup(cancel)
	return ctx
}

// assertOncePerRecord is conservation: each record has one item, and no other
// has any.
func assertOncePerRecord(t *testing.T, ids []string, items []migration.Item) {
	t.Helper()
	seen := map[string]int{}
	for _, i := range items {
		seen[i.SourceID]++
	}
	for _, id := range ids {
		if seen[id] != 1 {
			t.Errorf("record %s has %d items, want 1", id, seen[id])
		}
		delete(seen, id)
	}
	for id := range seen {
		t.Errorf("an item is about %q, which was not in the page", id)
	}
}

// count counts the items of an outcome; those that exist must have a target.
func count(t *testing.T, items []migration.Item, o migration.Outcome) int {
	t.Helper()
	n := 0
	for _, i := range items {
		if i.Outcome != o {
			continue
		}
		n++
		if (o == migration.Created || o == migration.AlreadyThere) && i.TargetID == "" {
			t.Errorf("record %s was %c, but has no target", i.SourceID, o)
		}
		if (o == migration.Failed || o == migration.Skipped) && (i.Code == "" || i.Text == "") {
			t.Errorf("record %s was %c without code and text", i.SourceID, o)
		}
	}
	return n
}

func assertCount(t *testing.T, items []migration.Item, o migration.Outcome, want int) {
	t.Helper()
	if got := count(t, items, o); got != want {
		t.Errorf("%d records were %q, want %d: %v", got, o, want, items)
	}
}
