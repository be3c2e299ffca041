package judge

import (
	"fmt"
	"path"
	"strings"
	"unicode/utf8"
)

// File is an attachment of a comment.
type File struct {
	ID      string
	Name    string
	Content string
	Gone    string // why the source cannot give it, in the words that the operator reads; empty: it can
}

// nameBytes is the longest name of a file.
const nameBytes = 255

// files compares the attachments of the comments that have any at the source:
// names, which may have to be others, and contents.
func (c *comparison) files(lines []line) {
	for i := range lines {
		if m := lines[i].of; m != nil && !lines[i].further && len(m.Files) > 0 {
			c.attached(m, objects(c.comments[i]["attachments"]))
		}
	}
}

func (c *comparison) attached(m *Comment, shown []map[string]any) {
	for _, f := range m.Files {
		if f.Gone != "" {
			continue // the note names it
		}
		if len(shown) == 0 {
			c.differs("comment %s: attachment %s is missing", m.ID, f.ID)
			continue
		}
		got := shown[0]
		shown = shown[1:]
		c.value("attachments.file_name", f.ID, f.Name, word(got["file_name"]), step{"file_renamed", f.called()})
		content, err := c.Download(word(got["content_url"]))
		if err != nil || string(content) != f.Content {
			c.differs("comment %s: attachment %s has another content: %v", m.ID, f.ID, err)
		}
	}
	if len(shown) > 0 {
		c.differs("comment %s: %d attachments that the source does not have", m.ID, len(shown))
	}
}

// filesNote is the private comment that names the files that are not there; "":
// there is none.
func (c *comparison) filesNote() string {
	var note strings.Builder
	for _, m := range c.t.Comments {
		for _, f := range m.Files {
			if f.Gone != "" {
				fmt.Fprintf(&note, "\n- attachment %q (id %s): %s", f.called(), f.ID, f.Gone)
			}
		}
	}
	if note.Len() == 0 {
		return ""
	}
	return "Not migrated with this ticket:" + note.String()
}

// called is the name that the file has in the account.
func (f File) called() string {
	var b strings.Builder
	for _, r := range f.Name {
		if r >= 0x20 && r != 0x7f {
			b.WriteRune(r)
		}
	}
	name := trim(b.String())
	if name == "" {
		return "attachment-" + f.ID
	}
	if len(name) <= nameBytes {
		return name
	}
	ending := path.Ext(name)
	if len(ending) > 20 {
		ending = ""
	}
	most := nameBytes - len(ending)
	for !utf8.RuneStart(name[most]) {
		most--
	}
	return name[:most] + ending
}

// objects are those of a list.
func objects(v any) []map[string]any {
	list, _ := v.([]any)
	var all []map[string]any
	for _, e := range list {
		if m, ok := e.(map[string]any); ok {
			all = append(all, m)
		}
	}
	return all
}
