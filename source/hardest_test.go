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
