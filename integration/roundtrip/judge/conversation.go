package judge

import (
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
)

// line is a comment that the account must show.
type line struct {
	of      *Comment // nil: the source has no such comment
	part    string   // of its body, in the list
	further bool     // not the first of its comment, or of no comment
	public  bool
	html    bool
	body    string
	created *int64
}

// conversation compares the comments but for their times, and returns the lines
// that are there.
func (c *comparison) conversation() []line {
	lines := c.lines()
	over := lines[min(len(lines), ticketComments):]
	lines = lines[:len(lines)-len(over)]
	if len(lines) != len(c.comments) {
		c.differs("comments: %d, not the %d that it should have", len(c.comments), len(lines))
		return nil
	}
	bodies := map[string]string{}
	for i := range lines {
		c.compare(&lines[i], c.comments[i])
		bodies[lines[i].part] = bodyOf(lines[i], c.comments[i])
	}
	c.bodies(bodies)
	c.kept(over)
	return lines
}

// lines are the comments of the source, in pieces where they are too long, and
// what the rules add.
func (c *comparison) lines() []line {
	var lines []line
	for i := range c.t.Comments {
		m := &c.t.Comments[i]
		l := line{of: m, public: m.Public, html: m.HTML, created: m.Created}
		lines = append(lines, l.inPieces(m.ID, filled(cleaned(m.Body)))...)
	}
	if len(lines) == 0 {
		lines = []line{{further: true, body: "(no messages)", created: c.t.Created}}
	}
	if whole := cleaned(c.t.Subject); shortened(whole) != whole {
		l := line{further: true, created: lines[len(lines)-1].created}
		lines = append(lines, l.inPieces("subject", "Subject: "+whole)...)
	}
	if note := c.mappingNote(); note != "" {
		l := line{further: true, created: lines[len(lines)-1].created}
		lines = append(lines, l.inPieces("mapping", note)...)
	}
	if note := c.filesNote(); note != "" {
		l := line{further: true, created: lines[len(lines)-1].created}
		lines = append(lines, l.inPieces("attachments", note)...)
	}
	return lines
}

// inPieces are the lines that a text becomes: those that are not blank.
func (l line) inPieces(name, text string) []line {
	var lines []line
	for n, piece := range pieces(text, l.html) {
		l.part, l.body = name, piece
		if n > 0 {
			l.part, l.further = name+"+"+strconv.Itoa(n), true
		}
		if !blank(piece) {
			lines = append(lines, l)
		}
	}
	return lines
}

// pieces cuts after the last end of a line (of a tag, in HTML) in the second
// half of what fits, else after the last space there, else between characters.
func pieces(text string, html bool) []string {
	var all []string
	for len(text) > bodyBytes {
		n := bodyBytes
		for n > 0 && text[n]&0xC0 == 0x80 {
			n--
		}
		end := "\n"
		if html {
			end = ">"
		}
		for _, mark := range []string{" ", end} {
			if i := strings.LastIndex(text[bodyBytes/2:bodyBytes], mark); i >= 0 {
				n = bodyBytes/2 + i + 1
			}
		}
		all, text = append(all, text[:n]), text[n:]
	}
	return append(all, text)
}

func (c *comparison) compare(l *line, got map[string]any) {
	author := word(got["author_id"])
	switch {
	case l.of != nil && l.further: // of a piece, the list says nothing more
		if want, known := c.Users[l.of.Author]; known && author != want {
			c.differs("comment %s: another author", l.part)
		}
	case l.of != nil:
		c.person("comments.author_id", l.of.ID, l.of.Author, author)
	case !c.StandIns[author] && author != word(c.got["submitter_id"]) && author != word(c.got["requester_id"]):
		c.differs("comment %s: is of somebody who has nothing to do with it", l.part)
	}
	c.verdict.Fields++
	if public, ok := got["public"].(bool); !ok || public != l.public {
		c.differs("comment %s: public is not %t", l.part, l.public)
	}
}

// bodies compares the texts: shown are those of the account, by part.
func (c *comparison) bodies(shown map[string]string) {
	for i := range c.t.Comments {
		m := &c.t.Comments[i]
		clean := cleaned(m.Body)
		full := filled(clean)
		steps := []step{{"text_cleaned", clean}, {"body_blank", full}}
		for n, piece := range pieces(full, m.HTML) {
			part, sent := m.ID, piece
			if n > 0 {
				part = m.ID + "+" + strconv.Itoa(n)
				steps = nil // the list tells them with the first piece
			}
			if blank(piece) {
				sent = ""
			}
			steps := append(steps, step{"body_split", sent})
			got, there := shown[part]
			if !there && sent != "" {
				steps = append(steps, step{"comments_over", ""})
			}
			c.text(part, m.Body, full, n, got, steps)
		}
	}
	for part, got := range shown {
		if part == "" {
			c.value("comments.body", part, "", got, step{"no_messages", "(no messages)"})
		}
	}
	if note := c.mappingNote(); note != "" {
		c.value("comments.body", "mapping", "", shown["mapping"], step{"mapping_note", note})
	}
	if note := c.filesNote(); note != "" {
		c.value("comments.body", "attachments", "", shown["attachments"], step{"files_named", note})
	}
	whole := cleaned(c.t.Subject)
	if shortened(whole) == whole {
		return
	}
	for n, piece := range pieces("Subject: "+whole, false) {
		part := "subject"
		if n > 0 {
			part += "+" + strconv.Itoa(n)
		}
		got, there := shown[part]
		steps := []step{{"subject_kept", piece}}
		if !there {
			steps = append(steps, step{"comments_over", ""})
		}
		if !blank(piece) {
			c.value("comments.body", part, "", got, steps...)
		}
	}
}

// text compares a piece. A further one continues from the whole text.
func (c *comparison) text(part, source, full string, n int, got string, steps []step) {
	if n > 0 {
		source = full
	}
	c.value("comments.body", part, source, got, steps...)
}

// kept compares the file of what is beyond the most comments.
func (c *comparison) kept(over []line) {
	if len(over) == 0 {
		return
	}
	if c.Kept == nil { // nobody keeps files here
		c.take("comments", "")
		return
	}
	file, err := c.Kept(c.t.ID)
	if err != nil {
		c.differs("comments: what was left out is not kept: %v", err)
		return
	}
	c.value("comments", "", "", string(file), step{"comments_over", string(file)})
	lines := strings.Split(strings.TrimSuffix(string(file), "\n"), "\n")
	var last *Comment
	for _, l := range over {
		if l.of != nil && l.of == last {
			continue
		}
		last = l.of
		if len(lines) == 0 {
			c.differs("comments: the file ends before %s", l.part)
			return
		}
		if err := l.isKept(lines[0]); err != nil {
			c.differs("comments: in the file, %s: %v", l.part, err)
		}
		lines = lines[1:]
	}
	if len(lines) > 0 {
		c.differs("comments: %d lines too many in the file", len(lines))
	}
}

func (l line) isKept(text string) error {
	var k struct {
		ID       string `json:"id"`
		AuthorID string `json:"author_id"`
		Public   bool   `json:"public"`
		Format   string `json:"body_format"`
		Body     string `json:"body"`
	}
	if err := json.Unmarshal([]byte(text), &k); err != nil {
		return err
	}
	want := Comment{Body: l.body}
	if l.of != nil {
		want = *l.of
	}
	if k.ID != want.ID || k.AuthorID != want.Author || k.Public != want.Public || (k.Format == "html") != want.HTML || k.Body != cleaned(want.Body) {
		return fmt.Errorf("is not comment %q", want.ID)
	}
	return nil
}

// bodyOf is a comment's text as it was sent.
func bodyOf(l line, got map[string]any) string {
	if !l.html {
		return word(got["body"])
	}
	html := strings.TrimPrefix(word(got["html_body"]), `<div class="zd-comment" dir="auto">`)
	return strings.TrimSuffix(html, "</div>")
}
