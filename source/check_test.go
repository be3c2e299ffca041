package source

import (
	"strings"
	"testing"

	"farewell/sandbox/samplecrm"
)

// finding is the first finding that is not well; nil when all is.
func (f *fixture) finding(customer string) *Finding {
	f.t.Helper()
	for _, found := range must(f.Check(f.t.Context(), customer))(f.t) {
		if !found.OK {
			return &found
		}
	}
	return nil
}

func TestCheckFindsNothingWrongWithTheSampleCRM(t *testing.T) {
	t.Parallel()
	f := newSample(t, samplecrm.Customers(2, 300, 4))
	findings := must(f.Check(t.Context(), "customer-0001"))(t)
	if len(findings) != 14 {
		t.Errorf("%d findings, want the connection, 6 views, the customer, 5 plans and the ids: %+v", len(findings), findings)
	}
	for _, found := range findings {
		if !found.OK || found.Fix != "" {
			t.Errorf("%+v", found)
		}
	}
}

func TestCheckNamesWhatIsWrongAndHowToPutItRight(t *testing.T) {
	t.Parallel()
	const tickets = "alter table farewell.tickets "
	for name, c := range map[string]struct {
		sql      string
		customer string
		text     string
		fix      string
	}{
		"missing view":           {sql: "drop table farewell.comments", text: "view farewell.comments does not exist", fix: "create it"},
		"missing column":         {sql: tickets + "drop solved_at", text: "no column solved_at", fix: "null::timestamptz as solved_at"},
		"missing schema":         {sql: "drop schema farewell cascade", text: "view farewell.customers does not exist", fix: "create it"},
		"timestamp without zone": {sql: tickets + "alter created_at type timestamp", text: "timestamp without time zone", fix: "created_at at time zone 'UTC' as created_at"},
		"tags as text":           {sql: tickets + "alter tags type text", text: "column tags of view farewell.tickets is of type text", fix: "text[]"},
		"json, not jsonb":        {sql: tickets + "alter custom_fields type json", text: "of type json", fix: "jsonb"},
		"numeric id":             {sql: tickets + "alter id type numeric", text: "of type numeric", fix: "bigint, uuid or text"},
		"ids of two types":       {sql: "alter table farewell.comments alter ticket_id type text", text: "is of type text, but id of view tickets is of type bigint", fix: "the same type"},
		"unknown customer":       {customer: "acne", text: "no customer acne", fix: "spelling"},
		"customer twice":         {sql: "alter table farewell.customers drop constraint customers_pkey; insert into farewell.customers values ('acme', '')", text: "more than once", fix: "once"},
		"empty id": {sql: `alter table farewell.users alter id type text; insert into farewell.users (customer_id, id) values ('acme', '')`,
			text: "users.id", fix: "leave them out"},
		"row without ticket": {sql: `alter table farewell.comments drop constraint comments_pkey, alter ticket_id drop not null;
			insert into farewell.comments (customer_id, id) values ('acme', 1)`, text: "comments.ticket_id", fix: "leave them out"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := newFixture(t, "bigint")
			if c.sql != "" {
				f.exec(c.sql)
			}
			if c.customer == "" {
				c.customer = "acme"
			}
			found := f.finding(c.customer)
			if found == nil || !found.Fatal || found.Override != "" || !strings.Contains(found.Text, c.text) || !strings.Contains(found.Fix, c.fix) {
				t.Errorf("finding %+v", found)
			}
		})
	}
}

func TestCheckRefusesACollationThatTakesDifferentIDsForEqual(t *testing.T) {
	t.Parallel()
	f := newFixture(t, "text")
	f.exec(`create collation same (provider = icu, locale = 'und-u-ks-level2', deterministic = false);
		alter table farewell.tickets alter id type text collate same`)
	if found := f.finding("acme"); found == nil || !strings.Contains(found.Text, "different ids are equal") {
		t.Errorf("finding %+v", found)
	}
}

func TestCheckRefusesARoleThatMayNotRead(t *testing.T) {
	t.Parallel()
	f := newFixture(t, "bigint")
	role := "reader_" + strings.ReplaceAll(f.column("select current_database()::text")[0], "test_", "")
	f.exec("create role " + role + " login; grant usage on schema farewell to " + role +
		"; grant select on all tables in schema farewell to " + role + "; revoke select on farewell.users from " + role)
	t.Cleanup(func() { f.dropRole(role) })
	f.Source = f.open(Options{URL: strings.Replace(f.url, "postgres@", role+"@", 1)})
	found := f.finding("acme")
	if found == nil || found.Name != "source view users" || !strings.Contains(found.Fix, "grant") {
		t.Errorf("finding %+v", found)
	}
	_, err := f.Customers(t.Context())
	if err != nil {
		t.Error(err)
	}
	_, err = f.Page(t.Context(), PageQuery{Customer: "acme", Partition: users(), Limit: 1})
	f.wantPermanent(err, "permission denied", "grant", "users", "acme")
}

func TestCheckRefusesToPageThroughALargeTableWithoutAnIndex(t *testing.T) {
	t.Parallel()
	f := newFixture(t, "bigint")
	f.exec(`insert into farewell.tickets (customer_id, id) select 'c' || n % 300, n from generate_series(1, 120000) n;
		insert into farewell.customers values ('c1');
		insert into farewell.comments (customer_id, id, ticket_id) select 'c' || n % 300, n, n from generate_series(1, 120000) n;
		analyze farewell.tickets, farewell.comments`)
	if found := f.finding("c1"); found != nil {
		t.Fatalf("with the index: %+v", found)
	}

	f.exec("alter table farewell.comments drop constraint comments_pkey")
	found := f.finding("c1")
	if found == nil || !found.Fatal || found.Override != OverrideSlowSource || !strings.Contains(found.Text, "all of farewell.comments, about 120000 rows") {
		t.Fatalf("without the index of the comments: %+v", found)
	}
	f.exec(strings.Replace(found.Fix, "concurrently", "", 1)) // the fix can be run as it is
	if found := f.finding("c1"); found != nil {
		t.Fatalf("with the index that was asked for (%s): %+v", found.Fix, found)
	}

	f.exec("alter table farewell.tickets drop constraint tickets_pkey")
	found = f.finding("c1")
	if found == nil || found.Fix != `create index concurrently on "farewell"."tickets" ("customer_id", "id")` {
		t.Fatalf("without the index of the tickets: %+v", found)
	}

	// An index on the id alone leads past everybody else's rows.
	f.exec("create unique index on farewell.tickets (id); set enable_seqscan = off")
	s := f.open(Options{URL: f.url + "&enable_seqscan=off&enable_bitmapscan=off"})
	f.Source = s
	found = f.finding("c1")
	if found == nil || found.Override != OverrideSlowSource || !strings.Contains(found.Text, "index scan") {
		t.Fatalf("with an index on the id alone: %+v", found)
	}
}

func TestCheckAsksForTheIndexOnTheTableBehindTheView(t *testing.T) {
	t.Parallel()
	f := newFixture(t, "bigint")
	f.exec(`alter table farewell.tickets rename to "Conversations";
		alter table farewell."Conversations" set schema public;
		alter table "Conversations" rename id to "ticketNo";
		alter table "Conversations" drop constraint tickets_pkey;
		create view farewell.tickets as select customer_id, "ticketNo" as id, requester_id, submitter_id, organization_id, subject, status,
			priority, type, channel, tags, custom_fields, created_at, updated_at, solved_at from "Conversations";
		insert into "Conversations" (customer_id, "ticketNo") select 'c' || n % 300, n from generate_series(1, 120000) n;
		analyze "Conversations"`)
	found := f.finding("acme")
	if found == nil || found.Fix != `create index concurrently on "public"."Conversations" ("customer_id", "ticketNo")` {
		t.Errorf("finding %+v", found)
	}
}

func TestCheckAcceptsAViewThatShowsOneCustomerOnly(t *testing.T) {
	t.Parallel()
	f := newFixture(t, "bigint")
	f.exec(`alter table farewell.tickets rename to conversations;
		alter table farewell.conversations drop constraint tickets_pkey, add primary key (id);
		create view farewell.tickets as select 'acme'::text as customer_id, id, requester_id, submitter_id, organization_id, subject, status,
			priority, type, channel, tags, custom_fields, created_at, updated_at, solved_at from farewell.conversations where status is null;
		insert into farewell.conversations (customer_id, id) select '', n from generate_series(1, 120000) n;
		analyze farewell.conversations`)
	if found := f.finding("acme"); found != nil {
		t.Errorf("finding %+v", found)
	}
}
