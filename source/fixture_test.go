package source

import (
	"context"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"

	"farewell/integration/postgrestest"
	"farewell/migration"
	"farewell/sandbox/samplecrm"
)

// fixture is a source whose views are plain tables in the schema farewell.
type fixture struct {
	t    testing.TB
	url  string
	conn *pgx.Conn
	*Source
}

// newFixture creates the six views with ids of the given SQL type.
func newFixture(t testing.TB, idType string) *fixture {
	t.Helper()
	f := connect(t)
	f.exec(strings.ReplaceAll(schemaSQL, "ID", idType))
	f.Source = f.open(Options{})
	return f
}

// newSample is a source filled with sample customers.
func newSample(t testing.TB, customers []samplecrm.CustomerSpec) *fixture {
	t.Helper()
	f := connect(t)
	if _, err := samplecrm.Fill(t.Context(), f.url, samplecrm.Spec{Customers: customers, Seed: 1}, nil); err != nil {
		t.Fatal(err)
	}
	f.Source = f.open(Options{})
	return f
}

func connect(t testing.TB) *fixture {
	t.Helper()
	f := &fixture{t: t, url: postgrestest.New(t)}
	conn, err := pgx.Connect(t.Context(), f.url)
	if err != nil {
		t.Fatal(err)
	}
	f.conn = conn
	t.Cleanup(func() { _ = conn.Close(context.Background()) }) // the database goes away with it
	return f
}

// dropRole removes a role that a test has made; roles outlive databases.
func (f *fixture) dropRole(role string) {
	conn, err := pgx.Connect(context.Background(), f.url)
	if err != nil {
		f.t.Error(err)
		return
	}
	defer conn.Close(context.Background())
	for _, sql := range []string{"drop owned by " + role, "drop role " + role} {
		if _, err := conn.Exec(context.Background(), sql); err != nil {
			f.t.Error(err)
		}
	}
}

const schemaSQL = `
create schema farewell;
create table farewell.customers (id text primary key, name text);
create table farewell.organizations (customer_id text, id ID, name text, details text, notes text, tags text[],
  created_at timestamptz, updated_at timestamptz, primary key (customer_id, id));
create table farewell.users (customer_id text, id ID, organization_id ID, name text, email text, phone text, role text,
  time_zone text, locale text, tags text[], created_at timestamptz, updated_at timestamptz, primary key (customer_id, id));
create table farewell.tickets (customer_id text, id ID, requester_id ID, submitter_id ID, organization_id ID, subject text,
  status text, priority text, type text, channel text, tags text[], custom_fields jsonb,
  created_at timestamptz, updated_at timestamptz, solved_at timestamptz, primary key (customer_id, id));
create table farewell.comments (customer_id text, id ID, ticket_id ID, author_id ID, public bool, body text,
  body_format text, created_at timestamptz, primary key (customer_id, ticket_id, id));
create table farewell.attachments (customer_id text, id ID, ticket_id ID, comment_id ID, file_name text, content_type text,
  size bigint, url text, created_at timestamptz, primary key (customer_id, ticket_id, id));
insert into farewell.customers values ('acme', 'Acme Ltd'), ('empty', null);`

func (f *fixture) open(o Options) *Source {
	f.t.Helper()
	if o.URL == "" {
		o.URL = f.url
	}
	s, err := Open(f.t.Context(), o)
	if err != nil {
		f.t.Fatal(err)
	}
	f.t.Cleanup(s.Close)
	return s
}

// hold runs statements in a transaction of another session, which stays open
// until release.
func (f *fixture) hold(sql string) (release func()) {
	f.t.Helper()
	conn, err := pgx.Connect(f.t.Context(), f.url)
	if err != nil {
		f.t.Fatal(err)
	}
	if _, err := conn.Exec(f.t.Context(), "begin; "+sql); err != nil {
		f.t.Fatal(err)
	}
	return func() { _ = conn.Close(context.Background()) } // rolled back by it
}

func (f *fixture) exec(sql string, args ...any) {
	f.t.Helper()
	if _, err := f.conn.Exec(f.t.Context(), sql, args...); err != nil {
		f.t.Fatalf("%s: %v", sql, err)
	}
}

// column reads one column of text.
func (f *fixture) column(sql string, args ...any) []string {
	f.t.Helper()
	rows, err := f.conn.Query(f.t.Context(), sql, args...)
	if err != nil {
		f.t.Fatal(err)
	}
	list, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		f.t.Fatal(err)
	}
	return list
}

// tickets inserts n tickets with two comments each; idOf is SQL that makes the
// id of the n-th.
func (f *fixture) tickets(customer string, n int, idOf string) {
	f.t.Helper()
	f.exec(`insert into farewell.tickets
		select $1, `+idOf+`, null, null, null, 'Subject ' || n, 'open', null, null, 'email', '{a,b}', '{"1": "x"}',
		timestamptz '2020-01-01Z' + n * interval '1 s', '2021-01-01Z', null from generate_series(1, $2) n`, customer, n)
	f.exec(`insert into farewell.comments
		select $1, `+strings.ReplaceAll(idOf, "n", "(n*10+k)")+`, `+idOf+`, null, k = 1, 'Body ' || n || '.' || k, 'plain',
		timestamptz '2020-01-01Z' + k * interval '1 s' from generate_series(1, $2) n, generate_series(1, 2) k`, customer, n)
}

// must is the value, when there is no error.
func must[T any](v T, err error) func(testing.TB) T {
	return func(t testing.TB) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}

// walk reads a partition page by page and returns the ids.
func (f *fixture) walk(customer string, p migration.Partition, limit int) []string {
	f.t.Helper()
	var ids []string
	after := ""
	for {
		page := must(f.Page(f.t.Context(), PageQuery{Customer: customer, Partition: p, After: after, Limit: limit}))(f.t)
		ids = append(ids, page.IDs()...)
		if !page.More {
			return ids
		}
		after = page.Last
	}
}

func (f *fixture) wantPermanent(err error, words ...string) {
	f.t.Helper()
	if !Permanent(err) {
		f.t.Fatalf("want a permanent error, got %v", err)
	}
	for _, w := range words {
		if !strings.Contains(err.Error(), w) {
			f.t.Errorf("want %q in %q", w, err)
		}
	}
}

func tickets(after, upTo string) migration.Partition {
	return migration.Partition{ID: "tickets-0001", Entity: migration.Tickets, After: after, UpTo: upTo}
}

func users() migration.Partition {
	return migration.Partition{ID: "users-0001", Entity: migration.Users}
}

func organizations() migration.Partition {
	return migration.Partition{ID: "organizations-0001", Entity: migration.Organizations}
}

func idTypes() map[string]string {
	return map[string]string{
		"bigint":                  "n",
		"int":                     "n",
		"uuid":                    "md5((n)::text)::uuid",
		"text":                    "'T-' || (n)",
		`text collate "en-x-icu"`: "(array['a','B','ä','É','_','-'])[1+(n)%6] || (n)",
		"varchar(40)":             "upper(md5((n)::text))",
	}
}
