package zendesk

import (
	"bytes"
	"encoding/json"
	"fmt"
	"html"
	"regexp"
	"slices"
	"strings"
	"time"

	"farewell/destination"
	"farewell/migration"
)

// compared is the comparison of a ticket in the account with its draft.
type compared struct {
	d     *draft
	t     *readTicket
	found []destination.Difference
	files []linesFiles // of the lines that are there
}

func (c *compared) differs(field, part, found string) {
	c.found = append(c.found, destination.Difference{SourceID: c.d.t.ID, Field: field, Part: part, Found: found})
}

func (c *compared) text(field, part, sent, read string) {
	if sent != read {
		c.differs(field, part, migration.HashText(read))
	}
}

// said compares what Zendesk fills in when it was not sent.
func (c *compared) said(field, sent, read string) {
	if sent != "" {
		c.text(field, "", sent, read)
	}
}

func (c *compared) time(field, part string, sent, read time.Time) {
	if !sent.IsZero() && !sent.Truncate(time.Second).Equal(read) {
		c.differs(field, part, migration.HashTime(read))
	}
}

// ticket compares the ticket's own fields with the request that sent them. Only
// the ticket's metrics, a request for each, show solved_at, which is therefore
// left out.
func (c *compared) ticket() error {
	var sent readTicket
	if err := json.Unmarshal(c.d.append(nil), &sent); err != nil {
		return fmt.Errorf("read the request of ticket %s: %w", c.d.t.ID, shapeOnly(err))
	}
	t := c.t
	c.text("subject", "", sent.Subject, t.Subject)
	for _, f := range []struct {
		name       string
		sent, read id
	}{
		{"requester_id", sent.RequesterID, t.RequesterID}, {"submitter_id", c.submitter(sent.SubmitterID), t.SubmitterID},
		{"organization_id", sent.OrganizationID, t.OrganizationID}, {"assignee_id", sent.AssigneeID, t.AssigneeID},
		{"group_id", sent.GroupID, t.GroupID}, {"brand_id", sent.BrandID, t.BrandID},
	} {
		c.said(f.name, string(f.sent), string(f.read))
	}
	if !becomes(sent.Status, t) {
		c.said("status", sent.Status, t.Status)
	}
	c.said("priority", sent.Priority, t.Priority)
	c.said("type", sent.Type, t.Type)
	c.time("created_at", "", sent.CreatedAt, t.CreatedAt)
	c.time("updated_at", "", sent.UpdatedAt, t.UpdatedAt)
	if slices.ContainsFunc(sent.Collaborators, func(i id) bool { return !slices.Contains(t.Collaborators, i) }) {
		c.differs("collaborator_ids", destination.AnyPart, migration.HashText("")) // one whom nobody knew when it was sent was left out
	}
	// More tags may be there, since Zendesk puts those of the requester, the
	// organization and drop-downs on the ticket
	// (https://support.zendesk.com/hc/en-us/articles/4408835059482).
	c.lacks("tags", sent.Tags, t.Tags)
	c.fields(sent.CustomFields)
	return nil
}

// submitter is who should have submitted the ticket: without one at the source,
// whoever is its requester in the account. That may be somebody who stood in
// when it was sent, which only the list of changes knows.
func (c *compared) submitter(sent id) id {
	if c.d.t.SubmitterID == "" && c.t.SubmitterID == c.t.RequesterID {
		return c.t.RequesterID
	}
	return sent
}

// author is who should have written a line. What the source does not have is
// said in the name of the requester or of the submitter, and they may have been
// stood in for as well.
func (c *compared) author(l *line, read id) string {
	if l.from == nil && (read == c.t.RequesterID || read == c.t.SubmitterID) {
		return string(read)
	}
	return l.author
}

// lacks notes a list in which something that was sent is missing.
func (c *compared) lacks(name string, sent, read []string) {
	for _, one := range sent {
		if !slices.Contains(read, one) {
			c.differs(name, "", migration.HashText(strings.Join(read, " ")))
			return
		}
	}
}

// becomes tells whether Zendesk itself makes the status what it is: new becomes
// open with an assignee, and solved tickets are closed in time
// (https://developer.zendesk.com/api-reference/ticketing/tickets/ticket_import/).
func becomes(sent string, t *readTicket) bool {
	return sent == "new" && t.Status == "open" && t.AssigneeID != "" || sent == "solved" && t.Status == "closed"
}

// fields compares the custom fields that were sent.
func (c *compared) fields(sent []field) {
	for _, f := range sent {
		read := json.RawMessage("null")
		for _, there := range c.t.CustomFields {
			if there.ID == f.ID {
				read = there.Value
			}
		}
		if !sameValue(f.Value, read) {
			c.differs("custom_fields", string(f.ID), migration.HashText(string(read)))
		}
	}
}

// sameValue compares field values as JSON; what has several options is in no
// order, and numbers may come back as text.
func sameValue(sent, read json.RawMessage) bool {
	var a, b any
	if json.Unmarshal(sent, &a) != nil || json.Unmarshal(read, &b) != nil {
		return bytes.Equal(sent, read)
	}
	return plainValue(a) == plainValue(b)
}

func plainValue(v any) string {
	switch v := v.(type) {
	case nil:
		return ""
	case string:
		return v
	case []any:
		words := make([]string, len(v))
		for i := range v {
			words[i] = plainValue(v[i])
		}
		slices.Sort(words)
		return strings.Join(words, "\x00")
	}
	text, err := json.Marshal(v)
	if err != nil {
		return "" // cannot be: it was decoded from JSON
	}
	return string(text)
}

// conversation compares the comments, in their order; whole tells that they
// are all of them.
func (c *compared) conversation(read []readComment, whole bool) {
	slices.SortStableFunc(read, func(a, b readComment) int { return a.CreatedAt.Compare(b.CreatedAt) })
	read = slices.DeleteFunc(read, isFilesNote) // it comes last, and what it names is listed
	lines := c.d.lines
	for i := range lines {
		l := &lines[i]
		if i == len(read) {
			if whole {
				c.differs("comments", "", migration.HashText(""))
			}
			return
		}
		r := &read[i]
		c.text("comments.author_id", l.part(), c.author(l, r.AuthorID), string(r.AuthorID))
		if l.public != r.Public {
			c.differs("comments.public", l.part(), migration.HashText(""))
		}
		if !sameBody(l, r) {
			c.differs("comments.body", l.part(), migration.HashText(r.Body))
		}
		c.time("comments.created_at", l.of, l.created, r.CreatedAt)
		if len(l.uploads)+len(r.Attachments) > 0 {
			c.files = append(c.files, linesFiles{l, r.Attachments})
		}
	}
	if whole && len(read) > len(lines) {
		c.differs("comments", "", migration.HashText(""))
	}
}

func isFilesNote(r readComment) bool { return !r.Public && strings.HasPrefix(r.Body, filesNote) }

// sameBody: Zendesk cleans HTML and puts it into an element of its own, so of
// that what is seen of it is compared.
func sameBody(l *line, r *readComment) bool {
	if l.html {
		return seen(l.body) == seen(r.HTMLBody)
	}
	return l.body == r.Body
}

var markup = regexp.MustCompile(`<[^>]*>`)

// seen is what a browser would show of HTML, without the blanks.
func seen(s string) string {
	return strings.Join(strings.Fields(html.UnescapeString(markup.ReplaceAllString(s, " "))), "")
}
