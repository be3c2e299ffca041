package zendesk

import (
	"context"
	"net/url"
	"slices"
	"strings"
	"sync"

	"farewell/migration"
)

// byExternalIDs finds users or organizations of ours, by source id.
// https://developer.zendesk.com/api-reference/ticketing/users/users/#show-many-users
func (a *Account) byExternalIDs(ctx context.Context, e migration.Entity, sourceIDs []string) (map[string]listed, error) {
	found := make(map[string]listed, len(sourceIDs))
	for chunk := range slices.Chunk(sourceIDs, bulkLimit) {
		ids := make([]string, len(chunk))
		for i, sourceID := range chunk {
			ids[i] = ExternalID(a.prefix, sourceID)
		}
		records, err := a.list(ctx, e, "/show_many", url.Values{"external_ids": {strings.Join(ids, ",")}})
		if err != nil {
			return nil, err
		}
		for _, r := range records {
			if sourceID, ok := SourceID(a.prefix, r.ExternalID); ok && r.ID.positive() {
				found[sourceID] = r
			}
		}
	}
	return found, nil
}

// list fetches users, organizations or tickets.
func (a *Account) list(ctx context.Context, e migration.Entity, path string, query url.Values) ([]listed, error) {
	var lists struct {
		Users         []listed `json:"users"`
		Organizations []listed `json:"organizations"`
		Tickets       []listed `json:"tickets"`
	}
	err := a.get(ctx, "look up "+string(e), "/api/v2/"+string(e)+path, query, decodeInto(&lists))
	if err != nil {
		return nil, err
	}
	switch e {
	case migration.Users:
		return lists.Users, nil
	case migration.Organizations:
		return lists.Organizations, nil
	}
	return lists.Tickets, nil
}

// alreadyThere looks for each refused user by e-mail and for each refused
// organization by name: whoever has it is mapped, and never changed. The keys
// are those of the request; without them the records are left to be looked up
// by Prepare, and so is whoever shares a key with a record that another job has
// perhaps just brought, which a search may not show yet.
func (a *Account) alreadyThere(ctx context.Context, jobID string, e migration.Entity, items []migration.Item, keys map[string]string) ([]migration.Item, error) {
	if e == migration.Tickets || !slices.ContainsFunc(items, refused) {
		return items, nil
	}
	if keys == nil {
		for i := range items {
			a.leaveToPrepare(e, &items[i])
		}
		return items, nil
	}
	underWay := sync.OnceValue(func() map[string]bool { return a.keysUnderWay(e, jobID) })
	for i := range items {
		if !refused(items[i]) {
			continue
		}
		key := keys[items[i].SourceID]
		target, err := a.byKey(ctx, e, key)
		switch {
		case err != nil:
			return nil, err
		case target != "":
			items[i] = migration.Item{SourceID: items[i].SourceID, Outcome: migration.AlreadyThere, TargetID: target}
		case underWay()[key] || a.recent.find(e, key) != "": // the other's result may have been read meanwhile
			a.leaveToPrepare(e, &items[i])
		}
	}
	return items, nil
}

// keysUnderWay are the keys of whom the other jobs bring, whose results nobody
// has read so far.
func (a *Account) keysUnderWay(e migration.Entity, jobID string) map[string]bool {
	keys := map[string]bool{}
	for _, body := range a.jobs.otherBodies(jobID) {
		for _, key := range bodyKeys(e, body, a.prefix) {
			if key != "" {
				keys[key] = true
			}
		}
	}
	return keys
}

func refused(i migration.Item) bool { return i.Outcome == migration.Failed }

// leaveToPrepare sends who was refused to another batch, once.
func (a *Account) leaveToPrepare(e migration.Entity, item *migration.Item) {
	if refused(*item) && !a.recent.looksFirst(e, item.SourceID) {
		a.recent.lookFirst(e, item.SourceID)
		*item = migration.Item{SourceID: item.SourceID, Outcome: migration.NotSent}
	}
}

// byKey finds who has the e-mail address or organization name; "" for nobody.
func (a *Account) byKey(ctx context.Context, e migration.Entity, key string) (target string, err error) {
	if key == "" {
		return "", nil
	}
	if target = a.recent.find(e, key); target != "" {
		return target, nil
	}
	if e == migration.Users {
		return a.byEmail(ctx, key)
	}
	return a.byName(ctx, key)
}

// byName: the name must match exactly, without case
// (https://developer.zendesk.com/api-reference/ticketing/organizations/organizations/#search-organizations).
func (a *Account) byName(ctx context.Context, key string) (string, error) {
	found, err := a.list(ctx, migration.Organizations, "/search", url.Values{"name": {key}})
	if err != nil {
		return "", err
	}
	for _, o := range found {
		if nameKey(o.Name) == key && o.ID.positive() {
			return string(o.ID), nil
		}
	}
	return "", nil
}

// emailHits is how many users found for an address are looked at closer.
const emailHits = 3

// byEmail looks for the address among the users' own, then among the further
// ones of those that the search shows.
func (a *Account) byEmail(ctx context.Context, key string) (string, error) {
	if strings.ContainsAny(key, "\" \t\n") {
		return "", nil // no address, and no part of a query
	}
	found, err := a.list(ctx, migration.Users, "/search", url.Values{"query": {"email:" + key}})
	if err != nil {
		return "", err
	}
	for _, u := range found {
		if emailKey(u.Email) == key && u.ID.positive() {
			return string(u.ID), nil
		}
	}
	for _, u := range found[:min(len(found), emailHits)] {
		has, err := a.hasIdentity(ctx, string(u.ID), key)
		if err != nil {
			return "", err
		}
		if has {
			return string(u.ID), nil
		}
	}
	return "", nil
}

func (a *Account) hasIdentity(ctx context.Context, userID, key string) (bool, error) {
	var list struct {
		Identities []struct{ Type, Value string }
	}
	err := a.get(ctx, "look up a user's identities", "/api/v2/users/"+url.PathEscape(userID)+"/identities", nil, decodeInto(&list))
	if err != nil {
		return false, err
	}
	for _, i := range list.Identities {
		if i.Type == "email" && emailKey(i.Value) == key {
			return true, nil
		}
	}
	return false, nil
}
