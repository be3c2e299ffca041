package destinationtest

import (
	"testing"
	"time"

	"farewell/destination"
	"farewell/migration"
)

// RunBatches runs the suite against a destination that takes batches. Each
// call of open makes an account of its own, empty, and closes it at the test's
// end.
func RunBatches(t *testing.T, open func(t *testing.T) Account) {
	for name, test := range map[string]func(*testing.T, *shipper){
		"creates every record once":                         createsEveryRecord,
		"finds people who are there already":                findsPeople,
		"maps a second person of one address to the first":  mapsAliases,
		"a refused ticket fails alone":                      refusedTicketFailsAlone,
		"singles answer directly":                           singlesAnswerDirectly,
		"a batch whose answer was lost is found":            lostBatchIsFound,
		"a batch that was never sent is absent":             unsentBatchIsAbsent,
		"a young doubt is not decided":                      youngDoubtIsPending,
		"a request after its time is not sent":              lateRequestIsNotSent,
		"the sweep finds what is there twice, once deleted": sweepFindsDuplicates,
		"the inventory lists what was written":              inventoryListsRecords,
		"nothing waits when nobody asks":                    nothingWaits,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			test(t, newShipper(open(t)))
		})
	}
}

// settle brings the people that the suite's tickets need.
func (s *shipper) settle(t *testing.T) {
	t.Helper()
	s.ship(t, migration.Organizations, organizations(2), 0)
	s.ship(t, migration.Users, users(3), 0)
}

func createsEveryRecord(t *testing.T, s *shipper) {
	assertCount(t, s.ship(t, migration.Organizations, organizations(3), 0), migration.Created, 3)
	assertCount(t, s.ship(t, migration.Users, users(7), 0), migration.Created, 7)
	page := tickets("t", 100)
	items := s.ship(t, migration.Tickets, page, 0)
	assertCount(t, items, migration.Created, 100)
	targets := map[string]bool{}
	for _, i := range items {
		targets[i.TargetID] = true
	}
	if len(targets) != 100 {
		t.Errorf("100 tickets have %d targets", len(targets))
	}
}

func findsPeople(t *testing.T, s *shipper) {
	for e, page := range map[migration.Entity]migration.Page{migration.Organizations: organizations(3), migration.Users: users(3)} {
		first := s.ship(t, e, page, 0)
		assertCount(t, first, migration.Created, 3)
		parcel := s.prepare(t, e, page, 0)
		if len(parcel.Sent) != 0 {
			t.Errorf("%s: %d records would be sent again", e, len(parcel.Sent))
		}
		assertCount(t, parcel.Decided, migration.AlreadyThere, 3)
		for _, i := range parcel.Decided {
			if want := s.targets[e][i.SourceID].ID; i.TargetID != want {
				t.Errorf("%s %s was found as %s, but is %s", e, i.SourceID, i.TargetID, want)
			}
		}
	}
}

func mapsAliases(t *testing.T, s *shipper) {
	page := users(3)
	page.Users[2].Email = " USER0@example.com"
	items := s.ship(t, migration.Users, page, 0)
	assertCount(t, items, migration.Created, 2)
	assertCount(t, items, migration.AlreadyThere, 1)
	later := migration.Page{Users: []migration.User{{ID: "later", Name: "Later", Email: "User1@Example.com"}}}
	assertCount(t, s.ship(t, migration.Users, later, 0), migration.AlreadyThere, 1)
	targets := s.targets[migration.Users]
	if targets["u2"] != targets["u0"] || targets["later"] != targets["u1"] {
		t.Errorf("aliases have other targets than whose address they share: %v", targets)
	}
}

func refusedTicketFailsAlone(t *testing.T, s *shipper) {
	s.settle(t)
	page := tickets("t", 10)
	s.Poison(&page.Tickets[4])
	items := s.ship(t, migration.Tickets, page, 0)
	assertCount(t, items, migration.Created, 9)
	assertCount(t, items, migration.Failed, 1)
	for _, i := range items {
		if i.Outcome == migration.Failed && i.SourceID != page.Tickets[4].ID {
			t.Errorf("ticket %s failed, but %s was poisoned", i.SourceID, page.Tickets[4].ID)
		}
	}
}

func singlesAnswerDirectly(t *testing.T, s *shipper) {
	s.settle(t)
	page := tickets("t", 2)
	s.Poison(&page.Tickets[1])
	assertCount(t, s.ship(t, migration.Tickets, page.Slice(0, 1), migration.SingleLevel), migration.Created, 1)
	assertCount(t, s.ship(t, migration.Tickets, page.Slice(1, 2), migration.SingleLevel), migration.Failed, 1)
	org := migration.Page{Organizations: []migration.Organization{{ID: "single", Name: "Single"}}}
	assertCount(t, s.ship(t, migration.Organizations, org, migration.SingleLevel), migration.Created, 1)
}

// lookUp asks until the doubt is decided.
func (s *shipper) lookUp(t *testing.T, d destination.Doubt) destination.Finding {
	t.Helper()
	for deadline := time.Now().Add(patience); time.Now().Before(deadline); {
		finding, err := s.Destination.Lookup(within(t), d, s.owns)
		if err != nil {
			t.Fatalf("look up: %v", err)
		}
		if finding.Decided {
			return finding
		}
		if finding.Pending == "" {
			t.Fatal("an undecided finding must say why")
		}
	}
	t.Fatal("the doubt is not decided")
	return destination.Finding{}
}

// doubtful sends a page and forgets the answer, as a killed worker does.
func (s *shipper) doubtful(t *testing.T, e migration.Entity, page migration.Page) destination.Doubt {
	t.Helper()
	parcel := s.prepare(t, e, page, 0)
	after := time.Now()
	receipt, err := s.submit(t, e, parcel)
	if err != nil {
		t.Fatalf("submit: %v", err)
	}
	delete(s.jobs, receipt.JobID)
	b := s.batch(e, parcel)
	b.SendBy = time.Now()
	return destination.Doubt{Batch: b, SentAfter: after}
}

func lostBatchIsFound(t *testing.T, s *shipper) {
	s.settle(t)
	d := s.doubtful(t, migration.Tickets, tickets("lost", 5))
	finding := s.lookUp(t, d)
	assertOncePerRecord(t, d.Batch.SourceIDs, finding.Items)
	assertCount(t, finding.Items, migration.Created, 5)
}

func unsentBatchIsAbsent(t *testing.T, s *shipper) {
	s.settle(t)
	for e, page := range map[migration.Entity]migration.Page{
		migration.Tickets: tickets("unsent", 5),
		migration.Users:   {Users: []migration.User{{ID: "unsent", Name: "Unsent"}}},
	} {
		parcel := s.prepare(t, e, page, 0)
		b := s.batch(e, parcel)
		b.SendBy = time.Now()
		finding := s.lookUp(t, destination.Doubt{Batch: b, SentAfter: time.Now()})
		if len(finding.Items) != 0 {
			t.Errorf("%s that were never sent were found: %v", e, finding.Items)
		}
	}
}

func youngDoubtIsPending(t *testing.T, s *shipper) {
	s.settle(t)
	b := s.batch(migration.Tickets, s.prepare(t, migration.Tickets, tickets("young", 1), 0))
	finding, err := s.Destination.Lookup(within(t), destination.Doubt{Batch: b, SentAfter: time.Now()}, s.owns)
	if err != nil {
		t.Fatalf("look up: %v", err)
	}
	if finding.Decided || finding.Pending == "" {
		t.Errorf("a batch that may still be on its way was decided: %+v", finding)
	}
}

func lateRequestIsNotSent(t *testing.T, s *shipper) {
	s.settle(t)
	page := tickets("late", 3)
	parcel := s.prepare(t, migration.Tickets, page, 0)
	b := s.batch(migration.Tickets, parcel)
	b.SendBy = time.Now().Add(-time.Second)
	release, err := s.Destination.Reserve(within(t))
	if err != nil {
		t.Fatalf("reserve: %v", err)
	}
	defer release()
	_, err = s.Destination.Submit(within(t), b, parcel)
	if kind := destination.KindOf(err); kind != destination.Temporary {
		t.Errorf("a request after its time is %q (%v), want temporary: proven not sent", kind, err)
	}
	s.assertInventory(t, migration.Tickets, page.IDs(), 0)
}

func sweepFindsDuplicates(t *testing.T, s *shipper) {
	s.settle(t)
	began := time.Now().Add(-time.Minute)
	page := tickets("twice", 3)
	s.ship(t, migration.Tickets, page, 0)
	s.ship(t, migration.Tickets, page.Slice(1, 2), 0)
	sweep := s.sweep(t, began)
	if sweep.Records != 4 || len(sweep.Duplicates) != 1 || len(sweep.Duplicates[0].Copies) != 2 || sweep.Duplicates[0].SourceID != "twice-1" {
		t.Fatalf("sweep found %d records, duplicates %+v; want 4, and twice-1 with 2 copies", sweep.Records, sweep.Duplicates)
	}
	for _, c := range sweep.Duplicates[0].Copies {
		if !c.Tagged || !sweep.Saw(c.TargetID) || c.MadeAt.Before(began) {
			t.Errorf("copy %+v should carry our tag, be a target and be made since %s", c, began)
		}
	}
	doomed := sweep.Duplicates[0].Copies[1].TargetID
	for range 2 { // the second time it is gone already
		if err := s.Destination.Delete(within(t), migration.Tickets, doomed); err != nil {
			t.Fatalf("delete: %v", err)
		}
	}
	if sweep = s.sweep(t, began); sweep.Records != 3 || len(sweep.Duplicates) != 0 {
		t.Errorf("after the repair the sweep found %d records, duplicates %+v; want 3 and none", sweep.Records, sweep.Duplicates)
	}
}

func (s *shipper) sweep(t *testing.T, since time.Time) destination.Sweep {
	t.Helper()
	sweep, err := s.Destination.Sweep(within(t), destination.SweepInput{Entity: migration.Tickets, Since: since})
	if err != nil {
		t.Fatalf("sweep: %v", err)
	}
	return sweep
}

func inventoryListsRecords(t *testing.T, s *shipper) {
	s.settle(t)
	s.ship(t, migration.Tickets, tickets("listed", 5), 0)
	s.sweep(t, time.Now()) // begins after the account shows what was written
	s.assertInventory(t, migration.Organizations, []string{"O0", "O1", "O2"}, 2)
	s.assertInventory(t, migration.Users, []string{"u0", "u2", "u9"}, 2)
	s.assertInventory(t, migration.Tickets, []string{"listed-0", "listed-4", "other-1"}, 2)
}

// assertInventory wants so many of the ids to be found, at their targets.
func (s *shipper) assertInventory(t *testing.T, e migration.Entity, ids []string, want int) {
	t.Helper()
	found := map[string]bool{}
	err := s.Destination.Inventory(within(t), e, ids, func(i migration.Item) error {
		if i.Outcome != migration.AlreadyThere || i.TargetID != s.targets[e][i.SourceID].ID {
			t.Errorf("%s: inventory found %+v, want already there at %s", e, i, s.targets[e][i.SourceID].ID)
		}
		found[i.SourceID] = true
		return nil
	})
	if err != nil {
		t.Fatalf("inventory of %s: %v", e, err)
	}
	if len(found) != want {
		t.Errorf("inventory of %s found %v, want %d of %v", e, found, want, ids)
	}
}

func nothingWaits(t *testing.T, s *shipper) {
	s.settle(t)
	if r := s.Destination.WaitingFor(); r != (migration.Reason{}) {
		t.Errorf("nobody waits, but the reason is %+v", r)
	}
}
