package zendesktest

import (
	"slices"
	"strings"
)

const (
	maxComments     = 5000
	maxCCs          = 48
	maxCommentBytes = 65535
)

// settlePeople defaults and checks everybody on the ticket but the authors: the requester is the authenticated user when
// none is sent, the submitter is the requester.
func (a *account) settlePeople(in *ticketInput, actor *user) *problem {
	t := in.ticket
	if p := a.settleRequester(in, actor); p != nil {
		return p
	}
	if t.submitterID == 0 {
		t.submitterID = t.requesterID
	}
	if a.users.get(t.submitterID) == nil {
		return a.refuse("submitter", "InvalidValue", isInvalid, "Submitter")
	}
	if t.assigneeID != 0 {
		if assignee := a.users.get(t.assigneeID); assignee == nil || assignee.role == "end-user" || assignee.suspended {
			return a.refuse("assignee", "InvalidValue", isInvalid, "Assignee")
		}
	}
	if t.rare == nil {
		return nil
	}
	for _, list := range [...][]int64{t.rare.collaborators, t.rare.emailCCs, t.rare.followers} {
		if len(list) > maxCCs {
			return a.refuse("collaborators", "TooManyValues", tooManyCCs, "")
		}
		if slices.ContainsFunc(list, func(id int64) bool { return a.users.get(id) == nil }) {
			return a.refuse("collaborators", "InvalidValue", isInvalid, "Collaborators")
		}
	}
	return nil
}

func (a *account) settleRequester(in *ticketInput, actor *user) *problem {
	t := in.ticket
	switch {
	case t.requesterID != 0:
	case in.requesterEmail != "":
		u := a.users.byEmail[in.requesterEmail]
		if u == nil {
			var p *problem
			if u, p = a.createInline(in.requesterName, in.requesterEmail, t.imported); p != nil {
				return p
			}
		}
		t.requesterID = u.id
	default:
		t.requesterID = actor.id
	}
	u := a.users.get(t.requesterID)
	if u == nil || u.inactive {
		return a.refuse("requester", "InvalidValue", isInvalid, "Requester")
	}
	if u.suspended {
		return a.refuse("requester", "UserSuspended", isSuspended, u.name)
	}
	return nil
}

// settlePlace defaults and checks status, group, organization and brand.
func (a *account) settlePlace(in *ticketInput, _ *user) *problem {
	t := in.ticket
	if t.status <= statusNew {
		t.status = statusNew
		if t.assigneeID != 0 {
			t.status = statusOpen
		}
	}
	if t.groupID == 0 && t.assigneeID != 0 {
		t.groupID = a.groups[0].id
	}
	if t.groupID != 0 && !has(a.groups, t.groupID) {
		return a.refuse("group", "InvalidValue", isInvalid, "Group")
	}
	requester := a.users.get(t.requesterID)
	if t.organizationID == 0 {
		t.organizationID = requester.organizationID
	}
	if t.organizationID != 0 && !a.memberships.has(requester.id, t.organizationID) {
		return a.refuse("organization", "InvalidValue", isInvalid, "Organization")
	}
	if t.rare == nil {
		return nil
	}
	if t.rare.brandID != 0 && !has(a.brands, t.rare.brandID) {
		return a.refuse("brand", "InvalidValue", isInvalid, "Brand")
	}
	if t.rare.problemID != 0 && a.tickets.get(t.rare.problemID) == nil {
		return a.refuse("problem", "InvalidValue", isInvalid, "Problem")
	}
	return nil
}

// settleFields keeps the values of fields that the account has; a drop-down's value becomes a tag.
func (a *account) settleFields(in *ticketInput, _ *user) *problem {
	t := in.ticket
	if len(t.fields) == 0 {
		return nil
	}
	known := t.fields[:0]
	for _, value := range t.fields {
		field := a.fields.byID[value.id]
		if field == nil {
			continue // Zendesk ignores fields that it does not have
		}
		tags, ok := field.accept(value.value)
		if !ok {
			return a.refuse("base", "InvalidValue", isInvalid, field.title)
		}
		t.tags = append(t.tags, tags...)
		known = append(known, value)
	}
	t.fields = slices.Clip(known)
	t.tags = sortedTags(t.tags)
	return nil
}

// settleTimes moves times before 1970 up to 1970. Without updated_at, a ticket of several comments was updated now.
func (a *account) settleTimes(in *ticketInput, _ *user) *problem {
	t := in.ticket
	now := seconds(t.imported)
	comments := len(t.comments)
	if in.hasDescription {
		comments++
	}
	if t.created == noTime {
		t.created = now
	}
	t.created = max(0, t.created)
	if t.updated == noTime {
		t.updated = now
		if comments == 1 {
			t.updated = t.created
		}
	}
	t.updated = max(0, t.updated)
	return nil
}

// settleComments defaults, checks and orders the comments. A description is a comment before the others.
func (a *account) settleComments(in *ticketInput, actor *user) *problem {
	t := in.ticket
	if in.hasDescription {
		t.comments = append([]comment{{created: t.created, text: in.description}}, t.comments...)
	}
	if len(t.comments) == 0 {
		return a.blankDescription()
	}
	if len(t.comments) > maxComments {
		return a.refuse("comments", "TooManyValues", tooManyComments, "")
	}
	for i := range t.comments {
		if p := a.settleComment(t, i, actor); p != nil {
			return p
		}
	}
	t.description = t.comments[0].plain()
	t.orderComments()
	return nil
}

func (a *account) blankDescription() *problem {
	p := a.refuse("base", "BlankValue", descriptionBlank, "")
	p.extra = `"ticket_field_id":` + itoa(a.fields.description) + `,"ticket_field_type":"FieldDescription"`
	return p
}

func (a *account) settleComment(t *ticket, i int, actor *user) *problem {
	c := &t.comments[i]
	c.position = int32(i)
	switch {
	case strings.TrimSpace(c.text) == "" && i == 0:
		return a.blankDescription()
	case strings.TrimSpace(c.text) == "":
		return a.refuse("comment", "BlankValue", commentBlank, "")
	case len(c.text) > maxCommentBytes:
		return a.refuse("base", "TooLong", textTooLong, "")
	case strings.IndexByte(c.text, 0) >= 0:
		return a.refuse("comment", "InvalidValue", isInvalid, "Comment")
	}
	now := seconds(t.imported)
	if c.created == noTime {
		c.created = now
	}
	if c.created < 0 || c.created > now {
		return a.refuse("comment", "InvalidValue", isInvalid, "Comment created at")
	}
	c.created = max(c.created, t.created)
	return a.settleAuthor(t, c, actor)
}

// settleAuthor: a first comment without author is the requester's, a later one the authenticated user's.
func (a *account) settleAuthor(t *ticket, c *comment, actor *user) *problem {
	switch {
	case c.authorID != 0:
	case c.position == 0:
		c.authorID = t.requesterID
	default:
		c.authorID = actor.id
	}
	author := a.users.get(c.authorID)
	if author == nil || author.inactive {
		return a.refuse("author", "InvalidValue", isInvalid, "Author")
	}
	if author.suspended {
		return a.refuse("author", "UserSuspended", authorSuspended, author.name)
	}
	return nil
}

// orderComments puts the comments in the order in which they are read: by time, and those of the same second in
// another order than they were sent, since Zendesk promises none.
func (t *ticket) orderComments() {
	strictly := true
	for i := 1; i < len(t.comments); i++ {
		strictly = strictly && t.comments[i-1].created < t.comments[i].created
	}
	if strictly {
		return
	}
	slices.SortFunc(t.comments, func(x, y comment) int {
		if x.created != y.created {
			return int(x.created - y.created)
		}
		return int(y.position - x.position)
	})
}
