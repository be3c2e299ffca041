package zendesktest

import (
	"cmp"
	"net/http"
	"slices"
	"strings"
	"time"
)

// Who has no time zone or language of their own is shown with the account's.
const (
	accountTimeZone = "UTC"
	accountLocale   = "en-US"
)

// showUser writes the user as Zendesk shows it.
func (a *account) showUser(e *encoder, u *user) {
	e.begin('{')
	a.userMembers(e, u)
	e.end('}')
}

func (a *account) userMembers(e *encoder, u *user) {
	e.number("id", u.id)
	a.canonicalURL(e, "users", u.id)
	e.member("name", u.name)
	e.optional("email", u.email())
	e.time("created_at", u.created)
	e.time("updated_at", u.updated)
	e.member("time_zone", cmp.Or(u.timeZone, accountTimeZone))
	e.optional("phone", u.phone)
	e.member("locale", cmp.Or(u.locale, accountLocale))
	e.reference("organization_id", u.organizationID)
	e.member("role", u.role)
	e.flag("verified", u.verified)
	e.optional("external_id", u.externalID)
	e.words("tags", u.tags)
	e.optional("alias", u.alias)
	e.flag("active", !u.inactive)
	e.flag("shared", false)
	e.flag("shared_agent", false)
	e.null("last_login_at")
	e.optional("signature", u.signature)
	e.member("details", u.details)
	e.member("notes", u.notes)
	e.flag("suspended", u.suspended)
	fields := u.fields
	if fields == "" {
		fields = "{}"
	}
	e.literal("user_fields", fields)
}

func (a *account) userAnswer(status int, u *user) answer {
	return one(status, "user", func(e *encoder) { a.showUser(e, u) })
}

func (a *account) usersAnswer(q *request, found []*user) answer {
	return onOnePage(q, "users", found, a.showUser)
}

// showMe is GET /api/v2/users/me: without credentials it is an anonymous user, not a 401.
func showMe(a *account, q *request) answer {
	if q.actor == nil {
		return jsonAnswer(http.StatusOK, `{"user":{"id":null,"url":null,"name":"Anonymous user","email":"invalid@example.com","role":"end-user","verified":false,"active":null,"tags":[],"user_fields":{}}}`)
	}
	return a.userAnswer(http.StatusOK, q.actor)
}

func showUser(a *account, q *request) answer {
	u := a.users.get(atoi(q.id))
	if u == nil {
		return notFound()
	}
	return a.userAnswer(http.StatusOK, u)
}

func listUsers(a *account, q *request) answer {
	users := a.users.live()
	if roles := slices.Concat(q.query["role[]"], q.query["role"]); len(roles) > 0 {
		users = nil
		for _, u := range a.users.live() {
			if slices.Contains(roles, u.role) {
				users = append(users, u)
			}
		}
	}
	return list(q, "users", len(users), func(e *encoder, i int) { a.showUser(e, users[i]) })
}

func countUsers(a *account, q *request) answer { return countAnswer(len(a.users.all), q.now) }

// countLimit is the most that a count shows while it is being refreshed.
const countLimit = 100_000

// countAnswer is exact up to countLimit; a larger count is refreshed once a day, and stands at the limit until then.
func countAnswer(n int, now int64) answer {
	refreshed := `"` + time.Unix(0, now).UTC().Format(time.RFC3339) + `"`
	if n > countLimit {
		n, refreshed = countLimit, "null"
	}
	return jsonAnswer(http.StatusOK, `{"count":{"value":`+itoa(int64(n))+`,"refreshed_at":`+refreshed+`}}`)
}

// showManyUsers is GET /api/v2/users/show_many?ids= or ?external_ids=; unknown ones are left out.
func showManyUsers(a *account, q *request) answer {
	found, refused := askedFor(q, a.users.get, a.users.byExternal)
	if refused != nil {
		return *refused
	}
	return a.usersAnswer(q, found)
}

// searchUsers is GET /api/v2/users/search?external_id= or ?query=. The query is answered by the index, which lags.
func searchUsers(a *account, q *request) answer {
	if external := q.query.Get("external_id"); external != "" {
		var users []*user
		if u := a.users.byExternal[strings.ToLower(external)]; u != nil {
			users = append(users, u)
		}
		return a.usersAnswer(q, users)
	}
	query := parseQuery(q.query.Get("query"))
	indexed := a.indexed(q.now)
	var users []*user
	for _, u := range a.users.all {
		if !u.inactive && u.imported <= indexed && query.matchesUser(u) {
			users = append(users, u)
		}
	}
	return list(q, "users", len(users), func(e *encoder, i int) { a.showUser(e, users[i]) })
}

func (a *account) showIdentity(e *encoder, u *user, i int) {
	id := &u.identities[i]
	e.begin('{')
	e.number("id", id.id)
	e.number("user_id", u.id)
	e.member("type", id.kind)
	e.member("value", id.value)
	e.flag("verified", id.verified)
	e.flag("primary", i == 0)
	e.time("created_at", id.created)
	e.time("updated_at", id.created)
	e.end('}')
}

func listIdentities(a *account, q *request) answer {
	u := a.users.get(atoi(q.id))
	if u == nil {
		return notFound()
	}
	return list(q, "identities", len(u.identities), func(e *encoder, i int) { a.showIdentity(e, u, i) })
}

// createIdentity is POST /api/v2/users/{id}/identities.
func createIdentity(a *account, q *request) answer {
	u := a.users.get(atoi(q.id))
	if u == nil {
		return notFound()
	}
	in := q.input.(identity)
	if p := a.updateUserFrom(u, &userInput{identities: []identity{in}}, q.now); p != nil {
		return p.answer()
	}
	return one(http.StatusCreated, "identity", func(e *encoder) { a.showIdentity(e, u, len(u.identities)-1) })
}
