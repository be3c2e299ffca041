package zendesktest

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"
)

// Alteration changes what an account holds of a ticket, as a fault of Zendesk's
// would: without a trace, updated_at included. What is nil stays.
type Alteration struct {
	Subject     *string
	RequesterID *int64
	CreatedAt   *time.Time
	Tags        []string
	Field       *AlteredField
	// Comment is the place of the comment, from 0, to which the rest belongs.
	Comment   int
	Body      *string
	AuthorID  *int64
	SaidAt    *time.Time
	DropFiles bool   // its attachments are gone
	Bytes     []byte // those of its first attachment
}

// AlteredField is a custom field's new value.
type AlteredField struct {
	ID    int64
	Value any
}

// Alter changes a ticket behind the API, for tests of who must notice. It is
// not kept over a restart.
func (s *Server) Alter(name string, ticketID int64, change Alteration) error {
	a := s.account(name)
	if a == nil {
		return fmt.Errorf("alter a ticket: there is no account %q", name)
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	t := a.tickets.get(ticketID)
	if t == nil || change.Comment >= len(t.comments) {
		return fmt.Errorf("alter ticket %d: it has no comment %d", ticketID, change.Comment)
	}
	set(&t.subject, change.Subject)
	set(&t.requesterID, change.RequesterID)
	setTime(&t.created, change.CreatedAt)
	if change.Tags != nil {
		t.tags = slices.Sorted(slices.Values(change.Tags))
	}
	c := &t.comments[change.Comment]
	set(&c.text, change.Body)
	set(&c.authorID, change.AuthorID)
	setTime(&c.created, change.SaidAt)
	if change.DropFiles {
		c.files = nil
	}
	if err := a.alterBytes(c, change.Bytes); err != nil {
		return fmt.Errorf("alter ticket %d: %w", ticketID, err)
	}
	return t.alterField(change.Field)
}

func (a *account) alterBytes(c *comment, content []byte) error {
	if content == nil {
		return nil
	}
	if c.files == nil || len(c.files.files) == 0 {
		return errors.New("the comment has no attachment")
	}
	altered := *c.files.files[0]
	altered.content = content
	c.files.files[0] = &altered
	a.uploads.content[altered.token] = &altered
	return nil
}

func (t *ticket) alterField(change *AlteredField) error {
	if change == nil {
		return nil
	}
	value, err := json.Marshal(change.Value)
	if err != nil {
		return fmt.Errorf("alter field %d: %w", change.ID, err)
	}
	i := slices.IndexFunc(t.fields, func(f fieldValue) bool { return f.id == change.ID })
	if i < 0 {
		return fmt.Errorf("alter field %d: the ticket does not have it", change.ID)
	}
	t.fields = slices.Clone(t.fields)
	t.fields[i].value = string(value)
	return nil
}

func set[T any](at, to *T) {
	if to != nil {
		*at = *to
	}
}

func setTime(at *int64, to *time.Time) {
	if to != nil {
		*at = to.Unix()
	}
}
