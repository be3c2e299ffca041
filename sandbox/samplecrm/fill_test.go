package samplecrm

import (
	"context"
	"errors"
	"testing"

	"github.com/jackc/pgx/v5"

	"farewell/integration/postgrestest"
	"farewell/migration"
)

// sample is a filled database.
func sample(t *testing.T, s Spec) *pgx.Conn {
	t.Helper()
	url := postgrestest.New(t)
	if _, err := Fill(t.Context(), url, s, nil); err != nil {
		t.Fatal(err)
	}
	return connect(t, url)
}

func connect(t *testing.T, url string) *pgx.Conn {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close(context.Background()) }) // the database goes away with it
	return conn
}

func scan[T any](t *testing.T, conn *pgx.Conn, sql string) T {
	t.Helper()
	var v T
	if err := conn.QueryRow(t.Context(), sql).Scan(&v); err != nil {
		t.Fatalf("%s: %v", sql, err)
	}
	return v
}

// fingerprint is a hash of all rows of a table.
func fingerprint(t *testing.T, conn *pgx.Conn, table string) string {
	return scan[string](t, conn, "select md5(string_agg(t::text, E'\\n' order by t::text collate \"C\")) from crm."+table+" t")
}

func tables() []string {
	return []string{"clients", "companies", "people", "conversations", "conversation_tags", "messages", "files"}
}

func TestTheSameSeedGivesTheSameRows(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	spec := Spec{Customers: Customers(3, 400, 4), Seed: 7, Files: Files{Server: "http://files.example.com", Folder: folder}}
	other := spec
	other.Seed = 8
	a, b, c := sample(t, spec), sample(t, spec), sample(t, other)
	for _, table := range tables() {
		if fingerprint(t, a, table) != fingerprint(t, b, table) {
			t.Errorf("%s differs though the seed is the same", table)
		}
		if fingerprint(t, a, table) == fingerprint(t, c, table) && table != "clients" {
			t.Errorf("%s is the same for another seed", table)
		}
	}
}

func TestFillingTwiceDoesNothingAndAnotherSampleIsRefused(t *testing.T) {
	t.Parallel()
	url := postgrestest.New(t)
	spec := Spec{Customers: Customers(2, 20, 3), Seed: 1}
	first, err := Fill(t.Context(), url, spec, nil)
	if err != nil || first.AlreadyThere || first.Tickets != 40 {
		t.Fatalf("%+v, %v", first, err)
	}
	conn := connect(t, url)
	before := fingerprint(t, conn, "messages")
	again, err := Fill(t.Context(), url, spec, nil)
	first.AlreadyThere = true
	if err != nil || again != first {
		t.Fatalf("%+v, %v; want %+v", again, err, first)
	}
	spec.Seed = 2
	if _, err := Fill(t.Context(), url, spec, nil); !errors.Is(err, ErrOtherSample) {
		t.Errorf("want ErrOtherSample, got %v", err)
	}
	if fingerprint(t, conn, "messages") != before {
		t.Error("the rows have changed")
	}
}

func TestAnInterruptedFillLeavesNothing(t *testing.T) {
	t.Parallel()
	url := postgrestest.New(t)
	ctx, cancel := context.WithCancel(t.Context())
	_, err := Fill(ctx, url, Spec{Customers: Customers(1, 20_000, 4), Seed: 1}, func(int, int) { cancel() })
	if !errors.Is(err, context.Canceled) {
		t.Fatalf("want the cancellation, got %v", err)
	}
	if !scan[bool](t, connect(t, url), "select to_regnamespace('crm') is null") {
		t.Error("the schema crm is there")
	}
}

func TestDefaultCustomersAreThoseOfTheDemo(t *testing.T) {
	t.Parallel()
	conn := sample(t, Spec{Customers: DefaultCustomers(), Seed: 1, Files: Files{Folder: t.TempDir()}})
	toCSV := 0
	for _, c := range DefaultCustomers() {
		if c.Destination == migration.DestinationCSV {
			toCSV++
		}
	}
	if toCSV != 4 {
		t.Errorf("%d customers to CSV, want 4", toCSV)
	}
	for what, want := range map[string]struct {
		sql         string
		least, most int64
	}{
		"customers":           {"select count(*) from farewell.customers", 12, 12},
		"tickets":             {"select count(*) from farewell.tickets", 15_342, 15_342},
		"comments":            {"select count(*) from farewell.comments", 50_000, 70_000},
		"smallest customer":   {"select min(n) from (select count(*) n from farewell.tickets group by customer_id) c", 10, 10},
		"largest customer":    {"select max(n) from (select count(*) n from farewell.tickets group by customer_id) c", 5_000, 5_000},
		"poisoned tickets":    {"select count(*) from farewell.tickets where tags && '{sandbox_poison}' and customer_id = 'vandelay'", 1, 1},
		"poisoned anywhere":   {"select count(*) from farewell.tickets where tags && '{sandbox_poison}' or subject ~ 'sandbox_poison'", 1, 1},
		"channels":            {"select count(distinct channel) from farewell.tickets where channel in ('chat', 'email', 'facebook', 'twitter')", 4, 4},
		"statuses":            {"select count(distinct status) from farewell.tickets where status in ('new', 'open', 'pending', 'hold', 'solved', 'closed')", 6, 6},
		"HTML bodies":         {"select count(*) from farewell.comments where body_format = 'html'", 5_000, 40_000},
		"internal notes":      {"select count(*) from farewell.comments where not public", 1_000, 20_000},
		"empty subjects":      {"select count(*) from farewell.tickets where subject = ''", 1_000, 9_000},
		"no subjects":         {"select count(*) from farewell.tickets where subject is null", 1_000, 9_000},
		"formulas":            {"select count(*) from farewell.comments where body ~ '^[=+@-]'", 100, 5_000},
		"CRLF":                {"select count(*) from farewell.comments where body ~ E'\\r\\n'", 1_000, 40_000},
		"long bodies":         {"select count(*) from farewell.comments where octet_length(body) > 20000", 10, 500},
		"bodies with a quote": {"select count(*) from farewell.comments where body ~ '[\",;]'", 1_000, 70_000},
		"Cyrillic":            {"select count(*) from farewell.comments where body ~ '[а-я]'", 500, 20_000},
		"Greek":               {"select count(*) from farewell.comments where body ~ '[α-ω]'", 300, 20_000},
		"Arabic":              {"select count(*) from farewell.comments where body ~ '[\u0627-\u064a]'", 300, 20_000},
		"Hebrew":              {"select count(*) from farewell.comments where body ~ '[\u05d0-\u05ea]'", 300, 20_000},
		"Chinese, Japanese":   {"select count(*) from farewell.comments where body ~ '[\u4e00-\u9fff]'", 500, 20_000},
		"Korean":              {"select count(*) from farewell.comments where body ~ '[\uac00-\ud7a3]'", 300, 20_000},
		"Hindi":               {"select count(*) from farewell.comments where body ~ '[\u0900-\u097f]'", 300, 20_000},
		"Thai":                {"select count(*) from farewell.comments where body ~ '[\u0e00-\u0e7f]'", 300, 20_000},
		"emoji":               {"select count(*) from farewell.comments where body ~ '[\U0001f300-\U0001faff]'", 500, 40_000},
		"attachments":         {"select count(*) from farewell.attachments", 500, 5_000},
		"staff as authors":    {"select count(*) from farewell.comments c join farewell.users u on u.id = c.author_id where u.role = 'agent'", 5_000, 60_000},
		"people without mail": {"select count(*) from farewell.users where email is null", 50, 1_000},
		"same mail, written differently": {`select count(*) from (select from farewell.users
			group by customer_id, lower(email) having count(distinct email) > 1) d`, 3, 100},
		"same mail, written alike": {`select count(*) from (select from farewell.users
			where email is not null group by customer_id, email having count(*) > 1) d`, 0, 0},
	} {
		if n := scan[int64](t, conn, want.sql); n < want.least || n > want.most {
			t.Errorf("%s: %d, want %d to %d", what, n, want.least, want.most)
		}
	}
}

// What Zendesk cuts, refuses or reorders must not be in the plain sample, so
// that it arrives as it is. The limits are those that Zendesk's users report:
// https://developer.zendesk.com/api-reference/ticketing/tickets/ticket_import/
func TestNoRowGoesBeyondZendesksLimits(t *testing.T) {
	t.Parallel()
	conn := sample(t, Spec{Customers: DefaultCustomers(), Seed: 3})
	for what, sql := range map[string]string{
		"blank body":                "farewell.comments where body !~ '[^[:space:]]' or body is null",
		"body beyond 60,000 bytes":  "farewell.comments where octet_length(body) > 60000",
		"space around a body":       "farewell.comments where body ~ '^[[:space:]\u0085\u00a0\u2028\u2029\u3000]|[[:space:]\u0085\u00a0\u2028\u2029\u3000]$'", // named, since [:space:] depends on the server's locale
		"subject beyond 255":        "farewell.tickets where char_length(subject) > 255",
		"name empty or beyond 255":  "farewell.users where name !~ '[^[:space:]]' or char_length(name) > 255",
		"organization without name": "farewell.organizations where name !~ '[^[:space:]]' or char_length(name) > 255",
		"organizations of one name": "(select from farewell.organizations group by customer_id, lower(name) having count(*) > 1) o",
		"tag that is not clean":     "farewell.tickets, unnest(tags) tag where tag !~ '^[a-z0-9_-]+$'",
		"label that is not clean":   "farewell.users, unnest(tags) tag where tag !~ '^[a-z0-9_-]+$'",
		"ticket without comment":    "farewell.tickets t where not exists (select from farewell.comments c where c.ticket_id = t.id)",
		"ticket not made with its first comment": `farewell.tickets t where created_at <>
			(select min(created_at) from farewell.comments c where c.ticket_id = t.id)`,
		"ticket updated before its last comment": `farewell.tickets t where updated_at <
			(select max(created_at) from farewell.comments c where c.ticket_id = t.id)`,
		"solved though not, or the other way": "farewell.tickets where (solved_at is not null) <> (status in ('solved', 'closed'))",
		"solved before the last comment, or after the update": `farewell.tickets t where solved_at > updated_at or solved_at <
			(select max(created_at) from farewell.comments c where c.ticket_id = t.id)`,
		"comments less than a second apart": `(select created_at - lag(created_at) over (partition by ticket_id order by id) as gap
			from farewell.comments) c where gap < interval '1 s'`,
		"time with a fraction": "farewell.comments where created_at <> date_trunc('second', created_at)",
		"time out of range": `(select created_at from farewell.comments union all select updated_at from farewell.tickets
			union all select created_at from farewell.users union all select updated_at from farewell.users
			union all select updated_at from farewell.organizations) d
			where created_at < '2015-01-01Z' or created_at >= '2026-01-01Z'`,
		"person of another customer": `farewell.comments c join farewell.users u on u.id = c.author_id
			where u.customer_id <> c.customer_id`,
		"author who is not there": "farewell.comments c left join farewell.users u on u.id = c.author_id where u.id is null",
		"note by a customer":      "farewell.comments c join farewell.users u on u.id = c.author_id where not public and u.role = 'end_user'",
	} {
		if n := scan[int64](t, conn, "select count(*) from "+sql); n != 0 {
			t.Errorf("%s: %d", what, n)
		}
	}
}

func TestSpecsThatContradictThemselvesAreRefused(t *testing.T) {
	t.Parallel()
	ok := CustomerSpec{ID: "a", Name: "A", Users: 3, CommentsPerTicket: 1}
	fewUsers, poison := ok, ok
	fewUsers.Users, poison.Poison = 2, true
	for name, customers := range map[string][]CustomerSpec{
		"nobody":              nil,
		"one id twice":        {ok, ok},
		"too few users":       {fewUsers},
		"poison, but nothing": {poison},
	} {
		if _, err := Fill(t.Context(), "", Spec{Customers: customers}, nil); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}

func BenchmarkFill100kTickets(b *testing.B) {
	for b.Loop() {
		if _, err := Fill(b.Context(), postgrestest.New(b), Spec{Customers: Customers(1, 100_000, 4), Seed: 1}, nil); err != nil {
			b.Fatal(err)
		}
	}
}
