package zendesk

import (
	"context"
	"fmt"
	"sync"

	"farewell/destination"
	"farewell/mapping"
	"farewell/migration"
)

// translations are the mappings made ready for an account, by their hashes.
// A run keeps its mapping, so there are as many as there were different ones.
type translations struct {
	mu sync.Mutex // held while the account is asked, which is done once
	of map[string]*translation
}

// translation makes a mapping ready, once. A nil mapping needs none. The
// account may have lost what the mapping names since the preflight: the error
// then says so, and waits for an operator.
func (a *Account) translation(ctx context.Context, m *mapping.Mapping) (*translation, error) {
	if m == nil {
		return nil, nil
	}
	a.mapped.mu.Lock()
	defer a.mapped.mu.Unlock()
	if tr := a.mapped.of[m.Hash()]; tr != nil {
		return tr, nil
	}
	tr, problems, err := a.translate(ctx, m)
	if err != nil {
		return nil, err
	}
	if len(problems) > 0 {
		return nil, &destination.Error{
			Op: "apply the mapping", Kind: destination.Misconfigured, Code: "mapping",
			Fix: problems[0].String() + "; mend the account, then retry; or cancel, correct the mapping file and start again",
		}
	}
	a.keepTranslation(m, tr)
	return tr, nil
}

// keepTranslation remembers; the lock must be held.
func (a *Account) keepTranslation(m *mapping.Mapping, tr *translation) {
	if a.mapped.of == nil {
		a.mapped.of = map[string]*translation{}
	}
	a.mapped.of[m.Hash()] = tr
}

// translate asks the account for all that the mapping may name.
func (a *Account) translate(ctx context.Context, m *mapping.Mapping) (*translation, []mapping.Problem, error) {
	c, err := a.readCatalogue(ctx)
	if err != nil {
		return nil, nil, err
	}
	agents := map[string]string{}
	for _, agent := range agentsOf(m) {
		if agents[agent], err = a.agentID(ctx, agent); err != nil {
			return nil, nil, err
		}
	}
	tr, problems := resolve(m, c, agents)
	return tr, problems, nil
}

// mapUsers translates users in place, and tells what has no place.
func (a *Account) mapUsers(ctx context.Context, m *mapping.Mapping, users []migration.User) (changes []migration.Change, err error) {
	tr, err := a.translation(ctx, m)
	if tr == nil || err != nil {
		return nil, err
	}
	for i := range users {
		changes = append(changes, tr.user(&users[i], a.off)...)
	}
	return changes, nil
}

// mapOrganizations translates organizations in place, likewise.
func (a *Account) mapOrganizations(ctx context.Context, m *mapping.Mapping, organizations []migration.Organization) (changes []migration.Change, err error) {
	tr, err := a.translation(ctx, m)
	if tr == nil || err != nil {
		return nil, err
	}
	for i := range organizations {
		changes = append(changes, tr.organization(&organizations[i], a.off)...)
	}
	return changes, nil
}

// checkMapping holds the mapping against the account as it is now.
func (a *Account) checkMapping(ctx context.Context, m *mapping.Mapping) ([]destination.Check, error) {
	a.mapped.mu.Lock()
	defer a.mapped.mu.Unlock()
	tr, problems, err := a.translate(ctx, m)
	if err != nil {
		c, err := readable("mapping", "what the mapping names", err)
		return []destination.Check{c}, err
	}
	if len(problems) == 0 {
		a.keepTranslation(m, tr)
		return []destination.Check{{Name: "mapping", OK: true, Fatal: true, Text: m.Name() + " fits the account: " + tr.summary()}}, nil
	}
	var checks []destination.Check
	for _, p := range problems {
		checks = append(checks, destination.Check{Name: "mapping", Fatal: true, Text: p.String(), Fix: p.Fix})
	}
	return checks, nil
}

// summary says in words what the mapping does.
func (tr *translation) summary() string {
	going, left := 0, 0
	for _, rules := range []fieldRules{tr.fields, tr.users.fields, tr.organizations.fields} {
		for _, f := range rules.listed {
			if f.target == "" {
				left++
			} else {
				going++
			}
		}
	}
	return fmt.Sprintf("%d fields have a target, %d have none, %d rules assign tickets", going, left, len(tr.rules))
}
