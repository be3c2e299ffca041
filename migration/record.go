package migration

import (
	"encoding/json"
	"slices"
	"time"
)

// Organization is a customer's client company, as the view "organizations" shows it.
type Organization struct {
	ID        string
	Name      string
	Details   string
	Notes     string
	Tags      []string
	CreatedAt time.Time
	UpdatedAt time.Time
	Fields    json.RawMessage // a JSON object: key of the organization field → value; empty: none
}

// User is a person, as the view "users" shows them.
type User struct {
	ID             string
	OrganizationID string // empty: none
	Name           string
	Email          string // empty: none
	Phone          string
	Role           string // end_user, agent or admin, at the source
	TimeZone       string
	Locale         string
	Tags           []string
	CreatedAt      time.Time
	UpdatedAt      time.Time
	Organizations  []string        // ids of further organizations
	Emails         []string        // further addresses
	Phones         []string        // further numbers
	Fields         json.RawMessage // a JSON object: key of the user field → value; empty: none
	Suspended      bool
}

// Ticket is a conversation with everything said in it.
type Ticket struct {
	ID             string
	RequesterID    string // empty: unknown at the source
	SubmitterID    string // empty: the requester
	OrganizationID string // empty: none
	Subject        string
	Status         string // new, open, pending, hold, solved, closed
	Priority       string // empty, low, normal, high, urgent
	Type           string // empty, question, incident, problem, task
	Channel        string // email, chat, facebook, twitter, …
	Tags           []string
	CustomFields   json.RawMessage // a JSON object: Zendesk field id → value; empty: none
	CreatedAt      time.Time
	UpdatedAt      time.Time
	SolvedAt       time.Time // zero: not solved
	CCs            []string  // ids of users who get copies
	Comments       []Comment // by time, then id
	AssigneeID     string    // empty: nobody
	Group          string    // name of the group at the source; empty: none
	Brand          string    // name of the brand at the source; empty: none
	// Attachments are those for which there is no comment to carry them, since
	// the ticket has none.
	Attachments []Attachment
}

// Files lists all attachments of the ticket, in the order of its comments.
func (t *Ticket) Files() []Attachment {
	files := slices.Clone(t.Attachments)
	for i := range t.Comments {
		files = append(files, t.Comments[i].Attachments...)
	}
	return files
}

// Comment is one message of a ticket.
type Comment struct {
	ID          string
	AuthorID    string // empty: unknown at the source
	Public      bool
	HTML        bool // Body is HTML, not plain text
	Body        string
	CreatedAt   time.Time
	Attachments []Attachment
}

// Attachment describes a file at a comment; its bytes are not part of a page.
// They are where the first of Stored, BlobKey and URL says that is set.
type Attachment struct {
	ID          string
	TicketID    string
	FileName    string
	ContentType string
	Size        int64  // bytes; 0: the source does not say
	SHA256      string // of the bytes, hexadecimal; empty: the source does not say
	CreatedAt   time.Time
	Stored      bool   // the bytes are in the source's own column "content"
	BlobKey     string // the key of an object in the bucket with the customers' files
	URL         string
}

// Page is a run of records of one entity in key order, read in one snapshot.
// Exactly one of the slices is in use.
type Page struct {
	Organizations []Organization
	Users         []User
	Tickets       []Ticket
	ReadAt        time.Time // the source's clock when the snapshot was taken
	Last          string    // the id of the last record: the next page begins after it
	More          bool      // whether the range may hold records after Last
}

// Len is the number of records in the page.
func (p Page) Len() int { return len(p.Organizations) + len(p.Users) + len(p.Tickets) }

// IDs lists the source ids of the records, in the page's order.
func (p Page) IDs() []string {
	ids := make([]string, 0, p.Len())
	for i := range p.Organizations {
		ids = append(ids, p.Organizations[i].ID)
	}
	for i := range p.Users {
		ids = append(ids, p.Users[i].ID)
	}
	for i := range p.Tickets {
		ids = append(ids, p.Tickets[i].ID)
	}
	return ids
}

// Slice returns the records from (inclusive) to (exclusive) as a page of the
// same snapshot.
func (p Page) Slice(from, to int) Page {
	q := Page{ReadAt: p.ReadAt, More: p.More || to < p.Len()}
	switch {
	case p.Organizations != nil:
		q.Organizations = p.Organizations[from:to]
	case p.Users != nil:
		q.Users = p.Users[from:to]
	case p.Tickets != nil:
		q.Tickets = p.Tickets[from:to]
	}
	if ids := q.IDs(); len(ids) > 0 {
		q.Last = ids[len(ids)-1]
	}
	return q
}

// Without returns the page's records whose ids are not in the set; the page
// itself where these are all.
func (p Page) Without(ids map[string]bool) Page {
	has := func(id string) bool { return ids[id] }
	if !slices.ContainsFunc(p.IDs(), has) {
		return p
	}
	q := p
	q.Organizations = slices.DeleteFunc(slices.Clone(p.Organizations), func(o Organization) bool { return has(o.ID) })
	q.Users = slices.DeleteFunc(slices.Clone(p.Users), func(u User) bool { return has(u.ID) })
	q.Tickets = slices.DeleteFunc(slices.Clone(p.Tickets), func(t Ticket) bool { return has(t.ID) })
	return q
}

// Listed is what a comparison of sets needs of a record: no content.
type Listed struct {
	ID        string
	CreatedAt time.Time // zero where the view has no such column
	UpdatedAt time.Time
}
