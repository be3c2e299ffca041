package source

import (
	"slices"
	"testing"
)

func TestHardestNamesTheTicketsThatStandOut(t *testing.T) {
	t.Parallel()
	for idType, idOf := range idTypes() {
		t.Run(idType, func(t *testing.T) {
			t.Parallel()
			f := newFixture(t, idType)
			f.tickets("acme", 30, idOf)
			id := f.column("select id::text from farewell.tickets where customer_id = 'acme' order by created_at")
			f.exec("update farewell.comments set body = repeat('x', 500) where ticket_id::text = $1 and public", id[20])
			f.exec("delete from farewell.comments where ticket_id::text <> all($1) and not public", []string{id[10], id[20]})
			f.exec("update farewell.tickets set subject = 'שלום' where id::text = $1", id[25])
			f.exec("update farewell.tickets set subject = 'Ça va, Łódź' where id::text = $1", id[26])
			f.exec(`insert into farewell.attachments (customer_id, id, ticket_id)
				select t.customer_id, t.id, t.id from farewell.tickets t where t.customer_id = 'acme' and t.id::text = any($1)
				union all select t.customer_id, o.id, t.id from farewell.tickets t, farewell.tickets o where t.customer_id = 'acme' and t.id::text = $2`,
				[]string{id[11], id[12]}, id[15])
			got := must(f.Hardest(t.Context(), "acme", 1))(t)
			want := []string{id[0], id[15], id[20], id[25]} // of those with two comments, either
			first := must(f.Hardest(t.Context(), "acme", 3))(t)
			for _, w := range want {
				if !slices.Contains(got, w) {
					t.Errorf("hardest %v lack %s", got, w)
				}
				if at := slices.Index(first, w); at < 0 || at > 4 {
					t.Errorf("of the hardest %v, %s is not among the first", first, w)
				}
			}
			if slices.Contains(got, id[26]) || len(got) > 5 {
				t.Errorf("hardest %v; Latin letters of all languages are ordinary", got)
			}
			if none := must(f.Hardest(t.Context(), "acme", 0))(t); len(none) != 0 {
				t.Errorf("asked for none: %v", none)
			}
		})
	}
}

func TestHardestAreFoundWhereverTheyAre(t *testing.T) {
	t.Parallel()
	f := newFixture(t, "bigint")
	f.tickets("acme", 4000, "n") // of 8,000 comments
	f.tickets("small", 2, "n + 100000")
	f.exec("update farewell.comments set body = repeat('x', (random() * 1000)::int)")
	f.exec("delete from farewell.comments where not public and random() < 0.5")
	f.exec("update farewell.comments set body = null where ticket_id % 7 = 0 or ticket_id % 1000 in (3, 700)")
	add := "insert into farewell.comments select customer_id, 1000000 + id * 10 + k, ticket_id, null, true, body, 'plain', created_at from farewell.comments, generate_series(1, 3) k where public and ticket_id % 1000 = $1"
	f.exec(add, 3) // these have many comments that say nothing
	f.exec(add, 700)
	f.exec("update farewell.comments set body = repeat('x', 5000) where ticket_id in (1, 3999) and public")
	f.tickets("even", 40, "n + 200000") // the later the larger, the largest with one comment, the oldest among them
	f.exec("update farewell.comments set body = repeat('x', 10 * (ticket_id - 200000)::int) where customer_id = 'even'")
	f.exec("delete from farewell.comments where not public and ticket_id > 200030")
	f.exec("update farewell.comments set body = body || body || body where ticket_id > 200030")
	f.exec("update farewell.tickets set created_at = '1999-01-01Z' where id in (200010, 200011, 200012)")
	for customer, n := range map[string]int{"acme": 3, "small": 3, "even": 3} {
		got := must(f.Hardest(t.Context(), customer, n))(t)
		for _, order := range []string{"sum(octet_length(body)) desc nulls last", "count(*) desc"} {
			want := f.column("select c.ticket_id::text from farewell.comments c where customer_id = $1 group by c.ticket_id order by "+order+", c.ticket_id limit $2", customer, n)
			for _, w := range want {
				if !slices.Contains(got, w) {
					t.Errorf("of the first %v by %s, the hardest %v lack %s", want, order, got, w)
				}
			}
		}
		if len(got) > 3*n { // the oldest are the third kind that there is
			t.Errorf("hardest of %s: %v", customer, got)
		}
	}
}
