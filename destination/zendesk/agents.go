package zendesk

import (
	"context"
	"net/url"
	"sync"
	"time"

	"farewell/destination"
	"farewell/migration"
)

// agents knows the account's agents and admins by e-mail address. Agents of the
// source are mapped to them and never created: each takes a seat, which costs
// money.
type agents struct {
	a       *Account
	standIn string // e-mail key of whoever stands for those who are not there; empty: the user whose credentials are in use

	mu      sync.Mutex // held while asking
	byEmail map[string]string
	at      time.Time
}

func isAgent(u *migration.User) bool { return u.Role == "agent" || u.Role == "admin" }

// represent decides who an agent of the source is in the account: whoever has
// their e-mail address there, else the one who stands in, which is listed.
func (g *agents) represent(ctx context.Context, u *migration.User) (migration.Item, []migration.Change, error) {
	item := migration.Item{SourceID: u.ID, Outcome: migration.AlreadyThere}
	key := emailKey(u.Email)
	var err error
	if item.TargetID, err = g.find(ctx, key); err != nil || item.TargetID != "" {
		item.Agent = item.TargetID != ""
		return item, nil, err
	}
	if item.TargetID, err = g.a.byKey(ctx, migration.Users, key); err != nil || item.TargetID != "" {
		return item, nil, err
	}
	if item.TargetID, err = g.substitute(ctx); err != nil {
		return item, nil, err
	}
	return item, []migration.Change{{
		Entity: migration.Users, SourceID: u.ID, Field: "id", Rule: migration.RuleAgentReplaced,
		Before: migration.HashText(u.ID), After: migration.HashText(item.TargetID),
	}}, nil
}

// substitute is who stands for agents that the account does not have.
func (g *agents) substitute(ctx context.Context) (string, error) {
	if g.standIn != "" {
		id, err := g.find(ctx, g.standIn)
		if err != nil || id != "" {
			return id, err
		}
	}
	return g.a.self.get(ctx)
}

// checkAgent looks for the agent who stands for those whom the account does not
// have.
func (a *Account) checkAgent(ctx context.Context, _ destination.PreflightInput) (destination.Check, error) {
	c := destination.Check{Name: "agent", OK: true, Fatal: true}
	if a.agents.standIn == "" {
		c.Text = "for agents of the source who are none in the account, the user whose credentials are in use stands in"
		return c, nil
	}
	id, err := a.agents.find(ctx, a.agents.standIn)
	if err != nil {
		return readable("agent", "the list of agents", err)
	}
	c.Text = "for agents of the source who are none in the account, user " + id + " stands in"
	if id == "" {
		c.OK = false
		c.Text = "the account has no agent with the e-mail address that the accounts file names"
		c.Fix = "correct the column agent of the account's line, or leave it empty for the user whose credentials are in use"
	}
	return c, nil
}

// find returns the agent with the address, or "". Agents may be hired while a
// migration runs, so whoever is not there is asked for again after a while.
func (g *agents) find(ctx context.Context, key string) (string, error) {
	if key == "" {
		return "", nil
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	if id := g.byEmail[key]; id != "" {
		return id, nil
	}
	if g.byEmail == nil || time.Since(g.at) > g.a.timings.LookupEvery {
		if err := g.read(ctx); err != nil {
			return "", err
		}
	}
	return g.byEmail[key], nil
}

// read lists the account's agents and admins.
// https://developer.zendesk.com/api-reference/ticketing/users/users/#list-users
func (g *agents) read(ctx context.Context) error {
	found := map[string]string{}
	query := url.Values{"role[]": {"agent", "admin"}, "page[size]": {"100"}}
	for {
		var list struct {
			Users []listed `json:"users"`
			Meta  meta     `json:"meta"`
		}
		if err := g.a.get(ctx, "list the agents", "/api/v2/users", query, decodeInto(&list)); err != nil {
			return err
		}
		for _, u := range list.Users {
			if key := emailKey(u.Email); key != "" && u.ID.positive() && !u.Suspended {
				found[key] = string(u.ID)
			}
		}
		next, err := list.Meta.next("list the agents")
		if err != nil {
			return err
		}
		if next == "" {
			g.byEmail, g.at = found, time.Now()
			return nil
		}
		query.Set("page[after]", next)
	}
}
