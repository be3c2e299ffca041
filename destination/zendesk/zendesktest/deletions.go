package zendesktest

import (
	"net/http"
	"slices"
	"strings"
)

// deleteUser is DELETE /api/v2/users/{id}: the user stays, inactive, without what must be unique. Nobody writes as them
// any more, which Zendesk does not document.
func deleteUser(a *account, q *request) answer {
	u := a.users.get(atoi(q.id))
	if u == nil || u.inactive || u == q.actor {
		return notFound()
	}
	for _, id := range u.identities {
		delete(a.users.byEmail, id.value)
	}
	delete(a.users.byExternal, strings.ToLower(u.externalID))
	u.identities, u.externalID, u.inactive, u.updated = nil, "", true, seconds(q.now)
	a.users.index(u, q.now)
	return a.userAnswer(http.StatusOK, u)
}

// live are the users who were not deleted.
func (s *userStore) live() []*user {
	return slices.DeleteFunc(slices.Clone(s.all), func(u *user) bool { return u.inactive })
}

// deleteOrganization is DELETE /api/v2/organizations/{id}: its users and tickets have none afterwards.
func deleteOrganization(a *account, q *request) answer {
	o := a.organizations.get(atoi(q.id))
	if o == nil {
		return notFound()
	}
	delete(a.organizations.byName, nameKey(o.name))
	delete(a.organizations.byExternal, strings.ToLower(o.externalID))
	a.organizations.all[o.id-a.organizations.base-1] = nil
	a.memberships.all = slices.DeleteFunc(a.memberships.all, func(m *membership) bool { return m.organizationID == o.id })
	for _, u := range a.users.all {
		if of := a.memberships.byUser[u.id]; len(of) > 0 {
			a.memberships.byUser[u.id] = slices.DeleteFunc(of, func(m *membership) bool { return m.organizationID == o.id })
		}
		if u.organizationID == o.id {
			u.organizationID = 0
		}
	}
	for _, t := range a.tickets.byID {
		if t != nil && t.organizationID == o.id {
			t.organizationID = 0
		}
	}
	return answer{status: http.StatusNoContent, cutAt: -1}
}

// live are the organizations that were not deleted.
func (s *organizationStore) live() []*organization {
	return slices.DeleteFunc(slices.Clone(s.all), func(o *organization) bool { return o == nil })
}
