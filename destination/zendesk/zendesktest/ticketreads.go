package zendesktest

import (
	"math/rand/v2"
	"net/http"
	"slices"
	"time"
)

// showTicket writes the ticket as Zendesk shows it.
func (a *account) showTicket(e *encoder, t *ticket) {
	e.begin('{')
	a.ticketMembers(e, t)
	e.end('}')
}

func (a *account) ticketMembers(e *encoder, t *ticket) {
	r := t.rare
	if r == nil {
		r = &noneRare
	}
	a.canonicalURL(e, "tickets", t.id)
	e.number("id", t.id)
	e.optional("external_id", t.externalID)
	channel := r.channel
	if channel == "" {
		channel = "api"
	}
	e.key("via")
	e.begin('{')
	e.member("channel", channel)
	e.literal("source", `{"from":{},"to":{},"rel":null}`)
	e.end('}')
	e.time("created_at", t.created)
	e.time("updated_at", t.updated)
	e.number("generated_timestamp", seconds(t.imported))
	e.optional("type", kindNames[t.kind])
	if t.untitled {
		e.null("subject")
		e.null("raw_subject")
	} else {
		e.member("subject", t.subject)
		e.member("raw_subject", t.subject)
	}
	e.member("description", t.description)
	e.optional("priority", priorityNames[t.priority])
	if t.deleted {
		e.member("status", "deleted")
	} else {
		e.member("status", statusNames[t.status])
	}
	e.optional("recipient", r.recipient)
	a.ticketPeople(e, t, r)
	e.words("tags", t.tags)
	a.ticketFields(e, t)
	e.literal("satisfaction_rating", "null")
	e.literal("sharing_agreement_ids", "[]")
	e.reference("custom_status_id", r.customStatus)
	e.reference("ticket_form_id", r.formID)
	brand := r.brandID
	if brand == 0 {
		brand = a.brands[0].id
	}
	e.reference("brand_id", brand)
	e.literal("followup_ids", "[]")
	e.flag("allow_channelback", false)
	e.flag("allow_attachments", true)
	e.flag("from_messaging_channel", false)
}

var noneRare = rare{due: noTime}

func (a *account) ticketPeople(e *encoder, t *ticket, r *rare) {
	e.number("requester_id", t.requesterID)
	e.number("submitter_id", t.submitterID)
	e.reference("assignee_id", t.assigneeID)
	e.reference("organization_id", t.organizationID)
	e.reference("group_id", t.groupID)
	e.references("collaborator_ids", r.collaborators)
	e.references("follower_ids", r.followers)
	e.references("email_cc_ids", r.emailCCs)
	e.null("forum_topic_id")
	e.reference("problem_id", r.problemID)
	e.flag("has_incidents", false)
	e.flag("is_public", t.public())
	e.time("due_at", r.due)
}

// ticketFields shows every custom field of the account; those that were not sent are null.
func (a *account) ticketFields(e *encoder, t *ticket) {
	e.key("custom_fields")
	start := len(e.buf)
	e.begin('[')
	for _, id := range a.fields.order {
		e.begin('{')
		e.number("id", id)
		value := "null"
		if i := slices.IndexFunc(t.fields, func(v fieldValue) bool { return v.id == id }); i >= 0 {
			value = t.fields[i].value
		}
		e.literal("value", value)
		e.end('}')
	}
	e.end(']')
	list := e.buf[start:]
	e.key("fields")
	e.buf = append(e.buf, list...)
	e.comma = true
}

// showTicket is GET /api/v2/tickets/{id}. Archived tickets are found by their id.
func showTicket(a *account, q *request) answer {
	t := a.tickets.get(atoi(q.id))
	if t == nil {
		return notFound()
	}
	return one(http.StatusOK, "ticket", func(e *encoder) { a.showTicket(e, t) })
}

// showManyTickets is GET /api/v2/tickets/show_many?ids=: missing ones are left out, the order is nobody's.
func showManyTickets(a *account, q *request) answer {
	ids, refused := q.idList("ids")
	if refused != nil {
		return *refused
	}
	dice := rand.New(rand.NewPCG(a.settings.Seed, uint64(q.now)))
	dice.Shuffle(len(ids), func(i, j int) { ids[i], ids[j] = ids[j], ids[i] })
	e := newEncoder()
	e.begin('{')
	e.key("tickets")
	e.begin('[')
	n := 0
	for _, id := range ids {
		if t := a.tickets.get(id); t != nil {
			a.showTicket(e, t)
			n++
		}
	}
	e.end(']')
	q.offsetLinks(e, 1, false, n)
	e.end('}')
	return encoded(http.StatusOK, e)
}

// listTickets is GET /api/v2/tickets, optionally of one external id; it does not see archived tickets.
func listTickets(a *account, q *request) answer {
	all := a.tickets.byID
	if q.query.Has("external_id") {
		all = a.tickets.of(q.query.Get("external_id"))
	}
	visible := make([]*ticket, 0, len(all))
	for _, t := range all {
		if t != nil && !t.deleted && !t.archived {
			visible = append(visible, t)
		}
	}
	return list(q, "tickets", len(visible), func(e *encoder, i int) { a.showTicket(e, visible[i]) })
}

// showMetrics is GET /api/v2/tickets/{id}/metrics, the only place that shows solved_at.
func showMetrics(a *account, q *request) answer {
	t := a.tickets.get(atoi(q.id))
	if t == nil {
		return notFound()
	}
	return one(http.StatusOK, "ticket_metric", func(e *encoder) { a.showMetric(e, t) })
}

func (a *account) showMetric(e *encoder, t *ticket) {
	e.begin('{')
	e.number("ticket_id", t.id)
	e.time("created_at", t.created)
	e.time("updated_at", t.updated)
	e.time("solved_at", t.solved)
	e.end('}')
}

// listComments is GET /api/v2/tickets/{id}/comments, oldest first unless asked otherwise.
func listComments(a *account, q *request) answer {
	t := a.tickets.get(atoi(q.id))
	if t == nil {
		return notFound()
	}
	n := len(t.comments)
	backwards := q.query.Get("sort_order") == "desc" || q.query.Get("sort") == "-created_at"
	return list(q, "comments", n, func(e *encoder, i int) {
		if backwards {
			i = n - 1 - i
		}
		a.showComment(e, t, &t.comments[i], q.base)
	})
}

var deleteJob = jobKind{jobType: "Bulk Delete Ticket", class: "TicketBulkDestroyJob", working: "Deleting ticket", share: 1.0 / 3, whole: true}

// deleteTicket is DELETE /api/v2/tickets/{id}. A deleted ticket is gone from all reads; only the incremental export
// still shows it, with the status deleted.
func deleteTicket(a *account, q *request) answer {
	t := a.tickets.get(atoi(q.id))
	if t == nil {
		return notFound()
	}
	a.tickets.delete(t, q.now)
	return answer{status: http.StatusNoContent, cutAt: -1}
}

// destroyManyTickets is DELETE /api/v2/tickets/destroy_many?ids=.
func destroyManyTickets(a *account, q *request) answer {
	ids, refused := q.idList("ids")
	if refused != nil {
		return *refused
	}
	if len(ids) == 0 {
		return invalidAttribute("ids", "be a list of integers")
	}
	return a.startJob(q, deleteJob, len(ids), func(index int, at int64) outcome {
		if t := a.tickets.get(ids[index]); t != nil {
			a.tickets.delete(t, at)
		}
		return outcome{id: ids[index]}
	})
}

// minuteAgo is how far the incremental export stays behind.
func (a *account) minuteAgo(now int64) int64 {
	return now - a.settings.scaled(float64(time.Minute/time.Second))
}
