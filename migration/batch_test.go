package migration

import "testing"

// An intent that an older version wrote must meet itself.
func TestABatchKeepsItsIDOverVersions(t *testing.T) {
	t.Parallel()
	m := Migration{Customer: "acme", Destination: DestinationZendesk, Account: "acme-1"}
	if got := BatchID(m, "tickets-0001", 2, 1, []string{"1", `a "b"`, "ä\u2028\x00\xff"}); got != "d8407ee94cbeb41031440eeaf9e360e4" {
		t.Errorf("the id is %s", got)
	}
}

func TestAPageIsWithoutTheRecordsNamed(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		name    string
		without map[string]bool
		want    string
	}{
		{"none of them", map[string]bool{"9": true}, "1 2 3 "},
		{"some", map[string]bool{"1": true, "3": true}, "2 "},
		{"all", map[string]bool{"1": true, "2": true, "3": true}, ""},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			page := Page{Tickets: []Ticket{{ID: "1"}, {ID: "2"}, {ID: "3"}}, Last: "3"}
			got := ""
			for _, id := range page.Without(row.without).IDs() {
				got += id + " "
			}
			if got != row.want || page.Len() != 3 || page.Tickets[0].ID != "1" {
				t.Errorf("left %q of %v, want %q", got, page.IDs(), row.want)
			}
		})
	}
}
