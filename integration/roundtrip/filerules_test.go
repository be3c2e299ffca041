package main

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"

	"farewell/destination"
	"farewell/integration/roundtrip/judge"
	"farewell/migration"
)

// TestNoRuleAboutFilesCanBeDoneWithout: without a rule, the account refuses or
// does not show a file, and the judge sees it.
func TestNoRuleAboutFilesCanBeDoneWithout(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		name  string
		rule  migration.Rule
		files []judge.File
	}{
		{"all can be had", "", []judge.File{{ID: "1", Name: "a ü.pdf", Content: "first"}, {ID: "2", Name: "b.pdf"}}},
		{"a file that is gone", migration.RuleFilesNamed, []judge.File{
			{ID: "1", Name: "a.pdf", Content: "first"}, {ID: "2", Name: "\tgone \"for good\".pdf", Gone: "it is not there"}, {ID: "3", Name: "c.pdf", Content: "third"},
		}},
		{"no name", migration.RuleFileRenamed, []judge.File{{ID: "1", Content: "x"}}},
		{"a blank name", migration.RuleFileRenamed, []judge.File{{ID: "1", Name: " \n", Content: "x"}}},
		{"control characters", migration.RuleFileRenamed, []judge.File{{ID: "1", Name: " a\r\nb\x7f.pdf", Content: "x"}}},
		{"a long name", migration.RuleFileRenamed, []judge.File{{ID: "1", Name: "x" + strings.Repeat("é", 200) + ".pdf", Content: "x"}}},
		{"a long name with a long ending", migration.RuleFileRenamed, []judge.File{{ID: "1", Name: "a." + strings.Repeat("漢", 100), Content: "x"}}},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			ticket := judge.Ticket{
				ID: "7", Subject: "with files", Status: "open", Channel: "chat", Requester: "1001", Created: at(1e9), Updated: at(1e9 + 500),
				Comments: []judge.Comment{
					{ID: "71", Author: "1001", Public: true, Body: "first", Created: at(1e9)},
					{ID: "72", Author: "1002", Public: true, Body: "second", Created: at(1e9 + 60), Files: row.files},
				},
			}
			cannotDoWithout(t, row.rule, func(off migration.Rule) ([]migration.Change, []string) {
				d := newDirect(t)
				d.world.Download = download
				return d.through(t, ticket, destination.PrepareInput{OpenFile: shelf(row.files)}, off)
			})
		})
	}
}

// shelf opens files where the source keeps them.
func shelf(files []judge.File) destination.OpenFile {
	return func(_ context.Context, a migration.Attachment) (destination.File, error) {
		for _, f := range files {
			if f.ID == a.ID && f.Gone == "" {
				return destination.File{ReadCloser: io.NopCloser(strings.NewReader(f.Content)), Size: int64(len(f.Content))}, nil
			}
		}
		return destination.File{}, &destination.FileError{Code: migration.FileNotFound, Text: "it is not there"}
	}
}

// download reads the file at an address that an account has given.
func download(address string) ([]byte, error) {
	response, err := http.Get(address)
	if err != nil {
		return nil, err
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("download an attachment: %s", response.Status)
	}
	return io.ReadAll(response.Body)
}
