package source

import (
	"reflect"
	"slices"
	"testing"
	"time"

	"farewell/migration"
)

func TestPagesAndPartitionsHoldEveryIDOnceInTheSourcesOwnOrder(t *testing.T) {
	t.Parallel()
	for idType, idOf := range idTypes() {
		t.Run(idType, func(t *testing.T) {
			t.Parallel()
			f := newFixture(t, idType)
			f.tickets("acme", 103, idOf)
			f.tickets("empty", 3, idOf) // another customer's rows between
			want := f.column("select id::text from farewell.tickets v where customer_id = 'acme' order by v.id")

			partitions := must(f.Cut(t.Context(), "acme", migration.Tickets, 20))(t)
			if len(partitions) != 6 || partitions[5].UpTo != "" || partitions[5].Rows != 3 || partitions[0].Rows != 20 {
				t.Fatalf("partitions %+v", partitions)
			}
			var paged, listed []string
			for _, p := range partitions {
				paged = append(paged, f.walk("acme", p, 7)...)
				for _, l := range must(f.IDs(t.Context(), "acme", p))(t) {
					listed = append(listed, l.ID)
				}
			}
			if !slices.Equal(paged, want) {
				t.Errorf("paged\n%v, want\n%v", paged, want)
			}
			if !slices.Equal(listed, want) {
				t.Errorf("listed\n%v, want\n%v", listed, want)
			}
			if n := must(f.Count(t.Context(), "acme", migration.Tickets))(t); n != 103 {
				t.Errorf("count %d", n)
			}
			picked := must(f.Page(t.Context(), PageQuery{Customer: "acme", Partition: tickets("", ""), IDs: []string{want[40], want[3]}}))(t)
			if !slices.Equal(picked.IDs(), []string{want[3], want[40]}) || picked.More {
				t.Errorf("picked %v, more %t; want %v", picked.IDs(), picked.More, []string{want[3], want[40]})
			}
		})
	}
}

func TestARangeHoldsItsUpperEndAndNotItsLower(t *testing.T) {
	t.Parallel()
	f := newFixture(t, "bigint")
	f.tickets("acme", 12, "n")
	for name, c := range map[string]struct {
		p    migration.Partition
		want []string
	}{
		"both ends":                {tickets("3", "5"), []string{"4", "5"}},
		"from the start":           {tickets("", "2"), []string{"1", "2"}},
		"to the end":               {tickets("10", ""), []string{"11", "12"}},
		"between the ids":          {tickets("12", "100"), nil},
		"by number, not by letter": {tickets("9", "11"), []string{"10", "11"}},
	} {
		if got := f.walk("acme", c.p, 1); !slices.Equal(got, c.want) {
			t.Errorf("%s: %v, want %v", name, got, c.want)
		}
	}
}

func TestCutFillsPartitionsExactlyAndLeavesTheLastOneOpen(t *testing.T) {
	t.Parallel()
	f := newFixture(t, "bigint")
	f.tickets("acme", 6, "n")
	for name, c := range map[string]struct {
		customer string
		size     int
		want     []migration.Partition
	}{
		"even": {"acme", 3, []migration.Partition{
			{ID: "tickets-0001", Entity: migration.Tickets, UpTo: "3", Rows: 3},
			{ID: "tickets-0002", Entity: migration.Tickets, After: "3", Rows: 3},
		}},
		"uneven": {"acme", 4, []migration.Partition{
			{ID: "tickets-0001", Entity: migration.Tickets, UpTo: "4", Rows: 4},
			{ID: "tickets-0002", Entity: migration.Tickets, After: "4", Rows: 2},
		}},
		"one":     {"acme", 10, []migration.Partition{{ID: "tickets-0001", Entity: migration.Tickets, Rows: 6}}},
		"no rows": {"empty", 10, []migration.Partition{{ID: "tickets-0001", Entity: migration.Tickets}}},
	} {
		got := must(f.Cut(t.Context(), c.customer, migration.Tickets, c.size))(t)
		if !slices.Equal(got, c.want) {
			t.Errorf("%s: %+v, want %+v", name, got, c.want)
		}
	}
}

func TestARowBehindTheCursorIsMissingFromThePagesAndInTheList(t *testing.T) {
	t.Parallel()
	f := newFixture(t, "bigint")
	f.tickets("acme", 4, "n * 10")
	first := must(f.Page(t.Context(), PageQuery{Customer: "acme", Partition: tickets("", ""), Limit: 2}))(t)
	f.exec("insert into farewell.tickets (customer_id, id, created_at) values ('acme', 15, now()), ('acme', 25, now())")
	second := must(f.Page(t.Context(), PageQuery{Customer: "acme", Partition: tickets("", ""), After: first.Last, Limit: 9}))(t)
	if want := []string{"25", "30", "40"}; !slices.Equal(second.IDs(), want) || second.More {
		t.Errorf("second page %v, want %v", second.IDs(), want)
	}
	if listed := must(f.IDs(t.Context(), "acme", tickets("", "")))(t); len(listed) != 6 || listed[1].ID != "15" {
		t.Errorf("listed %+v", listed)
	}
}

func TestAPageShowsEveryColumn(t *testing.T) {
	t.Parallel()
	f := newFixture(t, "bigint")
	f.exec(`insert into farewell.organizations values ('acme', 1, 'Org', 'd', 'n', '{"a b",c}', '2020-01-02 03:04:05.678901+02', '2021-01-01Z');
		insert into farewell.users values ('acme', 2, 1, 'Žofie', 'Z@x.example', '+1', 'agent', 'Europe/Prague', 'cs', '{}', '2020-01-01Z', '2021-01-01Z');
		insert into farewell.users (customer_id, id) values ('acme', 3);
		insert into farewell.tickets values ('acme', 10, 2, 3, 1, 'Hi', 'solved', 'high', 'task', 'chat', '{x,null,y}', '{"7": [1, "é"]}',
			'2020-01-01Z', '2021-01-01Z', '2020-06-01Z');
		insert into farewell.tickets (customer_id, id) values ('acme', 11);
		insert into farewell.comments values ('acme', 102, 10, 2, true, 'second', 'html', '2020-01-02Z'),
			('acme', 101, 10, 3, false, E'first\r\n"', 'plain', '2020-01-01Z'), ('acme', 103, 10, null, null, null, null, null);
		insert into farewell.attachments values ('acme', 1001, 10, 102, 'a.pdf', 'application/pdf', 5000000000, 'https://x.example/a', '2020-02-01Z'),
			('acme', 1002, 10, null, null, null, null, null, null)`)
	page := func(p migration.Partition) migration.Page {
		got := must(f.Page(t.Context(), PageQuery{Customer: "acme", Partition: p, Limit: 10}))(t)
		if age := time.Since(got.ReadAt); age < -time.Minute || age > time.Minute || got.ReadAt.Location() != time.UTC {
			t.Errorf("read at %s", got.ReadAt)
		}
		got.ReadAt = time.Time{}
		return got
	}
	at := func(year, month int) time.Time { return time.Date(year, time.Month(month), 1, 0, 0, 0, 0, time.UTC) }
	for name, c := range map[string]struct{ got, want migration.Page }{
		"organizations": {page(organizations()), migration.Page{Last: "1", Organizations: []migration.Organization{{
			ID: "1", Name: "Org", Details: "d", Notes: "n", Tags: []string{"a b", "c"},
			CreatedAt: time.Date(2020, 1, 2, 1, 4, 5, 678901000, time.UTC), UpdatedAt: at(2021, 1),
		}}}},
		"users": {page(users()), migration.Page{Last: "3", Users: []migration.User{{
			ID: "2", OrganizationID: "1", Name: "Žofie", Email: "Z@x.example", Phone: "+1", Role: "agent", TimeZone: "Europe/Prague",
			Locale: "cs", CreatedAt: at(2020, 1), UpdatedAt: at(2021, 1),
		}, {ID: "3"}}}},
		"tickets": {page(tickets("", "")), migration.Page{Last: "11", Tickets: []migration.Ticket{{
			ID: "10", RequesterID: "2", SubmitterID: "3", OrganizationID: "1", Subject: "Hi", Status: "solved", Priority: "high", Type: "task",
			Channel: "chat", Tags: []string{"x", "y"}, CustomFields: []byte(`{"7": [1, "é"]}`),
			CreatedAt: at(2020, 1), UpdatedAt: at(2021, 1), SolvedAt: at(2020, 6),
			Comments: []migration.Comment{
				{ID: "101", AuthorID: "3", Body: "first\r\n\"", CreatedAt: at(2020, 1), Attachments: []migration.Attachment{{ID: "1002", TicketID: "10"}}},
				{ID: "102", AuthorID: "2", Public: true, HTML: true, Body: "second", CreatedAt: at(2020, 1).AddDate(0, 0, 1), Attachments: []migration.Attachment{
					{ID: "1001", TicketID: "10", FileName: "a.pdf", ContentType: "application/pdf", Size: 5_000_000_000, URL: "https://x.example/a", CreatedAt: at(2020, 2)},
				}},
				{ID: "103"},
			},
		}, {ID: "11"}}}},
	} {
		if !reflect.DeepEqual(c.got, c.want) {
			t.Errorf("%s:\n%+v, want\n%+v", name, c.got, c.want)
		}
	}
}

func TestAPageIsCutAt8MBAndHoldsOneTicketAtLeast(t *testing.T) {
	t.Parallel()
	f := newFixture(t, "bigint")
	f.tickets("acme", 6, "n")
	// Bodies that compress well: what counts is their size in memory.
	f.exec(`update farewell.comments set body = repeat('é', 1500000) where ticket_id in (1, 2, 3, 5, 6);
		update farewell.comments set body = repeat('x', 5000000) where ticket_id = 4`)
	var pages [][]string
	after, more := "", true
	for more {
		page := must(f.Page(t.Context(), PageQuery{Customer: "acme", Partition: tickets("", ""), After: after, Limit: 100}))(t)
		pages = append(pages, page.IDs())
		for _, ticket := range page.Tickets {
			if len(ticket.Comments) != 2 {
				t.Errorf("ticket %s has %d comments", ticket.ID, len(ticket.Comments))
			}
		}
		after, more = page.Last, page.More
	}
	want := [][]string{{"1"}, {"2"}, {"3"}, {"4"}, {"5"}, {"6"}}
	if !reflect.DeepEqual(pages, want) {
		t.Errorf("pages %v, want %v", pages, want)
	}
	f.exec("update farewell.comments set body = 'x' where ticket_id <> 4")
	page := must(f.Page(t.Context(), PageQuery{Customer: "acme", Partition: tickets("", ""), IDs: []string{"1", "2", "4", "5"}}))(t)
	if !slices.Equal(page.IDs(), []string{"1", "2"}) || !page.More {
		t.Errorf("picked %v, more %t: want 1 and 2, and more", page.IDs(), page.More)
	}
	page = must(f.Page(t.Context(), PageQuery{Customer: "acme", Partition: tickets("", ""), IDs: []string{"1", "2", "4", "5"}, After: "4"}))(t)
	if !slices.Equal(page.IDs(), []string{"5"}) || page.More {
		t.Errorf("picked after 4: %v, more %t", page.IDs(), page.More)
	}
}

func TestPagesOfNothingAreEmpty(t *testing.T) {
	t.Parallel()
	f := newFixture(t, "uuid")
	for _, q := range []PageQuery{
		{Customer: "empty", Partition: tickets("", ""), Limit: 5},
		{Customer: "nobody", Partition: users(), Limit: 5},
		{Customer: "acme", Partition: tickets("", ""), IDs: []string{"00000000-0000-0000-0000-000000000000"}},
		{Customer: "acme", Partition: migration.OnDemand(migration.Users), Limit: 5},
	} {
		page := must(f.Page(t.Context(), q))(t)
		if page.Len() != 0 || page.More || page.Last != "" {
			t.Errorf("%+v: %+v", q, page)
		}
	}
	if listed := must(f.IDs(t.Context(), "acme", migration.OnDemand(migration.Users)))(t); len(listed) != 0 {
		t.Errorf("listed %v", listed)
	}
}

func TestCustomersAreListedInOrder(t *testing.T) {
	t.Parallel()
	f := newFixture(t, "bigint")
	got := must(f.Customers(t.Context()))(t)
	if want := []Customer{{"acme", "Acme Ltd"}, {"empty", ""}}; !slices.Equal(got, want) {
		t.Errorf("%v, want %v", got, want)
	}
	if age := time.Since(must(f.Now(t.Context()))(t)); age < -time.Minute || age > time.Minute {
		t.Errorf("the source's clock is %s behind", age)
	}
}

func TestCustomerIDsMayBeNumbersToo(t *testing.T) {
	t.Parallel()
	f := newFixture(t, "bigint")
	f.exec("delete from farewell.customers; alter table farewell.customers alter id type bigint using 0")
	for _, v := range views()[1:] {
		f.exec("alter table farewell." + v.name + " alter customer_id type int using 0")
	}
	f.tickets("7", 3, "n")
	if got := f.walk("7", tickets("", ""), 2); len(got) != 3 {
		t.Errorf("%v", got)
	}
	_, err := f.Count(t.Context(), "acme", migration.Tickets)
	f.wantPermanent(err, `"acme"`, "not a bigint")
}
