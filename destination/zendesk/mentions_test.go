package zendesk

import (
	"maps"
	"math/rand/v2"
	"slices"
	"strconv"
	"testing"

	"farewell/migration"
)

func TestPeopleListsWhomAPageNamesOnce(t *testing.T) {
	t.Parallel()
	r := rand.New(rand.NewPCG(1, 2))
	some := func() string { return strconv.Itoa(r.IntN(50)) }
	perhaps := func() string { return []string{"", some()}[r.IntN(2)] }
	var page migration.Page
	users, organizations := map[string]bool{}, map[string]bool{}
	for range 100 {
		ticket := migration.Ticket{RequesterID: perhaps(), SubmitterID: perhaps(), AssigneeID: perhaps(), OrganizationID: perhaps(), CCs: []string{some(), some()}}
		for range r.IntN(8) {
			ticket.Comments = append(ticket.Comments, migration.Comment{AuthorID: perhaps()})
			users[ticket.Comments[len(ticket.Comments)-1].AuthorID] = true
		}
		users[ticket.RequesterID], users[ticket.CCs[0]], users[ticket.CCs[1]] = true, true, true
		for _, id := range []string{ticket.SubmitterID, ticket.AssigneeID} {
			if id != "" {
				users[id] = true
			}
		}
		if ticket.OrganizationID != "" {
			organizations[ticket.OrganizationID] = true
		}
		page.Tickets = append(page.Tickets, ticket)
	}
	named, of := new(Account).People(migration.Tickets, page)
	for _, c := range []struct {
		got  []string
		want map[string]bool
	}{{named, users}, {of, organizations}} {
		slices.Sort(c.got)
		if want := slices.Sorted(maps.Keys(c.want)); !slices.Equal(c.got, want) {
			t.Errorf("%v, want %v", c.got, want)
		}
	}
}
