package main

import (
	"context"
	"fmt"
	"strings"

	"farewell/integration/roundtrip/judge"
)

// crowd are the people of an account, beside those of the source.
type crowd struct {
	world    judge.World
	byMail   map[string]string         // address → id in the account
	byName   map[string]string         // an organization's → likewise
	brought  map[string]map[string]any // entity and source id → as the account shows them
	changes  map[string][]judge.Change // by entity and source id
	replaced int                       // agents for whom another stands in
}

func newCrowd(who judge.World) crowd {
	return crowd{world: who, byMail: map[string]string{}, byName: map[string]string{}, brought: map[string]map[string]any{}, changes: map[string][]judge.Change{}}
}

func key(entity, sourceID string) string { return entity + "/" + sourceID }

// read lists users and organizations.
func (c *crowd) read(ctx context.Context, r reader) error {
	users, err := r.list(ctx, "users", "users")
	if err != nil {
		return err
	}
	for _, u := range users {
		id := fmt.Sprint(u["id"])
		if u["organization_id"] != nil {
			c.world.Home[id] = fmt.Sprint(u["organization_id"])
		}
		mail, _ := u["email"].(string)
		c.byMail[strings.ToLower(mail)] = id
		if source, ours := sourceID(u); ours && source != "unknown-person" {
			c.world.Users[source], c.brought[key("users", source)] = id, u
		} else if ours {
			c.world.StandIns[id] = true
		}
	}
	organizations, err := r.list(ctx, "organizations", "organizations")
	if err != nil {
		return err
	}
	for _, o := range organizations {
		name, _ := o["name"].(string)
		c.byName[strings.ToLower(name)] = fmt.Sprint(o["id"])
		if source, ours := sourceID(o); ours {
			c.world.Organizations[source], c.brought[key("organizations", source)] = fmt.Sprint(o["id"]), o
		}
	}
	me, err := r.get(ctx, "users/me")
	if err != nil {
		return err
	}
	self, _ := me["user"].(map[string]any)
	c.world.StandIns[fmt.Sprint(self["id"])] = true
	return nil
}

// merge finds those who are registered twice, and are there once. It counts the
// staff who are not there.
func (c *crowd) merge(people []person) (seatless int) {
	for _, p := range people {
		if id, ok := c.byMail[p.mail]; ok && c.world.Users[p.ID] == "" && p.mail != "" {
			c.world.Users[p.ID] = id
		}
		if id, ok := c.byName[strings.ToLower(strings.TrimSpace(p.Name))]; ok && p.Entity == "organizations" && c.world.Organizations[p.ID] == "" {
			c.world.Organizations[p.ID] = id
		}
		if p.staff && c.world.Users[p.ID] == "" {
			seatless++
		}
	}
	return seatless
}

// take sorts the list of changes.
func (c *crowd) take(list []judge.Change) {
	for _, change := range list {
		switch {
		case change.Entity == "tickets":
			c.world.Changes[change.SourceID] = append(c.world.Changes[change.SourceID], change)
		case change.Rule == "agent_replaced":
			c.replaced++
			for id := range c.world.StandIns {
				if change.After == judge.Hash(id) {
					c.world.Users[change.SourceID] = id
				}
			}
		default:
			at := key(change.Entity, change.SourceID)
			c.changes[at] = append(c.changes[at], change)
		}
	}
}

// judge compares each whom we brought, and finds who is not there.
func (c *crowd) judge(people []person) tally {
	t := tally{replaced: c.replaced, rules: map[string]int{}}
	for _, p := range people {
		at := key(p.Entity, p.ID)
		changes := c.changes[at]
		delete(c.changes, at)
		got := c.brought[at]
		switch {
		case got != nil && p.staff:
			t.unlisted = append(t.unlisted, p.Entity+" "+p.ID+": is of the staff, of whom none is made")
		case got != nil:
			v := judge.JudgePerson(c.world, p.Person, got, changes)
			t.add(tally{people: 1, fields: v.Fields, listed: v.Listed, unlisted: v.Unlisted})
		case p.Entity == "organizations" && c.world.Organizations[p.ID] != "":
			changes = nil // several have one name: what would have been changed for the others went out with them
		case p.Entity == "organizations" || c.world.Users[p.ID] == "":
			t.unlisted = append(t.unlisted, p.Entity+" "+p.ID+": is not there")
		case len(changes) > 0:
			t.unlisted = append(t.unlisted, p.Entity+" "+p.ID+": changes are listed, and another stands for them")
		}
		for _, change := range changes {
			t.rules[change.Rule]++
		}
	}
	if c.replaced > 0 {
		t.rules["agent_replaced"] = c.replaced
	}
	for at := range c.changes {
		t.unlisted = append(t.unlisted, at+": changes are listed, and the source has no such record")
	}
	return t
}
