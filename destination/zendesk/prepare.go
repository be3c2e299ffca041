package zendesk

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"time"

	"farewell/destination"
	"farewell/migration"
)

// People lists who a page needs in the account: a ticket its requester,
// submitter, assignee, CCs and authors, and its organization; a user their
// organization, and where it is about what belongs to users, themselves.
func (a *Account) People(e migration.Entity, page migration.Page) (userIDs, organizationIDs []string) {
	users, organizations := newMentions(4*page.Len()), newMentions(page.Len())
	for i := range page.Users {
		u := &page.Users[i]
		if e != migration.Users {
			users.add(u.ID)
		}
		if e == migration.Suspensions {
			continue
		}
		organizations.addNamed(u.OrganizationID)
		if e == migration.Memberships {
			for _, id := range u.Organizations {
				organizations.addNamed(id)
			}
		}
	}
	for i := range page.Tickets {
		t := &page.Tickets[i]
		organizations.addNamed(t.OrganizationID)
		users.add(t.RequesterID)
		users.addNamed(t.SubmitterID) // without one it is the requester
		for _, id := range t.CCs {
			users.add(id)
		}
		users.addNamed(t.AssigneeID)
		for j := range t.Comments {
			users.add(t.Comments[j].AuthorID)
		}
	}
	return users.each(), organizations.each()
}

// Prepare decides what needs no sending, and encodes the rest. Users and
// organizations are looked up in the account by external id; by e-mail or name
// only when the account refuses to create them, which it does when somebody
// has theirs. People whom the Directory does not know are left out or stood
// in for: a comment by its ticket's requester, a requester by the first known
// author, else by the user whose credentials are in use.
func (a *Account) Prepare(ctx context.Context, in destination.PrepareInput) (destination.Parcel, error) {
	switch in.Entity {
	case migration.Organizations:
		return a.prepareOrganizations(ctx, in)
	case migration.Users:
		return a.prepareUsers(ctx, in)
	case migration.Memberships:
		return a.prepareMemberships(ctx, in)
	case migration.Suspensions:
		return a.prepareSuspensions(ctx, in)
	case migration.Tickets:
		return a.prepareTickets(ctx, in)
	}
	return destination.Parcel{}, &destination.Error{Op: "prepare " + string(in.Entity), Kind: destination.Refused, Code: "unknown entity"}
}

func (a *Account) prepareOrganizations(ctx context.Context, in destination.PrepareInput) (destination.Parcel, error) {
	records := in.Page.Organizations
	decided, err := a.decidePeople(ctx, in, func(i int) string { return nameKey(organizationName(&records[i])) })
	if err != nil {
		return destination.Parcel{}, err
	}
	parcel := destination.Parcel{Decided: decided.items, Single: in.Level == migration.SingleLevel}
	var send []migration.Organization
	for i := range records {
		if !decided.has[i] {
			send = append(send, records[i])
			parcel.Sent = append(parcel.Sent, records[i].ID)
		}
	}
	if len(send) > 0 {
		if parcel.Changes, err = a.mapOrganizations(ctx, in.Mapping, send); err != nil {
			return destination.Parcel{}, err
		}
		parcel.Changes = append(parcel.Changes, fitOrganizations(send, a.off)...)
		parcel.Body = encodeOrganizations(nil, send, a.prefix, parcel.Single)
	}
	return parcel, nil
}

func (a *Account) prepareUsers(ctx context.Context, in destination.PrepareInput) (destination.Parcel, error) {
	records := in.Page.Users
	decided, err := a.decidePeople(ctx, in, func(i int) string { return emailKey(records[i].Email) })
	if err != nil {
		return destination.Parcel{}, err
	}
	parcel := destination.Parcel{Decided: decided.items}
	send := make([]migration.User, 0, len(records)) // which are changed in place
	for i := range records {
		switch {
		case decided.has[i]:
		case isAgent(&records[i]) && !a.off[migration.RuleAgentReplaced]:
			item, changes, err := a.agents.represent(ctx, &records[i])
			if err != nil {
				return destination.Parcel{}, err
			}
			parcel.Decided = append(parcel.Decided, item)
			parcel.Changes = append(parcel.Changes, changes...)
		default:
			send = append(send, records[i])
			parcel.Sent = append(parcel.Sent, records[i].ID)
		}
	}
	parcel.Single = in.Level == migration.SingleLevel || len(send) == 1 && a.bulkUsersOff.Load()
	if len(send) == 0 {
		return parcel, nil
	}
	_, organizationIDs := a.People(in.Entity, migration.Page{Users: send})
	organizations, err := directory(ctx, in, migration.Organizations, organizationIDs)
	if err != nil {
		return destination.Parcel{}, err
	}
	changes, err := a.mapUsers(ctx, in.Mapping, send)
	if err != nil {
		return destination.Parcel{}, err
	}
	parcel.Changes = append(append(parcel.Changes, changes...), fitUsers(send, organizations, a.off)...)
	parcel.Body = encodeUsers(nil, send, organizations, a.prefix, parcel.Single)
	return parcel, nil
}

// decided are the records of a page that are there already.
type decided struct {
	items []migration.Item
	has   []bool // by place in the page
}

// decidePeople looks up by external id, and by key whoever shares theirs with
// a record brought a moment ago, or was refused before.
func (a *Account) decidePeople(ctx context.Context, in destination.PrepareInput, key func(i int) string) (decided, error) {
	e, sourceIDs := in.Entity, in.Page.IDs()
	there, err := a.census.present(ctx, in, sourceIDs)
	if err != nil {
		return decided{}, err
	}
	d := decided{has: make([]bool, len(sourceIDs))}
	for i, sourceID := range sourceIDs {
		target := string(there[sourceID].ID)
		if target == "" {
			target = a.recent.find(e, key(i))
		}
		if target == "" && a.recent.looksFirst(e, sourceID) {
			if target, err = a.byKey(ctx, e, key(i)); err != nil {
				return decided{}, err
			}
		}
		if target != "" {
			d.has[i] = true
			d.items = append(d.items, migration.Item{SourceID: sourceID, Outcome: migration.AlreadyThere, TargetID: target})
		}
	}
	return d, nil
}

func (a *Account) prepareTickets(ctx context.Context, in destination.PrepareInput) (destination.Parcel, error) {
	parcel := destination.Parcel{Single: in.Level == migration.SingleLevel}
	mapping, err := a.translation(ctx, in.Mapping)
	if err != nil {
		return parcel, err
	}
	var send []migration.Ticket
	send, parcel.Decided = sendable(in.Page.Tickets, mapping != nil)
	if len(send) == 0 {
		return parcel, nil
	}
	parcel.Sent = migration.Page{Tickets: send}.IDs()
	userIDs, organizationIDs := a.People(in.Entity, migration.Page{Tickets: send})
	users, err := directory(ctx, in, migration.Users, userIDs)
	if err != nil {
		return destination.Parcel{}, err
	}
	organizations, err := directory(ctx, in, migration.Organizations, organizationIDs)
	if err != nil {
		return destination.Parcel{}, err
	}
	memberships, err := directory(ctx, in, migration.Memberships, requesters(send))
	if err != nil {
		return destination.Parcel{}, err
	}
	self, err := a.self.get(ctx)
	if err != nil {
		return destination.Parcel{}, err
	}
	files, err := a.uploadFiles(ctx, in.OpenFile, send)
	if err != nil {
		return destination.Parcel{}, err
	}
	encode := EncodeInput{
		Tickets:       send,
		Users:         users,
		Organizations: organizations,
		Memberships:   memberships,
		Files:         files,
		Self:          self,
		Prefix:        a.prefix,
		Partition:     in.Partition,
		Single:        parcel.Single,
		Now:           a.clock.theirs(time.Now()),
		mapping:       mapping,
		Off:           a.off,
	}
	drafts := encode.drafts()
	if err := a.keepLeft(drafts); err != nil {
		return destination.Parcel{}, err
	}
	for i := range drafts {
		files.leave(drafts[i].left)
	}
	parcel.Files, parcel.Uploaded = files.fates, files.oldest
	parcel.Body, parcel.Changes = encode.appendDrafts(nil, drafts), changesOf(drafts)
	return parcel, nil
}

// sendable parts the tickets that are sent from those that have failed already.
// A mapping translates the former in place, so they are no longer the page's.
func sendable(tickets []migration.Ticket, mapped bool) (send []migration.Ticket, failed []migration.Item) {
	refused := map[string]bool{}
	for i := range tickets {
		if code, text := unsendable(&tickets[i], mapped); code != "" {
			refused[tickets[i].ID] = true
			failed = append(failed, migration.Item{SourceID: tickets[i].ID, Outcome: migration.Failed, Code: code, Text: text})
		}
	}
	if !mapped && len(failed) == 0 {
		return tickets, nil
	}
	return slices.DeleteFunc(slices.Clone(tickets), func(t migration.Ticket) bool { return refused[t.ID] }), failed
}

// unsendable tells why Zendesk would refuse a ticket in any case.
func unsendable(t *migration.Ticket, mapped bool) (code, text string) {
	if text := fieldsError(t.CustomFields, mapped); text != "" {
		return "custom_fields", text
	}
	return "", ""
}

func directory(ctx context.Context, in destination.PrepareInput, e migration.Entity, sourceIDs []string) (map[string]migration.Target, error) {
	if len(sourceIDs) == 0 {
		return nil, nil
	}
	found, err := in.Directory(ctx, e, sourceIDs)
	if err != nil {
		return nil, fmt.Errorf("look up %s in the directory: %w", e, err)
	}
	return found, nil
}

// selfID is the id of the user whose credentials are in use, asked for once.
type selfID struct {
	a  *Account
	mu sync.Mutex // held while asking
	id string
}

func newSelfID(a *Account) *selfID { return &selfID{a: a} }

func (s *selfID) get(ctx context.Context) (string, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.id != "" {
		return s.id, nil
	}
	me, err := s.a.me(ctx)
	if err != nil {
		return "", err
	}
	s.id = string(me.ID)
	return s.id, nil
}

func (a *Account) me(ctx context.Context) (listed, error) {
	var answer struct {
		User listed `json:"user"`
	}
	err := a.get(ctx, "look who we are", "/api/v2/users/me", nil, decodeInto(&answer))
	return answer.User, err
}
