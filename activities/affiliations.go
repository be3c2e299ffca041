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
	var tickets []*migration.Ticket // those that have both in the account
	for i := range page.Tickets {
		t := &page.Tickets[i]
		requester := found[migration.Users][t.RequesterID]
		if requester.ID != "" && !requester.Placeholder && found[migration.Organizations][t.OrganizationID].ID != "" {
			tickets = append(tickets, t)
		}
	}
	if err := l.learnHomes(tickets); err != nil {
		return err
	}
	of := make(map[string]migration.Target, len(tickets))
	found[migration.Memberships] = of
	var asked []string
	for _, t := range tickets {
		of[t.RequesterID] = migration.Target{ID: found[migration.Organizations][l.homes[t.RequesterID]].ID}
		if !l.loners[t.RequesterID] && (l.homes[t.RequesterID] != t.OrganizationID || !found[migration.Users][t.RequesterID].Made) {
			asked = append(asked, t.RequesterID)
		}
	}
	slices.Sort(asked)
	settled := map[string]migration.Target{}
	if err := l.acquaint(migration.Memberships, slices.Compact(asked), settled); err != nil {
		return err
	}
	for _, id := range asked {
		if settled[id].ID == "" {
			l.loners[id] = true
		}
		organizations := strings.Split(settled[id].ID, ",")
		if home := of[id].ID; home != "" && found[migration.Users][id].Made && !slices.Contains(organizations, home) {
			organizations = append([]string{home}, organizations...)
		}
		of[id] = migration.Target{ID: strings.Join(organizations, ",")}
	}
	return nil
}

// learnHomes reads the first organizations of the tickets' requesters at the
// source.
func (l *lane) learnHomes(tickets []*migration.Ticket) error {
	if len(l.homes) > homesKept {
		clear(l.homes)
	}
	missing := map[string]bool{}
	for _, t := range tickets {
		if _, ok := l.homes[t.RequesterID]; !ok {
			missing[t.RequesterID] = true
		}
	}
	ids := keys(missing)
	for after, more := "", len(ids) > 0; more; {
		page, err := l.a.Source.Page(l.feedCtx, source.PageQuery{
			Customer: l.in.Migration.Customer, Partition: migration.OnDemand(migration.Users), IDs: ids, After: after,
		})
		if err != nil {
			return fmt.Errorf("read the organizations of %d requesters: %w", len(ids), err)
		}
		for i := range page.Users {
			l.homes[page.Users[i].ID] = page.Users[i].OrganizationID
		}
		after, more = page.Last, page.More
	}
	return nil
}

// homesKept bounds the memory that a lane's homes take.
const homesKept = 20_000
