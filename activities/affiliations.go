package activities

import (
	"fmt"
	"slices"
	"strings"

	"farewell/migration"
	"farewell/source"
)

// affiliate finds, of each ticket with an organization, in which organizations
// its requester is: Zendesk refuses the ticket when that is none of them. Of
// whoever was made by this migration and is asked for their first organization
// that is known without a look; anybody else's are settled now, unless they are
// already.
func (l *lane) affiliate(page migration.Page, found map[migration.Entity]map[string]migration.Target) error {
	tickets := make([]*migration.Ticket, 0, len(page.Tickets)) // those that have both in the account
	for i := range page.Tickets {
		t := &page.Tickets[i]
		requester := found[migration.Users][t.RequesterID]
		if requester.ID != "" && !requester.Placeholder && found[migration.Organizations][t.OrganizationID].ID != "" {
			tickets = append(tickets, t)
		}
	}
	home, err := l.learnHomes(tickets)
	if err != nil {
		return err
	}
	of := make(map[string]migration.Target, len(tickets))
	found[migration.Memberships] = of
	var asked []string
	for _, t := range tickets {
		made := found[migration.Users][t.RequesterID].Made
		of[t.RequesterID] = migration.Target{} // in none
		if made {
			of[t.RequesterID] = migration.Target{ID: found[migration.Organizations][home[t.RequesterID].ID].ID}
		}
		if !l.loners[t.RequesterID] && (home[t.RequesterID].ID != t.OrganizationID || !made) {
			asked = append(asked, t.RequesterID)
		}
	}
	slices.Sort(asked)
	asked = l.people.find(strangers, slices.Compact(asked), map[string]migration.Target{})
	if len(asked) == 0 {
		return nil
	}
	settled := map[string]migration.Target{}
	if err := l.acquaint(migration.Memberships, asked, settled); err != nil {
		return err
	}
	alone := map[string]migration.Target{}
	for _, id := range asked {
		if settled[id].ID == "" {
			if found[migration.Users][id].Made {
				l.loners[id] = true
			} else {
				alone[id] = migration.Target{}
			}
			continue
		}
		organizations := strings.Split(settled[id].ID, ",")
		if home := of[id].ID; home != "" && !slices.Contains(organizations, home) {
			organizations = append([]string{home}, organizations...)
		}
		of[id] = migration.Target{ID: strings.Join(organizations, ",")}
	}
	l.people.keep(strangers, alone)
	return nil
}

// strangers are people who were in the account before and are in none of their
// organizations there: nobody changes that, so a directory keeps it.
const strangers migration.Entity = "strangers"

// homes are the first organizations of requesters, by source ids: what a
// directory keeps beside what belongs to the account.
const homes migration.Entity = "homes"

// learnHomes finds the first organizations of the tickets' requesters: those
// that they were sent with, or at the source where another worker sent them or
// an earlier run.
func (l *lane) learnHomes(tickets []*migration.Ticket) (map[string]migration.Target, error) {
	requesters := make([]string, 0, len(tickets))
	for _, t := range tickets {
		requesters = append(requesters, t.RequesterID)
	}
	found := make(map[string]migration.Target, len(tickets))
	ids := l.people.find(homes, requesters, found)
	slices.Sort(ids)
	ids = slices.Compact(ids)
	for after, more := "", len(ids) > 0; more; {
		page, err := l.a.Source.Page(l.feedCtx, source.PageQuery{
			Customer: l.in.Migration.Customer, Partition: migration.OnDemand(migration.Users), IDs: ids, After: after,
		})
		if err != nil {
			return nil, fmt.Errorf("read the organizations of %d requesters: %w", len(ids), err)
		}
		for i := range page.Users {
			found[page.Users[i].ID] = migration.Target{ID: page.Users[i].OrganizationID}
		}
		l.people.keepHomes(page.Users)
		after, more = page.Last, page.More
	}
	return found, nil
}
