package zendesktest

import (
	"net/http"
)

// dumpPage is how many records are written without letting other requests in between.
const dumpPage = 500

// dump writes a line for each of the records that count says there are.
func (a *account) dump(w http.ResponseWriter, count func() int, show func(e *encoder, i int)) {
	w.Header().Set("Content-Type", "application/x-ndjson; charset=utf-8")
	e := &encoder{}
	for i, more := 0, true; more; {
		e.buf = e.buf[:0]
		a.mu.Lock()
		a.advance(a.clock())
		n := count()
		for end := min(n, i+dumpPage); i < end; i++ {
			before := len(e.buf)
			e.comma = false
			if show(e, i); len(e.buf) > before {
				e.buf = append(e.buf, '\n')
			}
		}
		more = i < n
		a.mu.Unlock()
		if _, err := w.Write(e.buf); err != nil {
			return // the client has gone
		}
	}
}

// dumpTickets writes each ticket as Zendesk shows it, with its comments and its metric_set (which holds solved_at).
func dumpTickets(a *account, w http.ResponseWriter, r *http.Request) {
	base := baseURL(r, a.name)
	a.dump(w, func() int { return len(a.tickets.byID) }, func(e *encoder, i int) {
		t := a.tickets.get(int64(i))
		if t == nil {
			return
		}
		e.begin('{')
		a.ticketMembers(e, t)
		e.key("metric_set")
		a.showMetric(e, t)
		e.key("comments")
		e.begin('[')
		for c := range t.comments {
			a.showComment(e, t, &t.comments[c], base)
		}
		e.end(']')
		e.end('}')
	})
}

func dumpUsers(a *account, w http.ResponseWriter, _ *http.Request) {
	a.dump(w, func() int { return len(a.users.all) }, func(e *encoder, i int) {
		u := a.users.all[i]
		if u.inactive {
			return
		}
		e.begin('{')
		a.userMembers(e, u)
		e.key("identities")
		e.begin('[')
		for n := range u.identities {
			a.showIdentity(e, u, n)
		}
		e.end(']')
		e.key("organization_ids")
		e.begin('[')
		for _, m := range a.memberships.byUser[u.id] {
			e.int(m.organizationID)
		}
		e.end(']')
		e.end('}')
	})
}

func dumpOrganizations(a *account, w http.ResponseWriter, _ *http.Request) {
	a.dump(w, func() int { return len(a.organizations.all) }, func(e *encoder, i int) {
		if o := a.organizations.all[i]; o != nil {
			a.showOrganization(e, o)
		}
	})
}
