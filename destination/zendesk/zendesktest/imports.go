package zendesktest

import (
	"net/http"
	"slices"
	"strings"
)

var importJob = jobKind{jobType: "Bulk Create Ticket", class: "BulkTicketImportJob", working: "Creating ticket", share: 1}

// importMany is POST /api/v2/imports/tickets/create_many: a job that creates each ticket on its own.
func importMany(a *account, q *request) answer {
	inputs := q.input.([]ticketInput)
	archive := q.query.Get("archive_immediately") == "true"
	actor := q.actor
	if a.settings.Poison.WholeBatch && slices.ContainsFunc(inputs, func(in ticketInput) bool { return a.poisoned(in.ticket) }) {
		none := 0
		q.plan.FailAfter = &none
	}
	return a.startJob(q, importJob, len(inputs), func(index int, at int64) outcome {
		id := a.tickets.reserve()
		t, p := a.importTicket(&inputs[index], id, at, actor, archive)
		if p != nil {
			return outcome{failed: true, result: `{"index":` + itoa(int64(index)) + `,"error":"TicketCreateFailed","details":` + mustMarshal(p.text) + `}`}
		}
		inputs[index] = ticketInput{}
		return outcome{id: t.id}
	})
}

// importOne is POST /api/v2/imports/tickets: one ticket, created while the client waits.
func importOne(a *account, q *request) answer {
	in := q.input.(ticketInput)
	if a.collides(&in, q) {
		return plainText(http.StatusConflict, "text/plain; charset=utf-8", "Requester creation collision - please try again")
	}
	t, p := a.importTicket(&in, a.tickets.reserve(), q.now, q.actor, q.query.Get("archive_immediately") == "true")
	if p != nil {
		return p.answer()
	}
	q.header.Set("Location", q.link("tickets/"+itoa(t.id)+".json", nil))
	return one(http.StatusCreated, "ticket", func(e *encoder) { a.showTicket(e, t) })
}

// collides is whether another request created the requester while this one was on its way: Zendesk's check and
// creation of an inline requester are not atomic, and all but one of such requests get a 409.
func (a *account) collides(in *ticketInput, q *request) bool {
	if in.requesterEmail == "" || in.ticket.requesterID != 0 {
		return false
	}
	u := a.users.byEmail[in.requesterEmail]
	return u != nil && u.inline > q.arrived
}

// importTicket stores the ticket, or says why not.
func (a *account) importTicket(in *ticketInput, id, at int64, actor *user, archive bool) (*ticket, *problem) {
	t := in.ticket
	t.id, t.imported = id, at
	if in.wrong != "" {
		return nil, a.refuse(fieldName(in.wrong), "InvalidValue", isInvalid, in.wrong)
	}
	if a.settings.Poison.Marker != "" && a.poisoned(t) {
		return nil, a.refuse("subject", "InvalidValue", isInvalid, "Subject")
	}
	for _, rule := range [...]func(*ticketInput, *user) *problem{a.settlePeople, a.settlePlace, a.settleFields, a.settleTimes, a.settleComments} {
		if p := rule(in, actor); p != nil {
			return nil, p
		}
	}
	t.subject = cut(t.subject, 255)
	t.archived = archive && t.status == statusClosed
	a.attachFiles(t, at)
	t.firstComment = a.tickets.nextComment
	a.tickets.nextComment += int64(len(t.comments))
	a.tickets.add(t)
	return t, nil
}

func (a *account) poisoned(t *ticket) bool {
	marker := a.settings.Poison.Marker
	return marker != "" && (strings.Contains(t.subject, marker) || slices.Contains(t.tags, marker))
}

// fieldName makes the key under details of an attribute: "Created at" is created_at.
func fieldName(attribute string) string {
	return strings.ReplaceAll(strings.ToLower(attribute), " ", "_")
}
