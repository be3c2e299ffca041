package source

import (
	"fmt"
	"reflect"
	"slices"
	"testing"

	"farewell/migration"
)

// optionalSQL adds the columns that a view may do without, with the ids' type.
func optionalSQL(idType string) string {
	return `alter table farewell.organizations add organization_fields jsonb;
		alter table farewell.users add organization_ids ` + idType + `[], add emails text[], add phones text[],
			add user_fields jsonb, add suspended boolean;
		alter table farewell.tickets add cc_ids ` + idType + `[], add assignee_id ` + idType + `, add group_name text, add brand_name text`
}

func of(e migration.Entity) migration.Partition {
	return migration.Partition{ID: migration.PartitionID(e, 1), Entity: e}
}

func TestOptionalColumnsAreRead(t *testing.T) {
	t.Parallel()
	for idType, id := range map[string]func(n int) string{
		"bigint": func(n int) string { return fmt.Sprint(n) },
		"uuid":   func(n int) string { return fmt.Sprintf("00000000-0000-0000-0000-%012d", n) },
		"text":   func(n int) string { return fmt.Sprintf("p,%q", fmt.Sprint(n)) },
	} {
		t.Run(idType, func(t *testing.T) {
			t.Parallel()
			f := newFixture(t, idType)
			f.exec(optionalSQL(idType))
			f.exec(`insert into farewell.organizations (customer_id, id, organization_fields) values ('acme', $1, '{"region": "emea"}')`, id(1))
			f.exec(`insert into farewell.users (customer_id, id, organization_ids, emails, phones, user_fields, suspended)
				values ('acme', $1, array[$2, $3]::`+idType+`[], '{b@x.example}', '{+1,+2}', '{"tier": 1}', true), ('acme', $4, null, null, null, null, null)`,
				id(1), id(2), id(3), id(2))
			page := must(f.Page(t.Context(), PageQuery{Customer: "acme", Partition: users(), Limit: 5}))(t)
			want := []migration.User{
				{ID: id(1), Organizations: []string{id(2), id(3)}, Emails: []string{"b@x.example"}, Phones: []string{"+1", "+2"}, Fields: []byte(`{"tier": 1}`), Suspended: true},
				{ID: id(2)},
			}
			if !reflect.DeepEqual(page.Users, want) {
				t.Errorf("users are %+v, want %+v", page.Users, want)
			}
			page = must(f.Page(t.Context(), PageQuery{Customer: "acme", Partition: organizations(), Limit: 5}))(t)
			if got := string(page.Organizations[0].Fields); got != `{"region": "emea"}` {
				t.Errorf("organization fields are %s", got)
			}
			f.exec(`insert into farewell.tickets (customer_id, id, cc_ids) values ('acme', $1, array[$2, $1]::`+idType+`[])`, id(1), id(2))
			page = must(f.Page(t.Context(), PageQuery{Customer: "acme", Partition: tickets("", ""), Limit: 5}))(t)
			if got := page.Tickets[0].CCs; !slices.Equal(got, []string{id(2), id(1)}) {
				t.Errorf("CCs are %q", got)
			}
			f.exec(`insert into farewell.tickets (customer_id, id, assignee_id, group_name, brand_name) values ('acme', $1, $2, 'Billing', 'Acme')`, id(7), id(2))
			page = must(f.Page(t.Context(), PageQuery{Customer: "acme", Partition: of(migration.Tickets), Limit: 5}))(t)
			if ticket := page.Tickets[1]; ticket.AssigneeID != id(2) || ticket.Group != "Billing" || ticket.Brand != "Acme" {
				t.Errorf("the ticket is %+v", ticket)
			}
			columns := must(f.Columns(t.Context()))(t)["users"]
			if !slices.Contains(columns, migration.Column{Name: "organization_ids", Type: migration.ColumnArray}) {
				t.Errorf("a bundle's columns are %v", columns)
			}
		})
	}
}

func TestViewsWithoutTheOptionalColumnsHaveNobodyToBringForThem(t *testing.T) {
	t.Parallel()
	f := newFixture(t, "bigint")
	f.exec(`insert into farewell.users (customer_id, id) values ('acme', 1)`)
	for _, e := range []migration.Entity{migration.Memberships, migration.Suspensions} {
		if cut := must(f.Cut(t.Context(), "acme", e, 10))(t); len(cut) != 0 {
			t.Errorf("%s: partitions %v", e, cut)
		}
		if n := must(f.Count(t.Context(), "acme", e))(t); n != 0 {
			t.Errorf("%s: %d are counted", e, n)
		}
		if page := must(f.Page(t.Context(), PageQuery{Customer: "acme", Partition: of(e), Limit: 5}))(t); page.Len() != 0 {
			t.Errorf("%s: page %+v", e, page)
		}
		// By id everybody is there: an organization of theirs may be asked for.
		if page := must(f.Page(t.Context(), PageQuery{Customer: "acme", Partition: of(e), IDs: []string{"1", "2"}}))(t); page.Len() != 1 {
			t.Errorf("%s: by id %+v", e, page)
		}
	}
	for _, c := range must(f.Columns(t.Context()))(t)["users"] {
		if c.Name == "suspended" {
			t.Error("a bundle has the column suspended, which the view does not")
		}
	}
}

func TestRangesOfMembershipsAndSuspensionsHoldOnlyWhoHasAny(t *testing.T) {
	t.Parallel()
	f := newFixture(t, "bigint")
	f.exec(optionalSQL("bigint"))
	f.exec(`insert into farewell.users (customer_id, id, organization_ids, suspended)
		select 'acme', n, case n % 3 when 0 then array[7, 8] when 1 then '{}'::bigint[] end, n % 4 = 0 from generate_series(1, 24) n`)
	for e, want := range map[migration.Entity][]string{
		migration.Memberships: {"3", "6", "9", "12", "15", "18", "21", "24"},
		migration.Suspensions: {"4", "8", "12", "16", "20", "24"},
	} {
		if got := f.walk("acme", of(e), 4); !slices.Equal(got, want) {
			t.Errorf("%s: pages hold %v, want %v", e, got, want)
		}
		if n := must(f.Count(t.Context(), "acme", e))(t); n != int64(len(want)) {
			t.Errorf("%s: %d are counted, want %d", e, n, len(want))
		}
		var listed []string
		for _, r := range must(f.IDs(t.Context(), "acme", of(e)))(t) {
			listed = append(listed, r.ID)
		}
		if !slices.Equal(listed, want) {
			t.Errorf("%s: ids are %v, want %v", e, listed, want)
		}
		if cut := must(f.Cut(t.Context(), "acme", e, 5))(t); len(cut) != 2 || cut[0].Rows != 5 || cut[1].UpTo != "" {
			t.Errorf("%s: cut into %+v", e, cut)
		}
	}
	if cut := must(f.Cut(t.Context(), "empty", migration.Suspensions, 5))(t); len(cut) != 1 || cut[0].Rows != 0 {
		t.Errorf("nobody is suspended yet, and the partition for whoever will be is %+v", cut)
	}
}

// A request takes 100 memberships, so the users of a page have no more.
func TestAPageOfMembershipsFitsIntoOneRequest(t *testing.T) {
	t.Parallel()
	f := newFixture(t, "bigint")
	f.exec(optionalSQL("bigint"))
	f.exec(`insert into farewell.users (customer_id, id, organization_ids)
		select 'acme', n, (select array_agg(k) from generate_series(1, case when n = 3 then 250 else 39 end) k) from generate_series(1, 5) n`)
	var sizes []int
	for after, more := "", true; more; {
		page := must(f.Page(t.Context(), PageQuery{Customer: "acme", Partition: of(migration.Memberships), After: after, Limit: 100}))(t)
		sizes = append(sizes, page.Len())
		after, more = page.Last, page.More
	}
	if want := []int{2, 1, 2}; !slices.Equal(sizes, want) {
		t.Errorf("pages hold %v users, want %v", sizes, want)
	}
}

func TestOptionalColumnsOfAWrongTypeAreRefused(t *testing.T) {
	t.Parallel()
	f := newFixture(t, "bigint")
	f.exec("alter table farewell.users add organization_ids text")
	_, err := f.Page(t.Context(), PageQuery{Customer: "acme", Partition: users(), Limit: 1})
	f.wantPermanent(err, "organization_ids", "bigint[], uuid[] or text[]")
}
