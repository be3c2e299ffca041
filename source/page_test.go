package source

import (
	"slices"
	"testing"

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
		})
	}
}
