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
			got := must(f.Hardest(t.Context(), "acme", 1))(t)
			slices.Sort(got)
			want := []string{id[0], id[20], id[25]} // of those with two comments, either
			for _, w := range want {
				if !slices.Contains(got, w) {
					t.Errorf("hardest %v lack %s", got, w)
				}
			}
			if slices.Contains(got, id[26]) || len(got) > 4 {
				t.Errorf("hardest %v; Latin letters of all languages are ordinary", got)
			}
			if none := must(f.Hardest(t.Context(), "acme", 0))(t); len(none) != 0 {
				t.Errorf("asked for none: %v", none)
			}
		})
	}
}
