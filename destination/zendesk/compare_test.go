package zendesk

import (
	"encoding/json"
	"reflect"
	"testing"
	"time"

	"farewell/migration"
)

// sentAndRead is a ticket as it is sent, and as an account shows it that has
// kept all of it.
func sentAndRead(t *testing.T) (*draft, *readTicket, []readComment) {
	t.Helper()
	at := time.Date(2020, 3, 4, 5, 6, 7, 0, time.UTC)
	in := EncodeInput{
		Users:         map[string]migration.Target{"1": {ID: "31"}, "2": {ID: "32"}, "3": {ID: "33"}},
		Organizations: map[string]migration.Target{"12": {ID: "42"}},
		Self:          "30", Prefix: "farewell-", Now: at.AddDate(1, 0, 0),
	}
	d := in.draft(&migration.Ticket{
		ID: "5", Subject: "a subject", RequesterID: "1", SubmitterID: "2", OrganizationID: "12", CCs: []string{"3"},
		Status: "open", Priority: "high", Type: "question", Tags: []string{"vip"}, CustomFields: []byte(`{"7":"gold"}`),
		CreatedAt: at, UpdatedAt: at.Add(time.Hour),
		Comments: []migration.Comment{
			{ID: "1", AuthorID: "1", Body: "hello", Public: true, CreatedAt: at},
			{ID: "2", AuthorID: "2", Body: "<b>well</b>", HTML: true, CreatedAt: at.Add(time.Minute)},
		},
	}, "farewell_tickets-0001")
	d.mapped.group, d.mapped.assignee, d.mapped.brand = "71", "72", "73"
	var read readTicket
	if err := json.Unmarshal(d.append(nil), &read); err != nil {
		t.Fatal(err)
	}
	var comments []readComment
	for _, l := range d.lines {
		c := readComment{AuthorID: id(l.author), Body: l.body, Public: l.public, CreatedAt: l.created}
		if l.html {
			c.Body, c.HTMLBody = "", `<div class="zd-comment">`+l.body+"</div>"
		}
		comments = append(comments, c)
	}
	return &d, &read, comments
}

func TestReadBackComparesEveryFieldThatIsSent(t *testing.T) {
	t.Parallel()
	later := func(t *time.Time) { *t = t.Add(time.Second) }
	for name, row := range map[string]struct {
		change func(t *readTicket, c []readComment)
		field  string // empty: no difference
	}{
		"nothing":                     {func(*readTicket, []readComment) {}, ""},
		"further tags":                {func(t *readTicket, _ []readComment) { t.Tags = append(t.Tags, "more") }, ""},
		"a further CC":                {func(t *readTicket, _ []readComment) { t.Collaborators = append(t.Collaborators, "99") }, ""},
		"a subject":                   {func(t *readTicket, _ []readComment) { t.Subject += "." }, "subject"},
		"a requester":                 {func(t *readTicket, _ []readComment) { t.RequesterID = "30" }, "requester_id"},
		"a submitter":                 {func(t *readTicket, _ []readComment) { t.SubmitterID = "30" }, "submitter_id"},
		"no organization":             {func(t *readTicket, _ []readComment) { t.OrganizationID = "" }, "organization_id"},
		"a status":                    {func(t *readTicket, _ []readComment) { t.Status = "pending" }, "status"},
		"no priority":                 {func(t *readTicket, _ []readComment) { t.Priority = "" }, "priority"},
		"a type":                      {func(t *readTicket, _ []readComment) { t.Type = "task" }, "type"},
		"a group":                     {func(t *readTicket, _ []readComment) { t.GroupID = "30" }, "group_id"},
		"no assignee":                 {func(t *readTicket, _ []readComment) { t.AssigneeID = "" }, "assignee_id"},
		"a brand":                     {func(t *readTicket, _ []readComment) { t.BrandID = "30" }, "brand_id"},
		"when it was made":            {func(t *readTicket, _ []readComment) { later(&t.CreatedAt) }, "created_at"},
		"when it was changed":         {func(t *readTicket, _ []readComment) { later(&t.UpdatedAt) }, "updated_at"},
		"a CC who is not there":       {func(t *readTicket, _ []readComment) { t.Collaborators = nil }, "collaborator_ids"},
		"a tag that is not there":     {func(t *readTicket, _ []readComment) { t.Tags = t.Tags[1:] }, "tags"},
		"a field":                     {func(t *readTicket, _ []readComment) { t.CustomFields[0].Value = []byte(`"silver"`) }, "custom_fields"},
		"a field that is not there":   {func(t *readTicket, _ []readComment) { t.CustomFields = nil }, "custom_fields"},
		"an author":                   {func(_ *readTicket, c []readComment) { c[1].AuthorID = "30" }, "comments.author_id"},
		"a text":                      {func(_ *readTicket, c []readComment) { c[0].Body += "." }, "comments.body"},
		"a text of HTML":              {func(_ *readTicket, c []readComment) { c[1].HTMLBody += "more" }, "comments.body"},
		"a public one that was not":   {func(_ *readTicket, c []readComment) { c[1].Public = true }, "comments.public"},
		"a private one that was not":  {func(_ *readTicket, c []readComment) { c[0].Public = false }, "comments.public"},
		"when a comment was made":     {func(_ *readTicket, c []readComment) { later(&c[1].CreatedAt) }, "comments.created_at"},
		"a file that nobody has sent": {func(_ *readTicket, c []readComment) { c[0].Attachments = []readFile{{Name: "a"}} }, "comments.attachments"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d, read, comments := sentAndRead(t)
			row.change(read, comments)
			c := compared{d: d, t: read}
			if err := c.ticket(); err != nil {
				t.Fatal(err)
			}
			c.conversation(comments, true)
			b := readBack{}
			if err := b.files(t.Context(), &c); err != nil {
				t.Fatal(err)
			}
			var found []string
			for _, f := range c.found {
				found = append(found, f.Field)
			}
			var want []string
			if row.field != "" {
				want = []string{row.field}
			}
			if !reflect.DeepEqual(found, want) {
				t.Errorf("found %v, want %v", found, want)
			}
		})
	}
	for name, change := range map[string]func(c []readComment) []readComment{
		"a comment less": func(c []readComment) []readComment { return c[:1] },
		"a comment more": func(c []readComment) []readComment {
			return append(c, readComment{AuthorID: "31", Body: "x", CreatedAt: c[1].CreatedAt.Add(time.Hour)})
		},
	} {
		d, read, comments := sentAndRead(t)
		c := compared{d: d, t: read}
		c.conversation(change(comments), true)
		if len(c.found) != 1 || c.found[0].Field != "comments" {
			t.Errorf("%s: found %+v", name, c.found)
		}
		c.found = nil
		c.conversation(change(comments)[:1], false)
		if len(c.found) != 0 {
			t.Errorf("%s, of which only the first was read: found %+v", name, c.found)
		}
	}
}
