package zendesk_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"farewell/destination"
	"farewell/destination/zendesk"
	"farewell/migration"
)

// crowd brings people into an account, batch by batch, as a lane does.
type crowd struct {
	t       *testing.T
	a       *zendesk.Account
	targets map[migration.Entity]map[string]migration.Target
	changes []migration.Change
}

func newCrowd(t *testing.T, a *zendesk.Account) *crowd {
	return &crowd{t: t, a: a, targets: map[migration.Entity]map[string]migration.Target{}}
}

func (c *crowd) directory(_ context.Context, e migration.Entity, ids []string) (map[string]migration.Target, error) {
	found := map[string]migration.Target{}
	for _, id := range ids {
		if t, ok := c.targets[e][id]; ok {
			found[id] = t
		}
	}
	return found, nil
}

// bring sends a page and returns the outcomes by source id.
func (c *crowd) bring(e migration.Entity, page migration.Page) map[string]migration.Item {
	c.t.Helper()
	parcel, err := c.a.Prepare(within(c.t), destination.PrepareInput{Entity: e, Partition: string(e) + "-0001", Run: "run", Page: page, Directory: c.directory})
	if err != nil {
		c.t.Fatal(err)
	}
	c.changes = append(c.changes, parcel.Changes...)
	items := parcel.Decided
	if len(parcel.Sent) > 0 {
		release, err := c.a.Reserve(within(c.t))
		if err != nil {
			c.t.Fatal(err)
		}
		defer release()
		receipt, err := c.a.Submit(within(c.t), migration.Batch{Entity: e, SourceIDs: parcel.Sent, SendBy: time.Now().Add(time.Minute)}, parcel)
		if err != nil {
			c.t.Fatal(err)
		}
		items = append(items, receipt.Items...)
		if receipt.JobID != "" {
			result, err := c.a.Await(within(c.t), receipt.JobID, e, parcel.Sent)
			if err != nil || result.Whole {
				c.t.Fatalf("%s: %+v, %v", e, result, err)
			}
			items = append(items, result.Items...)
		}
	}
	byID := map[string]migration.Item{}
	if c.targets[e] == nil {
		c.targets[e] = map[string]migration.Target{}
	}
	for _, item := range items {
		byID[item.SourceID] = item
		if item.TargetID != "" {
			c.targets[e][item.SourceID] = migration.Target{ID: item.TargetID, Made: item.Outcome == migration.Created}
		}
	}
	return byID
}

func (c *crowd) want(items map[string]migration.Item, id string, outcome migration.Outcome, code string) {
	c.t.Helper()
	if got := items[id]; got.Outcome != outcome || got.Code != code {
		c.t.Errorf("%s is %+v, want %c %s", id, got, outcome, code)
	}
}

// changed are the rules that were applied to a record.
func (c *crowd) changed(id string) string {
	var rules []string
	for _, change := range c.changes {
		if change.SourceID == id {
			rules = append(rules, string(change.Rule)+" "+change.Field)
		}
	}
	return strings.Join(rules, ", ")
}

func organizationsPage(n int) migration.Page {
	page := migration.Page{ReadAt: time.Now()}
	for i := range n {
		page.Organizations = append(page.Organizations, migration.Organization{ID: fmt.Sprintf("o%d", i), Name: fmt.Sprintf("Org %d", i)})
	}
	return page
}

func usersPage(users ...migration.User) migration.Page {
	return migration.Page{Users: users, ReadAt: time.Now()}
}

func TestUsersArriveWithAllThatTheyHave(t *testing.T) {
	t.Parallel()
	s := newSandbox(t, nil)
	c := newCrowd(t, s.open(t))
	page := organizationsPage(1)
	page.Organizations[0].Fields = []byte(`{"region": "emea"}`)
	c.bring(migration.Organizations, page)
	c.want(c.bring(migration.Users, usersPage(migration.User{
		ID: "1", Name: "Ann", Email: "ann@x.example", Phone: "+1", OrganizationID: "o0", TimeZone: "Berlin", Locale: "de",
		Emails: []string{" Ann.2@x.example", "ANN@x.example", "ann.2@x.example", ""}, Phones: []string{"+2", "+1", "+2"},
		Fields: []byte(`{"tier": "gold", "seats": 12345678901234567890}`), Suspended: true,
	})), "1", migration.Created, "")
	body := s.dump(t, "users")
	for _, want := range []string{
		`"value":"ann.2@x.example"`, `"type":"phone_number","value":"+2"`, `"time_zone":"Berlin"`, `"locale":"de"`,
		`"seats":12345678901234567890`, `"suspended":false`,
	} {
		if strings.Count(body, want) < 1 {
			t.Errorf("the user has no %s: %s", want, body)
		}
	}
	if n := strings.Count(body, "ann.2@x.example"); n != 1 {
		t.Errorf("a further address is there %d times", n)
	}
	if !strings.Contains(s.dump(t, "organizations"), `"region":"emea"`) {
		t.Error("the organization has no field")
	}
	if mails := s.count(t, "emails_sent"); mails != 0 {
		t.Errorf("%d mails were sent", mails)
	}
}

func TestUsersJoinTheirFurtherOrganizationsAndNobodyElseIsChanged(t *testing.T) {
	t.Parallel()
	s := newSandbox(t, nil)
	a := s.open(t)
	c := newCrowd(t, a)
	c.bring(migration.Organizations, organizationsPage(3))
	there := s.post(t, "users", `{"user":{"name":"Old","email":"old@x.example","skip_verify_email":true}}`)
	users := []migration.User{
		{ID: "1", Name: "Ann", OrganizationID: "o0", Organizations: []string{"o1", "o0", "o2", "gone"}},
		{ID: "2", Name: "Ben", Organizations: []string{"o1"}},
		{ID: "3", Name: "Old", Email: "old@x.example", Organizations: []string{"o1"}},
		{ID: "4", Name: "Nobody", Organizations: []string{"o1"}},
	}
	c.bring(migration.Users, usersPage(users[:2]...))
	c.targets[migration.Users]["3"] = migration.Target{ID: there}
	items := c.bring(migration.Memberships, usersPage(users...))
	c.want(items, "1", migration.Created, "")
	c.want(items, "2", migration.Created, "")
	c.want(items, "3", migration.AlreadyThere, "")
	c.want(items, "4", migration.Skipped, "user_not_there")
	org := func(id string) string { return c.targets[migration.Organizations][id].ID }
	if got, want := items["1"].TargetID, strings.Join([]string{org("o0"), org("o1"), org("o2")}, ","); got != want {
		t.Errorf("the first user is said to be in %s, want %s", got, want)
	}
	for id, want := range map[string]string{"1": "organization_left organization_ids", "2": "", "3": "organization_left organization_ids"} {
		if got := c.changed(id); got != want {
			t.Errorf("changes of %s: %q, want %q", id, got, want)
		}
	}
	if n := s.count(t, "memberships"); n != 4 {
		t.Errorf("%d memberships, want 4", n)
	}
	// Again: an answer may have been lost.
	fresh := newCrowd(t, s.open(t))
	fresh.targets = c.targets
	items = fresh.bring(migration.Memberships, usersPage(users[1]))
	fresh.want(items, "2", migration.AlreadyThere, "")
	items = fresh.bring(migration.Memberships, usersPage(users[0]))
	fresh.want(items, "1", migration.AlreadyThere, "")
	if n := s.count(t, "memberships"); n != 4 {
		t.Errorf("%d memberships after another time, want 4", n)
	}
}

func TestOnlyWhoWasBroughtForThatIDIsSuspended(t *testing.T) {
	t.Parallel()
	s := newSandbox(t, nil)
	c := newCrowd(t, s.open(t))
	there := s.post(t, "users", `{"user":{"name":"Old","email":"old@x.example","skip_verify_email":true}}`)
	users := []migration.User{
		{ID: "1", Name: "Ann", Suspended: true}, {ID: "2", Name: "Again Ann", Suspended: true},
		{ID: "3", Name: "Old", Suspended: true}, {ID: "4", Name: "Nobody", Suspended: true},
	}
	c.bring(migration.Users, usersPage(users[0]))
	c.targets[migration.Users]["2"] = c.targets[migration.Users]["1"]
	c.targets[migration.Users]["3"] = migration.Target{ID: there}
	items := c.bring(migration.Suspensions, usersPage(users...))
	c.want(items, "1", migration.Created, "")
	c.want(items, "2", migration.Skipped, "merged_user")
	c.want(items, "3", migration.Skipped, "existing_user")
	c.want(items, "4", migration.Skipped, "user_not_there")
	if n := strings.Count(s.dump(t, "users"), `"suspended":true`); n != 1 {
		t.Errorf("%d users are suspended, want 1", n)
	}
	c.want(c.bring(migration.Suspensions, usersPage(users[0])), "1", migration.AlreadyThere, "")
}

func TestAgentsAreMappedAndNeverCreated(t *testing.T) {
	t.Parallel()
	for name, row := range map[string]struct{ standIn, wantTarget string }{
		"to the configured agent": {"Desk@x.example", "desk@x.example"},
		"to whoever we are":       {"", "owner@acme.example"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newSandbox(t, map[string]any{"agents": []any{
				map[string]any{"name": "Ann", "email": "ann@x.example", "role": "agent"},
				map[string]any{"name": "Desk", "email": "desk@x.example", "role": "agent"},
			}})
			account := s.account()
			account.Agent = row.standIn
			c := newCrowd(t, open(t, zendesk.Options{Account: account, Timings: timings()}))
			before := s.count(t, "users")
			items := c.bring(migration.Users, usersPage(
				migration.User{ID: "1", Name: "Ann", Email: " ANN@x.example", Role: "agent"},
				migration.User{ID: "2", Name: "Gone", Email: "gone@x.example", Role: "admin"},
			))
			c.want(items, "1", migration.AlreadyThere, "")
			c.want(items, "2", migration.AlreadyThere, "")
			if n := s.count(t, "users"); n != before {
				t.Errorf("%d users were created", n-before)
			}
			if got := s.email(t, items["2"].TargetID); got != row.wantTarget {
				t.Errorf("%s stands in, want %s", got, row.wantTarget)
			}
			if !items["1"].Agent || items["2"].Agent {
				t.Errorf("tickets of %+v stay theirs, those of %+v do not", items["1"], items["2"])
			}
			if c.changed("1") != "" || c.changed("2") != "agent_replaced id" {
				t.Errorf("changes %v", c.changes)
			}
		})
	}
}

func TestPreflightNamesAnAgentWhoIsNone(t *testing.T) {
	t.Parallel()
	s := newSandbox(t, nil)
	account := s.account()
	account.Agent = "nobody@x.example"
	checks, err := open(t, zendesk.Options{Account: account, Timings: timings()}).Preflight(within(t), destination.PreflightInput{})
	if bad := failing(checks); err != nil || len(bad) != 1 || bad[0].Name != "agent" || !bad[0].Fatal {
		t.Errorf("checks %+v, %v", bad, err)
	}
}

func TestPreflightSaysWhatUsersOneByOneCost(t *testing.T) {
	t.Parallel()
	s := newSandbox(t, map[string]any{"bulk_users": false})
	a := s.open(t)
	checks, err := a.Preflight(within(t), destination.PreflightInput{Rows: map[migration.Entity]int64{migration.Users: 100_800}})
	bad := failing(checks)
	if err != nil || len(bad) != 1 || bad[0].Name != "bulk_users" || bad[0].Fatal {
		t.Fatalf("checks %+v, %v", bad, err)
	}
	// 100,800 requests at 560 a minute: 700 less the reserved fifth.
	if !strings.Contains(bad[0].Text, "3.0 hours") || !strings.Contains(bad[0].Fix, "Zendesk Customer Support") {
		t.Errorf("%s; %s", bad[0].Text, bad[0].Fix)
	}
	if a.BatchSize(migration.Users) != 1 {
		t.Error("the first batch would find out again")
	}
	s.configure(t, map[string]any{"bulk_users": true})
	if checks, err = a.Preflight(within(t), destination.PreflightInput{}); err != nil || len(failing(checks)) != 0 || a.BatchSize(migration.Users) != 100 {
		t.Errorf("once it is enabled: %+v, %v", failing(checks), err)
	}
}

func TestACensusSavesTheLookUps(t *testing.T) {
	t.Parallel()
	s := newSandbox(t, nil)
	c := newCrowd(t, s.open(t))
	c.bring(migration.Users, usersPage(migration.User{ID: "1", Name: "Ann"}))
	a := s.open(t)
	sent := func(rows int64, ids ...string) []string {
		var page []migration.User
		for _, id := range ids {
			page = append(page, migration.User{ID: id, Name: "P"})
		}
		parcel, err := a.Prepare(within(t), destination.PrepareInput{Entity: migration.Users, Run: "run", Rows: rows, Page: usersPage(page...), Directory: c.directory})
		if err != nil {
			t.Fatal(err)
		}
		return parcel.Sent
	}
	before := s.requests(t, "GET /api/v2/users/show_many")
	if got := sent(1000, "1", "2"); !slices.Equal(got, []string{"2"}) {
		t.Errorf("sent %v, but the first is there", got)
	}
	sent(1000, "3")
	if n := s.requests(t, "GET /api/v2/users/show_many") - before; n != 0 {
		t.Errorf("%d look-ups, though nobody else is there", n)
	}
	sent(999, "4")
	if n := s.requests(t, "GET /api/v2/users/show_many") - before; n != 1 {
		t.Errorf("%d look-ups for a small partition, want 1", n)
	}
}

func TestACensusOfOrganizationsToo(t *testing.T) {
	t.Parallel()
	s := newSandbox(t, nil)
	c := newCrowd(t, s.open(t))
	c.bring(migration.Organizations, organizationsPage(1))
	parcel, err := s.open(t).Prepare(within(t), destination.PrepareInput{
		Entity: migration.Organizations, Run: "run", Rows: 1000, Page: organizationsPage(2), Directory: c.directory,
	})
	if err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(parcel.Sent, []string{"o1"}) {
		t.Errorf("sent %v, but the first is there", parcel.Sent)
	}
}

func TestATicketKeepsItsOrganizationOnlyWhereItsRequesterIsInIt(t *testing.T) {
	t.Parallel()
	s := newSandbox(t, nil)
	c := newCrowd(t, s.open(t))
	c.bring(migration.Organizations, organizationsPage(2))
	c.bring(migration.Users, usersPage(migration.User{ID: "1", Name: "Ann", OrganizationID: "o0"}))
	c.targets[migration.Memberships] = map[string]migration.Target{"1": c.targets[migration.Organizations]["o0"]}
	page := migration.Page{ReadAt: time.Now()}
	for i := range 2 {
		made := time.Now().Add(-time.Hour)
		page.Tickets = append(page.Tickets, migration.Ticket{
			ID: fmt.Sprintf("t%d", i), RequesterID: "1", OrganizationID: fmt.Sprintf("o%d", i), Subject: "s", Status: "open", CreatedAt: made, UpdatedAt: made,
			Comments: []migration.Comment{{ID: fmt.Sprintf("c%d", i), AuthorID: "1", Public: true, Body: "b", CreatedAt: made}},
		})
	}
	items := c.bring(migration.Tickets, page)
	for i, want := range []string{"", "organization_left organization_id"} {
		id := fmt.Sprintf("t%d", i)
		c.want(items, id, migration.Created, "")
		if got := c.changed(id); got != want {
			t.Errorf("changes of %s: %q, want %q", id, got, want)
		}
	}
}

func TestMembershipsThatAreThereAlreadyAreNotMadeAgain(t *testing.T) {
	t.Parallel()
	s := newSandbox(t, nil)
	c := newCrowd(t, s.open(t))
	c.bring(migration.Organizations, organizationsPage(4))
	page := usersPage(
		migration.User{ID: "1", Name: "One", OrganizationID: "o0", Organizations: []string{"o1"}},
		migration.User{ID: "2", Name: "Two", OrganizationID: "o0", Organizations: []string{"o1", "o2"}},
	)
	c.bring(migration.Users, page)
	first := c.bring(migration.Memberships, page)
	c.want(first, "1", migration.Created, "")
	c.want(first, "2", migration.Created, "")
	page.Users[0].Organizations = []string{"o1", "o3"}
	again := c.bring(migration.Memberships, page)
	c.want(again, "1", migration.Created, "") // one of two is new
	c.want(again, "2", migration.AlreadyThere, "")
}
