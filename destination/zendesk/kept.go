package zendesk

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"time"

	"farewell/destination"
	"farewell/migration"
)

// keepLeft keeps the comments that no ticket in the account has room for, and
// records the file's hash. It comes before the ticket is sent: what cannot be
// kept is not left out.
func (a *Account) keepLeft(drafts []draft) error {
	for i := range drafts {
		d := &drafts[i]
		if len(d.left) == 0 {
			continue
		}
		if err := a.keepTicket(d); err != nil {
			return &destination.Error{
				Op: "keep the comments of ticket " + d.t.ID + " beyond the most that Zendesk takes", Kind: destination.Misconfigured, Code: "kept_folder", Err: err,
				Fix: "let the worker write to the folder that FAREWELL_KEPT names, then retry",
			}
		}
	}
	return nil
}

func (a *Account) keepTicket(d *draft) error {
	if a.kept == "" {
		return errors.New("no folder is set")
	}
	content, err := keptLines(d.left)
	if err != nil {
		return err
	}
	folder := filepath.Join(a.kept, url.PathEscape(a.customer), url.PathEscape(a.name))
	if err := writeWhole(folder, keptName(d.t.ID), content); err != nil {
		return err
	}
	sum := sha256.Sum256(content)
	d.note("comments", "", migration.RuleCommentsOver, migration.HashText(""), hex.EncodeToString(sum[:]))
	return nil
}

// keptName is the file of a ticket. Ids that differ only in case have different
// ones on every file system.
func keptName(ticketID string) string {
	return "ticket-" + url.PathEscape(ExternalID("", ticketID)) + ".ndjson"
}

// keptComment is a line of such a file. docs/fidelity.md describes it.
type keptComment struct {
	ID          string     `json:"id"`
	AuthorID    string     `json:"author_id"`
	Public      bool       `json:"public"`
	BodyFormat  string     `json:"body_format"`
	Body        string     `json:"body"`
	CreatedAt   *time.Time `json:"created_at"`
	Attachments []keptFile `json:"attachments"`
}

type keptFile struct {
	ID          string `json:"id"`
	FileName    string `json:"file_name"`
	ContentType string `json:"content_type"`
	Size        int64  `json:"size"`
	URL         string `json:"url"`
}

// keptLines shows each comment as the source has it, and whole, also when its
// first pieces are in the account. What a rule has added comes as a comment
// without an id.
func keptLines(left []line) ([]byte, error) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	var last *migration.Comment
	for i := range left {
		l := &left[i]
		k := keptComment{BodyFormat: "plain", Body: l.body, Attachments: []keptFile{}}
		if c := l.from; c != nil {
			if c == last {
				continue
			}
			last = c
			k = ofComment(c)
		}
		if err := e.Encode(k); err != nil {
			return nil, err
		}
	}
	return b.Bytes(), nil
}

func ofComment(c *migration.Comment) keptComment {
	k := keptComment{ID: c.ID, AuthorID: c.AuthorID, Public: c.Public, BodyFormat: "plain", Body: c.Body, Attachments: []keptFile{}}
	if c.HTML {
		k.BodyFormat = "html"
	}
	if !c.CreatedAt.IsZero() {
		k.CreatedAt = &c.CreatedAt
	}
	for _, f := range c.Attachments {
		k.Attachments = append(k.Attachments, keptFile{ID: f.ID, FileName: f.FileName, ContentType: f.ContentType, Size: f.Size, URL: f.URL})
	}
	return k
}

// writeWhole writes a file that is there whole or not at all, down to the disk.
func writeWhole(folder, name string, content []byte) (err error) {
	if err := os.MkdirAll(folder, 0o700); err != nil {
		return err
	}
	file, err := os.CreateTemp(folder, "."+name+".*")
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			_ = os.Remove(file.Name()) // what is left of it is no file of ours, and the error is told
		}
	}()
	if _, err := file.Write(content); err != nil {
		return errors.Join(err, file.Close())
	}
	if err := errors.Join(file.Sync(), file.Close()); err != nil {
		return err
	}
	if err := os.Rename(file.Name(), filepath.Join(folder, name)); err != nil {
		return err
	}
	return syncFolder(folder)
}

func syncFolder(path string) error {
	folder, err := os.Open(path)
	if err != nil {
		return fmt.Errorf("sync %s: %w", path, err)
	}
	return errors.Join(folder.Sync(), folder.Close())
}
