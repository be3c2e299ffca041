package activities_test

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"strings"
	"sync"

	"farewell/destination"
	"farewell/migration"
)

// cabinet keeps the bytes of attachments, by id.
type cabinet struct {
	mu      sync.Mutex
	content map[string][]byte
}

func newCabinet() *cabinet { return &cabinet{content: map[string][]byte{}} }

// Open opens what is in the cabinet; other files are gone.
func (c *cabinet) Open(_ context.Context, _ string, a migration.Attachment) (destination.File, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	content, there := c.content[a.ID]
	if !there {
		return destination.File{}, &destination.FileError{Code: migration.FileNotFound, Text: "it is gone"}
	}
	return destination.File{ReadCloser: io.NopCloser(bytes.NewReader(content)), Size: int64(len(content))}, nil
}

func (c *cabinet) Reaches(migration.FilePlace) bool { return true }

// put gives a ticket's comment a file of some size; the source does not say
// what is in it.
func (c *cabinet) put(t *migration.Ticket, comment, size int) migration.Attachment {
	c.mu.Lock()
	defer c.mu.Unlock()
	on := &t.Comments[comment]
	a := migration.Attachment{ID: fmt.Sprintf("f%s-%d-%d", t.ID, comment, len(on.Attachments)), TicketID: t.ID, FileName: "page.html", ContentType: "text/html"}
	c.content[a.ID] = []byte(strings.Repeat("<html>"+a.ID, size/len("<html>"+a.ID)+1)[:size])
	on.Attachments = append(on.Attachments, a)
	return a
}

// lose takes a file out of the cabinet.
func (c *cabinet) lose(a migration.Attachment) {
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.content, a.ID)
}
