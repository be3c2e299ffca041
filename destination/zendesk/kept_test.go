package zendesk_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"farewell/destination"
	"farewell/destination/zendesk"
	"farewell/migration"
)

// endless is a ticket of more comments than Zendesk takes.
func endless(n int) migration.Page {
	t := migration.Ticket{ID: "T/1", Subject: "endless", Status: "open", CreatedAt: time.Unix(1e9, 0), UpdatedAt: time.Unix(1e9, 0)}
	for i := range n {
		t.Comments = append(t.Comments, migration.Comment{
			ID: fmt.Sprint(i), AuthorID: "someone", HTML: i%2 == 1, Body: fmt.Sprintf("<p>comment %d</p>", i), CreatedAt: time.Unix(1e9+int64(i), 0),
		})
	}
	return migration.Page{Tickets: []migration.Ticket{t}}
}

func TestCommentsBeyondTheMostAreKeptBesideTheAccount(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	s := newSandbox(t, nil)
	a := open(t, zendesk.Options{Account: s.account(), Timings: timings(), Kept: folder})
	for range 2 { // a batch that is sent again keeps the same
		_, parcel := prepare(t, a, migration.Tickets, endless(5003))
		file, err := os.ReadFile(filepath.Join(folder, "c1", "acme", "ticket-%5Et%2F1.ndjson"))
		if err != nil {
			t.Fatal(err)
		}
		lines := bytes.Split(bytes.TrimSpace(file), []byte("\n"))
		var last struct {
			ID, Body, BodyFormat string
		}
		if err := json.Unmarshal(lines[len(lines)-1], &last); err != nil || len(lines) != 3 || last.ID != "5002" || last.Body != "<p>comment 5002</p>" {
			t.Errorf("%d lines are kept, the last is %+v (%v)", len(lines), last, err)
		}
		sum := sha256.Sum256(file)
		left, whole := 0, 0
		for _, c := range parcel.Changes {
			switch {
			case c.Rule != migration.RuleCommentsOver:
			case c.Field == "comments" && c.After == hex.EncodeToString(sum[:]):
				whole++
			case c.Field == "comments.body" && c.After == migration.HashText(""):
				left++
			}
		}
		if left != 3 || whole != 1 || bytes.Count(parcel.Body, []byte(`"author_id"`)) != 5000 {
			t.Errorf("%d comments are listed as left out, %d files, %d comments are sent", left, whole, bytes.Count(parcel.Body, []byte(`"author_id"`)))
		}
	}
}

func TestNothingIsLeftOutThatCannotBeKept(t *testing.T) {
	t.Parallel()
	occupied := filepath.Join(t.TempDir(), "a file")
	if err := os.WriteFile(occupied, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	s := newSandbox(t, nil)
	for name, folder := range map[string]string{"no folder is set": "", "a file is in its place": occupied} {
		a := open(t, zendesk.Options{Account: s.account(), Timings: timings(), Kept: folder})
		_, err := a.Prepare(within(t), destination.PrepareInput{Entity: migration.Tickets, Partition: "p", Page: endless(5001), Directory: nobody})
		var d *destination.Error
		if !errors.As(err, &d) || d.Kind != destination.Misconfigured || !strings.Contains(d.Fix, "FAREWELL_KEPT") {
			t.Errorf("%s: %v", name, err)
		}
	}
}
