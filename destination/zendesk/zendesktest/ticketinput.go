package zendesktest

import (
	"slices"
	"strings"
)

// ticketInput is a ticket as it was sent: the values that it names, and what is wrong with it on its own.
type ticketInput struct {
	ticket         *ticket
	description    string
	hasDescription bool
	requesterName  string
	requesterEmail string
	wrong          string // the attribute whose value is none, for a problem of the item
}

// parseTicketBatch reads {"tickets":[...]}.
func parseTicketBatch(a *account, q *request) (refused *answer) {
	var inputs []ticketInput
	refused = q.batch("tickets", func(d *decoder) { inputs = append(inputs, q.ticket(d)) })
	q.input = inputs
	return refused
}

// parseSingleTicket reads {"ticket":{...}}.
func parseSingleTicket(a *account, q *request) (refused *answer) {
	var input ticketInput
	refused = q.single("ticket", func(d *decoder) { input = q.ticket(d) })
	q.input = input
	return refused
}

func (q *request) ticket(d *decoder) ticketInput {
	t := &ticket{created: noTime, updated: noTime, solved: noTime, untitled: true}
	in := ticketInput{ticket: t}
	for key := range d.object() {
		if !in.core(d, key) && !in.people(d, key) && !in.seldom(d, key) {
			if key == "comments" || key == "comment" {
				in.comments(q, d, key)
				continue
			}
			q.drop("ticket." + key)
			d.raw()
		}
	}
	return in
}

// core reads the attributes that nearly every ticket has. false: the key is none of them, nothing was read.
func (in *ticketInput) core(d *decoder, key string) bool {
	t := in.ticket
	switch key {
	case "external_id":
		t.externalID = d.text()
	case "subject", "raw_subject":
		t.untitled = d.peek() == 'n'
		t.subject = d.text()
	case "status":
		t.status = status(in.choice(d, "Status", statusNames[:]))
	case "priority":
		t.priority = priority(in.choice(d, "Priority", priorityNames[:]))
	case "type":
		t.kind = kind(in.choice(d, "Type", kindNames[:]))
	case "created_at":
		t.created = in.time(d, "Created at")
	case "updated_at":
		t.updated = in.time(d, "Updated at")
	case "solved_at":
		t.solved = in.time(d, "Solved at")
	case "tags":
		t.tags = in.tags(d)
	case "custom_fields", "fields":
		in.customFields(d)
	default:
		return false
	}
	return true
}

func (in *ticketInput) people(d *decoder, key string) bool {
	t := in.ticket
	switch key {
	case "requester_id":
		t.requesterID = in.id(d, "Requester")
	case "submitter_id":
		t.submitterID = in.id(d, "Submitter")
	case "assignee_id":
		t.assigneeID = in.id(d, "Assignee")
	case "organization_id":
		t.organizationID = in.id(d, "Organization")
	case "group_id":
		t.groupID = in.id(d, "Group")
	case "requester":
		in.requester(d)
	case "collaborator_ids", "collaborators":
		in.rare().collaborators = in.ids(d, "Collaborators", "")
	case "followers":
		in.rare().followers = in.ids(d, "Followers", "user_id")
	case "email_ccs":
		in.rare().emailCCs = in.ids(d, "Email ccs", "user_id")
	default:
		return false
	}
	return true
}

func (in *ticketInput) seldom(d *decoder, key string) bool {
	switch key {
	case "description":
		in.hasDescription = d.peek() != 'n'
		in.description = d.text()
	case "recipient":
		in.rare().recipient = d.text()
	case "brand_id":
		in.rare().brandID = in.id(d, "Brand")
	case "ticket_form_id":
		in.rare().formID = in.id(d, "Ticket form")
	case "problem_id":
		in.rare().problemID = in.id(d, "Problem")
	case "custom_status_id":
		in.rare().customStatus = in.id(d, "Custom status")
	case "due_at":
		in.rare().due = in.time(d, "Due at")
	case "via":
		in.via(d)
	case "archive_immediately", "metadata": // known, and without effect here
		d.raw()
	default:
		return false
	}
	return true
}

func (in *ticketInput) rare() *rare {
	if in.ticket.rare == nil {
		in.ticket.rare = &rare{due: noTime}
	}
	return in.ticket.rare
}

// flaw remembers the first attribute that is wrong.
func (in *ticketInput) flaw(attribute string) {
	if in.wrong == "" {
		in.wrong = attribute
	}
}

func (in *ticketInput) id(d *decoder, attribute string) int64 {
	id, ok := d.id()
	if !ok || id < 0 {
		in.flaw(attribute)
	}
	return id
}

func (in *ticketInput) time(d *decoder, attribute string) int64 {
	unix, ok := parseTime(d.word())
	if !ok {
		in.flaw(attribute)
		return noTime
	}
	return unix
}

func (in *ticketInput) choice(d *decoder, attribute string, names []string) int {
	word := d.word()
	n := slices.Index(names, word)
	if n < 0 {
		in.flaw(attribute)
		return 0
	}
	return n
}

// tags normalises as Zendesk does: lower case, blanks separate, sorted, each once.
func (in *ticketInput) tags(d *decoder) []string {
	var tags []string
	for range d.array() {
		tag := d.text()
		if !strings.ContainsAny(tag, " \t\n") {
			tags = append(tags, strings.ToLower(tag))
			continue
		}
		tags = append(tags, strings.Fields(strings.ToLower(tag))...)
	}
	return sortedTags(tags)
}

func sortedTags(tags []string) []string {
	slices.Sort(tags)
	tags = slices.Compact(tags)
	if len(tags) > 0 && tags[0] == "" {
		tags = tags[1:]
	}
	return slices.Clip(tags)
}

func (in *ticketInput) customFields(d *decoder) {
	for range d.array() {
		var value fieldValue
		for key := range d.object() {
			switch key {
			case "id":
				value.id = in.id(d, "Custom fields")
			case "value":
				value.value = d.keep.take(d.raw())
			default:
				d.raw()
			}
		}
		in.ticket.fields = append(in.ticket.fields, value)
	}
}

func (in *ticketInput) requester(d *decoder) {
	for key := range d.object() {
		switch key {
		case "name":
			in.requesterName = d.text()
		case "email":
			in.requesterEmail = normalEmail(d.text())
		default:
			d.raw()
		}
	}
}

// ids reads a list of ids, or of objects that hold one.
func (in *ticketInput) ids(d *decoder, attribute, member string) []int64 {
	var ids []int64
	for range d.array() {
		if d.peek() != '{' {
			ids = append(ids, in.id(d, attribute))
			continue
		}
		for key := range d.object() {
			if key == member {
				ids = append(ids, in.id(d, attribute))
				continue
			}
			d.raw()
		}
	}
	return ids
}

func (in *ticketInput) via(d *decoder) {
	for key := range d.object() {
		if key == "channel" {
			in.rare().channel = d.text()
			continue
		}
		d.raw()
	}
}

func (in *ticketInput) comments(q *request, d *decoder, key string) {
	if key == "comment" {
		in.ticket.comments = append(in.ticket.comments, in.comment(q, d))
		return
	}
	for range d.array() {
		in.ticket.comments = append(in.ticket.comments, in.comment(q, d))
	}
}

func (in *ticketInput) comment(q *request, d *decoder) comment {
	c := comment{created: noTime}
	for key := range d.object() {
		switch key {
		case "value", "body":
			c.text, c.html = d.text(), false
		case "html_body":
			c.text, c.html = d.text(), true
		case "author_id":
			c.authorID = in.id(d, "Author")
		case "created_at":
			c.created = in.time(d, "Comment created at")
		case "public":
			public, ok := d.boolean()
			if !ok {
				in.flaw("Public")
			}
			c.private = !public
		case "uploads":
			c.files = in.uploads(d)
		case "type", "metadata":
			d.raw()
		default:
			q.drop("ticket.comments." + key)
			d.raw()
		}
	}
	return c
}

func (in *ticketInput) uploads(d *decoder) *commentFiles {
	files := &commentFiles{}
	if d.peek() == '"' {
		files.tokens = append(files.tokens, d.text())
		return files
	}
	for range d.array() {
		files.tokens = append(files.tokens, d.text())
	}
	return files
}
