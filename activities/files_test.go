package activities

import (
	"fmt"
	"reflect"
	"testing"

	"farewell/migration"
)

func TestABatchHasSoManyFilesAtMost(t *testing.T) {
	t.Parallel()
	for name, row := range map[string]struct {
		files []int   // of each ticket
		want  [][]int // places in the page
	}{
		"no ticket":                       {nil, [][]int{nil}},
		"no files":                        {[]int{0, 0}, [][]int{{0, 1}}},
		"as many as fit":                  {[]int{60, 40}, [][]int{{0, 1}}},
		"more":                            {[]int{60, 41, 59, 1}, [][]int{{0}, {1, 2}, {3}}},
		"one ticket with more":            {[]int{150}, [][]int{{0}}},
		"one with more before others":     {[]int{150, 1}, [][]int{{0}, {1}}},
		"one with more between others":    {[]int{1, 150, 1}, [][]int{{0}, {1}, {2}}},
		"tickets without any beside many": {[]int{100, 0, 0, 1}, [][]int{{0, 1, 2}, {3}}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			page := migration.Page{Last: "the page's own", More: true}
			for i, n := range row.files {
				ticket := migration.Ticket{ID: fmt.Sprint(i)}
				for range n {
					ticket.Attachments = append(ticket.Attachments, migration.Attachment{})
				}
				page.Tickets = append(page.Tickets, ticket)
			}
			parts := byFiles(page)
			var got [][]int
			for _, part := range parts {
				var places []int
				for i := range part.Tickets {
					var place int
					_, _ = fmt.Sscan(part.Tickets[i].ID, &place)
					places = append(places, place)
				}
				got = append(got, places)
				if !part.More {
					t.Error("a part ends the range, which goes on")
				}
			}
			if !reflect.DeepEqual(got, row.want) {
				t.Errorf("parts %v, want %v", got, row.want)
			}
			for i, part := range parts[:len(parts)-1] {
				if part.Last != part.Tickets[len(part.Tickets)-1].ID {
					t.Errorf("part %d ends at %s", i, part.Last)
				}
			}
			if last := parts[len(parts)-1]; last.Last != page.Last {
				t.Errorf("the last part ends at %s, want where the page does", last.Last)
			}
		})
	}
}
