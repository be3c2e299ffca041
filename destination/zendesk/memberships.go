package zendesk

import (
	"context"
	"net/url"
	"slices"
	"strings"
	"sync"

	"farewell/destination"
	"farewell/migration"
)

// requestMemberships is the most memberships of one request
// (https://developer.zendesk.com/api-reference/ticketing/organizations/organization_memberships/#create-many-memberships).
const requestMemberships = 100

// joining is one user of a request for memberships.
type joining struct {
	user string   // the target's id
	held []string // organizations that the user is in already
	lack []string // organizations that the request is for
}

// joinings remembers, by source id, what the requests for memberships were
// for: their results tell neither user nor organization. Who is not in it any
// more is prepared again, which does no harm: nobody can be in an organization
// twice.
type joinings struct {
	mu sync.Mutex
	of map[string]joining
}

func (j *joinings) add(sourceID string, to joining) {
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.of == nil {
		j.of = map[string]joining{}
	}
	j.of[sourceID] = to
}

// take returns what the request for these users was for, once.
func (j *joinings) take(sourceIDs []string) []joining {
	j.mu.Lock()
	defer j.mu.Unlock()
	var all []joining
	for _, id := range sourceIDs {
		to, ok := j.of[id]
		delete(j.of, id)
		if ok {
			all = append(all, to)
		}
	}
	return all
}

// prepareMemberships asks in which organizations the users of the page are, and
// encodes a request for the others. Whoever was in the account before us stays
// as they are.
func (a *Account) prepareMemberships(ctx context.Context, in destination.PrepareInput) (destination.Parcel, error) {
	m, err := a.openMemberships(ctx, in)
	if err != nil {
		return destination.Parcel{}, err
	}
	for i := range in.Page.Users {
		if err := m.user(ctx, &in.Page.Users[i]); err != nil {
			return destination.Parcel{}, err
		}
	}
	if len(m.parcel.Sent) > 0 {
		m.body = append(m.body, "]}"...)
		m.parcel.Body = m.body
	}
	return m.parcel, nil
}

// memberships makes the request for a page.
type memberships struct {
	a             *Account
	users         map[string]migration.Target // by source id
	organizations map[string]migration.Target // by source id
	there         map[string]listed           // users, by target id
	parcel        destination.Parcel
	body          []byte
	n             int // memberships in it
}

func (a *Account) openMemberships(ctx context.Context, in destination.PrepareInput) (*memberships, error) {
	m := &memberships{a: a, body: []byte(`{"organization_memberships":[`)}
	userIDs, organizationIDs := a.People(in.Entity, in.Page)
	var err error
	if m.users, err = directory(ctx, in, migration.Users, userIDs); err != nil {
		return nil, err
	}
	if m.organizations, err = directory(ctx, in, migration.Organizations, organizationIDs); err != nil {
		return nil, err
	}
	m.there, err = a.usersByID(ctx, m.users)
	return m, err
}

// usersByID looks at users as they are in the account, by target id.
func (a *Account) usersByID(ctx context.Context, targets map[string]migration.Target) (map[string]listed, error) {
	ids := make([]string, 0, len(targets))
	for _, t := range targets {
		ids = append(ids, t.ID)
	}
	slices.Sort(ids)
	there := make(map[string]listed, len(ids))
	for chunk := range slices.Chunk(slices.Compact(ids), bulkLimit) {
		users, err := a.list(ctx, migration.Users, "/show_many", url.Values{"ids": {strings.Join(chunk, ",")}})
		if err != nil {
			return nil, err
		}
		for _, u := range users {
			there[string(u.ID)] = u
		}
	}
	return there, nil
}

func (m *memberships) user(ctx context.Context, u *migration.User) error {
	record, ok := m.there[m.users[u.ID].ID]
	if !ok {
		m.decide(migration.Item{SourceID: u.ID, Outcome: migration.Skipped, Code: "user_not_there", Text: "the user is not in the account"})
		return nil
	}
	to := joining{user: string(record.ID)}
	if record.OrganizationID != "" {
		to.held = []string{string(record.OrganizationID)}
	}
	wanted := m.wanted(u)
	if _, ours := SourceID(m.a.prefix, record.ExternalID); ours {
		to.lack = without(wanted, to.held)
	} else if len(without(wanted, to.held)) > 0 {
		var err error
		if to.held, err = m.a.organizationsOf(ctx, to.user); err != nil {
			return err
		}
	}
	if len(to.lack) == 0 {
		m.leave(u, to.held, nil)
		m.decide(migration.Item{SourceID: u.ID, Outcome: migration.AlreadyThere, TargetID: organizationList(to.held)})
		return nil
	}
	to.lack = to.lack[:min(len(to.lack), requestMemberships)]
	m.send(u, to)
	return nil
}

func (m *memberships) decide(item migration.Item) { m.parcel.Decided = append(m.parcel.Decided, item) }

// wanted are the user's organizations in the account, the first one first.
func (m *memberships) wanted(u *migration.User) []string {
	var wanted []string
	for _, id := range append([]string{u.OrganizationID}, u.Organizations...) {
		if t := m.organizations[id]; t.ID != "" && !slices.Contains(wanted, t.ID) {
			wanted = append(wanted, t.ID)
		}
	}
	return wanted
}

func (m *memberships) send(u *migration.User, to joining) {
	for _, organization := range to.lack {
		if m.n++; m.n > 1 {
			m.body = append(m.body, ',')
		}
		o := beginObject(m.body)
		o.id("user_id", to.user)
		o.id("organization_id", organization)
		m.body = o.end()
	}
	m.leave(u, to.held, to.lack)
	m.a.joinings.add(u.ID, to)
	m.parcel.Sent = append(m.parcel.Sent, u.ID)
}

// leave lists the organizations of the user that stay without them: those that
// are not in the account, and where the user was there before us.
func (m *memberships) leave(u *migration.User, held, joined []string) {
	for _, id := range u.Organizations {
		t := m.organizations[id].ID
		if t == "" || !slices.Contains(held, t) && !slices.Contains(joined, t) {
			m.parcel.Changes = append(m.parcel.Changes, migration.Change{
				Entity: migration.Memberships, SourceID: u.ID, Field: "organization_ids", Part: id,
				Rule: migration.RuleOrganizationLeft, Before: migration.HashText(id), After: migration.HashText(""),
			})
		}
	}
}

// organizationList is the target id of memberships: the organizations' ids
// with commas between them, or "-" for none.
func organizationList(ids []string) string {
	if len(ids) == 0 {
		return "-"
	}
	return strings.Join(ids, ",")
}

func without(all, some []string) []string {
	return slices.DeleteFunc(slices.Clone(all), func(id string) bool { return slices.Contains(some, id) })
}

// organizationsOf lists the organizations that a user is in, the default one
// first.
// https://developer.zendesk.com/api-reference/ticketing/organizations/organization_memberships/#list-memberships
func (a *Account) organizationsOf(ctx context.Context, userID string) ([]string, error) {
	const op = "look up a user's organizations"
	var ids []string
	query := url.Values{"page[size]": {"100"}}
	for {
		var list struct {
			Memberships []struct {
				OrganizationID id `json:"organization_id"`
			} `json:"organization_memberships"`
			Meta meta `json:"meta"`
		}
		err := a.get(ctx, op, "/api/v2/users/"+url.PathEscape(userID)+"/organization_memberships", query, decodeInto(&list))
		if err != nil {
			return nil, err
		}
		for _, m := range list.Memberships {
			ids = append(ids, string(m.OrganizationID))
		}
		next, err := list.Meta.next(op)
		if err != nil || next == "" {
			return ids, err
		}
		query.Set("page[after]", next)
	}
}

// membershipItems tells the fate of each user's memberships. Results are in
// the order of the request. Of whom one was refused, the account is asked: most
// likely the user was in that organization already.
func (a *Account) membershipItems(ctx context.Context, results []jobResult, sent []string) ([]migration.Item, error) {
	all := a.joinings.take(sent)
	asked := 0
	for _, to := range all {
		asked += len(to.lack)
	}
	items := make([]migration.Item, len(sent))
	if len(all) != len(sent) || asked != len(results) {
		for i, id := range sent {
			items[i] = migration.Item{SourceID: id, Outcome: migration.NotSent}
		}
		return items, nil
	}
	for i, to := range all {
		item, err := a.membershipItem(ctx, sent[i], to, results[:len(to.lack)])
		if err != nil {
			for k := i; k < len(all); k++ { // the results are read again
				a.joinings.add(sent[k], all[k])
			}
			return nil, err
		}
		items[i], results = item, results[len(to.lack):]
	}
	return items, nil
}

func (a *Account) membershipItem(ctx context.Context, sourceID string, to joining, results []jobResult) (migration.Item, error) {
	item := migration.Item{SourceID: sourceID, Outcome: migration.Created, TargetID: organizationList(append(to.held, to.lack...))}
	at := slices.IndexFunc(results, func(r jobResult) bool { return r.failed() })
	if at < 0 {
		return item, nil
	}
	held, err := a.organizationsOf(ctx, to.user)
	if err != nil {
		return item, err
	}
	item.TargetID = organizationList(held)
	if lack := without(to.lack, held); len(lack) > 0 {
		failed := results[at].item(sourceID)
		failed.Text = "organization " + strings.Join(lack, ", ") + " of the account: " + failed.Text
		return failed, nil
	}
	if !slices.ContainsFunc(results, func(r jobResult) bool { return !r.failed() }) {
		item.Outcome = migration.AlreadyThere // none of them was made now
	}
	return item, nil
}

// requesters are those of tickets that have an organization.
func requesters(tickets []migration.Ticket) []string {
	var ids []string
	for i := range tickets {
		if t := &tickets[i]; t.OrganizationID != "" && t.RequesterID != "" {
			ids = append(ids, t.RequesterID)
		}
	}
	slices.Sort(ids)
	return slices.Compact(ids)
}
