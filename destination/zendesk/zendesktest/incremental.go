package zendesktest

import (
	"net/http"
	"net/url"
	"strconv"
)

// exportCursor is where an incremental export goes on: the number of the next change.
type exportCursor struct {
	Next int `json:"n"`
}

// export is what the incremental exports of tickets and users have in common: a list of changes that only grows.
type export struct {
	name    string
	changes []change
	since   func(nanos int64) int
	show    func(e *encoder, c change)
}

// exportTickets is GET /api/v2/incremental/tickets/cursor: every ticket in the order in which it came into being here,
// archived ones too. A deleted ticket comes again, with the status deleted (unless exclude_deleted=true).
func exportTickets(a *account, q *request) answer {
	exclude := q.query.Get("exclude_deleted") == "true"
	return a.export(q, export{
		name:    "tickets",
		changes: a.tickets.changes,
		since:   a.tickets.since,
		show: func(e *encoder, c change) {
			t := a.tickets.byID[c.id]
			if superseded := t.deleted && c.at == t.imported; superseded || t.deleted && exclude {
				return
			}
			a.showTicket(e, t)
		},
	})
}

// exportUsers is GET /api/v2/incremental/users/cursor.
func exportUsers(a *account, q *request) answer {
	return a.export(q, export{
		name:    "users",
		changes: a.users.changes,
		since:   a.users.since,
		show:    func(e *encoder, c change) { a.showUser(e, a.users.get(c.id)) },
	})
}

// maxExportPage is the largest per_page.
const maxExportPage = 1000

// export answers with one page. What is younger than a minute is not in it yet.
func (a *account) export(q *request, x export) answer {
	size, ok := number(q.query.Get("per_page"), maxExportPage)
	if !ok || size < 1 {
		return invalidAttribute("per_page", "be a positive integer")
	}
	until := a.minuteAgo(q.now)
	from, refused := x.start(q, until)
	if refused != nil {
		return *refused
	}
	ready := x.since(until)
	to := max(from, min(ready, from+min(size, maxExportPage)))
	e := newEncoder()
	e.begin('{')
	e.key(x.name)
	e.begin('[')
	for _, c := range x.changes[from:to] {
		x.show(e, c)
	}
	e.end(']')
	cursor := encodeCursor(exportCursor{to})
	e.member("after_url", q.link("incremental/"+x.name+"/cursor.json", url.Values{"cursor": {cursor}, "per_page": {strconv.Itoa(size)}}))
	e.member("after_cursor", cursor)
	e.null("before_url")
	e.null("before_cursor")
	e.flag("end_of_stream", to >= ready)
	e.end('}')
	return encoded(http.StatusOK, e)
}

// start is the first change to show, by cursor or start_time.
func (x *export) start(q *request, until int64) (from int, refused *answer) {
	if text := q.query.Get("cursor"); text != "" {
		var cursor exportCursor
		if !decodeCursor(text, &cursor) || cursor.Next < 0 || cursor.Next > len(x.changes) {
			reply := jsonAnswer(http.StatusBadRequest, errorList("InvalidCursor", "400", "The cursor is invalid"))
			return 0, &reply
		}
		return cursor.Next, nil
	}
	start, err := strconv.ParseInt(q.query.Get("start_time"), 10, 64)
	if err != nil || start < 0 {
		reply := jsonAnswer(http.StatusBadRequest, errorList("InvalidStartTime", "400", "start_time must be a number of seconds since 1970"))
		return 0, &reply
	}
	if start*1e9 > until {
		reply := jsonAnswer(http.StatusBadRequest, errorList("StartTimeTooRecent", "400", "start_time must be at least 60 seconds ago"))
		return 0, &reply
	}
	return x.since(start * 1e9), nil
}
