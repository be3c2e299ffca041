package zendesk_test

import (
	"bytes"
	"log/slog"
	"strings"
	"testing"
	"time"

	"farewell/destination"
	"farewell/destination/zendesk"
	"farewell/migration"
)

func TestSubmitTellsWhatHadNoEffect(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		settings map[string]any
		want     destination.Kind
		reason   string // why the account then waits, in part
	}{
		"a collision as plain text":   {fault("conflict", "imports", nil), destination.InDoubt, ""},
		"a 503 with Retry-After":      {fault("unavailable", "imports", map[string]any{"retry_after": 1}), destination.InDoubt, "answers 503"},
		"a 502 of a proxy":            {fault("error_before", "imports", map[string]any{"status": 502}), destination.InDoubt, "answers 502"},
		"a 429":                       {fault("rate_limited", "imports", map[string]any{"retry_after": 1}), destination.Temporary, ""},
		"a body that is too large":    {map[string]any{"max_body_bytes": 100}, destination.TooLarge, ""},
		"a connection that was cut":   {fault("cut_before", "imports", nil), destination.InDoubt, "connection"},
		"an answer that was cut half": {fault("cut_half", "imports", nil), destination.InDoubt, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newSandbox(t, nil)
			a := s.open(t)
			prepare(t, a, migration.Tickets, tickets("warm", 1))
			s.configure(t, c.settings)
			_, _, err := submit(t, a, tickets("t", 3))
			if kind := destination.KindOf(err); kind != c.want {
				t.Errorf("kind %q, want %q: %v", kind, c.want, err)
			}
			if r := a.WaitingFor(); !strings.Contains(r.Text, c.reason) || (r.Code == "destination_down") != (c.reason != "") {
				t.Errorf("reason %+v, want %q", r, c.reason)
			}
		})
	}
}

func TestBulkUsersOffIsRememberedAndTold(t *testing.T) {
	t.Parallel()
	s := newSandbox(t, map[string]any{"bulk_users": false})
	a := s.open(t)
	people := migration.Page{Users: []migration.User{{ID: "1", Name: "One"}, {ID: "2", Name: "Two"}}}
	b, parcel := prepare(t, a, migration.Users, people)
	for range 2 { // the second time without a request
		if _, err := a.Submit(within(t), b, parcel); destination.KindOf(err) != destination.TooLarge {
			t.Errorf("error %v, want too large", err)
		}
	}
	if n := s.requests(t, "POST /api/v2/users/create_many"); n != 1 {
		t.Errorf("%d bulk requests, want 1", n)
	}
	if a.BatchSize(migration.Users) != 1 || a.BatchSize(migration.Tickets) != 100 {
		t.Errorf("batches of %d users and %d tickets", a.BatchSize(migration.Users), a.BatchSize(migration.Tickets))
	}
	if _, parcel = prepare(t, a, migration.Users, people.Slice(0, 1)); !parcel.Single {
		t.Error("a user alone should go through the endpoint for one")
	}
	checks, err := a.Preflight(within(t), destination.PreflightInput{})
	if bad := failing(checks); err != nil || len(bad) != 1 || bad[0].Name != "bulk_users" || bad[0].Fatal {
		t.Errorf("checks %+v, error %v; want a note about bulk users", bad, err)
	}
}

// Zendesk drops keys that it does not know and names them in a header.
func TestNothingThatWeSendIsDropped(t *testing.T) {
	t.Parallel()
	s := newSandbox(t, nil)
	var said bytes.Buffer
	a := open(t, zendesk.Options{Account: s.account(), Timings: timings(), Logger: slog.New(slog.NewTextHandler(&said, nil))})
	ticket := tickets("full", 1)
	ticket.Tickets[0].Priority, ticket.Tickets[0].Type, ticket.Tickets[0].SolvedAt = "high", "problem", time.Unix(1e9, 0)
	ticket.Tickets[0].CustomFields = []byte(`{"7":"x"}`)
	for e, page := range map[migration.Entity]migration.Page{
		migration.Organizations: {Organizations: []migration.Organization{{ID: "1", Name: "One", Details: "d", Notes: "n", Tags: []string{"t"}}}},
		migration.Users:         {Users: []migration.User{{ID: "1", Name: "One", Email: "a@example.com", Phone: "+1", TimeZone: "UTC", Locale: "en-US", Tags: []string{"t"}}}},
		migration.Tickets:       ticket,
	} {
		b, parcel := prepare(t, a, e, page)
		receipt, err := a.Submit(within(t), b, parcel)
		if err != nil {
			t.Fatalf("submit %s: %v", e, err)
		}
		if result, err := a.Await(within(t), receipt.JobID, e, b.SourceIDs); err != nil || created(result.Items) != 1 {
			t.Errorf("await %s: %v, %+v", e, err, result)
		}
	}
	if said.Len() > 0 {
		t.Errorf("logged: %s", said.String())
	}
}

func TestOddTicketsArriveWhole(t *testing.T) {
	t.Parallel()
	s := newSandbox(t, nil)
	a := s.open(t)
	page := tickets("odd", 6)
	said := func(i int, bodies ...string) {
		page.Tickets[i].Comments = nil
		for _, body := range bodies {
			page.Tickets[i].Comments = append(page.Tickets[i].Comments, migration.Comment{Public: true, Body: body, CreatedAt: time.Now()})
		}
	}
	said(0, strings.Repeat("a megabyte of text\n", 55_000))
	said(1, strings.Split(strings.Repeat("x ", 2999)+"x", " ")...)
	said(2)
	said(3, "", " \n\t")
	said(4, "שלום \U0001F469\u200D\U0001F469 \xed\xa0\x80 \\ud800 \x00 \"quoted\"")
	page.Tickets[5].Subject = strings.Repeat("long ", 100)
	receipt, b, err := submit(t, a, page)
	if err != nil {
		t.Fatal(err)
	}
	result, err := a.Await(within(t), receipt.JobID, migration.Tickets, b.SourceIDs)
	if err != nil || created(result.Items) != 6 {
		t.Fatalf("await: %v, %+v", err, result)
	}
	if n, want := s.count(t, "comments"), 17+3000+1+2+1+2; n != want {
		t.Errorf("%d comments arrived, want %d", n, want)
	}
}
