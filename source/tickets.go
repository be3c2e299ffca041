package source

import (
	"github.com/jackc/pgx/v5"

	"farewell/migration"
)

func takeTickets(rows pgx.Rows, err error, n int) ([]migration.Ticket, error) {
	all := make([]migration.Ticket, 0, n)
	err = eachRow(rows, err, func(r *row) {
		all = append(all, migration.Ticket{
			ID:             r.id("tickets"),
			RequesterID:    r.text(),
			SubmitterID:    r.text(),
			OrganizationID: r.text(),
			Subject:        r.text(),
			Status:         r.text(),
			Priority:       r.text(),
			Type:           r.text(),
			Channel:        r.text(),
			Tags:           r.tags(),
			CustomFields:   r.json(),
			CreatedAt:      r.time(),
			UpdatedAt:      r.time(),
			SolvedAt:       r.time(),
			CCs:            r.tags(),
			AssigneeID:     r.text(),
			Group:          r.text(),
			Brand:          r.text(),
		})
	})
	return all, err
}

// takeConversations hands the comments and attachments to their tickets.
func takeConversations(results pgx.BatchResults, tickets []migration.Ticket) error {
	place := make(map[string]int, len(tickets))
	for i := range tickets {
		place[tickets[i].ID] = i
	}
	rows, err := results.Query()
	if err := takeComments(rows, err, tickets, place); err != nil {
		return err
	}
	rows, err = results.Query()
	return takeAttachments(rows, err, tickets, place)
}

// takeComments relies on the order by ticket, time and id.
func takeComments(rows pgx.Rows, err error, tickets []migration.Ticket, place map[string]int) error {
	ticket, known := "", (*migration.Ticket)(nil)
	return eachRow(rows, err, func(r *row) {
		c := migration.Comment{ID: r.id("comments")}
		if id := r.cell(); known == nil || string(id) != ticket {
			ticket = string(id)
			i, ok := place[ticket]
			if !ok {
				r.fail(mismatch("comments"))
				return
			}
			known = &tickets[i]
		}
		c.AuthorID = r.text()
		c.Public = r.bool()
		c.Body = r.text()
		c.HTML = string(r.cell()) == "html"
		c.CreatedAt = r.time()
		known.Comments = append(known.Comments, c)
	})
}

func takeAttachments(rows pgx.Rows, err error, tickets []migration.Ticket, place map[string]int) error {
	return eachRow(rows, err, func(r *row) {
		a, comment := attachment(r)
		i, ok := place[a.TicketID]
		if !ok {
			r.fail(mismatch("attachments"))
			return
		}
		at := filesOf(&tickets[i], comment)
		*at = append(*at, a)
	})
}

// attachment reads one in the order of the view's columns.
func attachment(r *row) (a migration.Attachment, commentID string) {
	a.ID = r.id("attachments")
	a.TicketID = r.text()
	commentID = r.text()
	a.FileName = r.text()
	a.ContentType = r.text()
	a.Size = r.integer()
	a.URL = r.text()
	a.CreatedAt = r.time()
	a.BlobKey = r.text()
	a.Stored = r.bool()
	a.SHA256 = r.text()
	return a, commentID
}

// filesOf is where an attachment goes: to the comment with the id, else to the
// first, else to the ticket itself.
func filesOf(t *migration.Ticket, commentID string) *[]migration.Attachment {
	if len(t.Comments) == 0 {
		return &t.Attachments
	}
	for i := range t.Comments {
		if t.Comments[i].ID == commentID {
			return &t.Comments[i].Attachments
		}
	}
	return &t.Comments[0].Attachments
}

// mismatch is what two types for one id lead to: uuid written in upper case in
// one view and lower case in the other, for example.
func mismatch(view string) error {
	return &refusal{"the ticket ids of view " + view + " are not spelt as those of view tickets", "show both with the same type and spelling"}
}
