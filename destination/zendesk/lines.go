package zendesk

import (
	"strconv"
	"time"

	"farewell/migration"
)

// line is a comment as it is sent. A source comment that is too long becomes
// several.
type line struct {
	from    *migration.Comment // nil: the source has no such comment
	of      string             // the comment's source id, or what the line is about
	piece   int                // 0: the first, or only one, that the source's became
	author  string
	public  bool
	html    bool
	body    string
	created time.Time
	uploads []string // tokens
}

func (l *line) append(buf []byte) []byte {
	o := beginObject(buf)
	o.id("author_id", l.author)
	o.time("created_at", l.created)
	o.flag("public", l.public)
	if l.html {
		o.text("html_body", l.body)
	} else {
		o.text("body", l.body)
	}
	o.words("uploads", l.uploads)
	return o.end()
}

// part names the line in a change.
func (l *line) part() string { return partName(l.of, l.piece) }

func partName(of string, piece int) string {
	if piece == 0 {
		return of
	}
	return of + "+" + strconv.Itoa(piece)
}

// say makes the ticket's lines: its comments, then what the rules have to say.
func (d *draft) say() {
	d.lines = make([]line, 0, len(d.t.Comments)+1)
	for i := range d.t.Comments {
		c, first := &d.t.Comments[i], len(d.lines)
		if d.comment(c); len(d.lines) > first {
			d.lines[first].uploads = d.in.Files.of(c.Attachments)
		}
	}
	if len(d.lines) == 0 && d.applies(migration.RuleNoMessages) {
		d.add(migration.RuleNoMessages, line{author: d.requester, body: noMessages, created: d.t.CreatedAt, uploads: d.in.Files.of(d.t.Attachments)})
	}
	if d.whole != "" && d.applies(migration.RuleSubjectKept) {
		d.keep(migration.RuleSubjectKept, "subject", wholeSubject+d.whole)
	}
	if d.mapped.note != "" && d.applies(migration.RuleMappingNote) {
		d.keep(migration.RuleMappingNote, "mapping", cleanText(d.mapped.note))
	}
	if note := d.in.Files.note(d.t); note != "" && d.applies(migration.RuleFilesNamed) {
		d.keep(migration.RuleFilesNamed, "attachments", note)
	}
}

// comment adds the lines of one comment.
func (d *draft) comment(c *migration.Comment) {
	author, known := d.in.known(c.AuthorID)
	if !known {
		author = d.standIn("comments.author_id", c.ID, c.AuthorID, author, d.requester)
	}
	body := d.text(c.Body, "comments.body", c.ID, migration.RuleTextCleaned, cleanText)
	body = d.text(body, "comments.body", c.ID, migration.RuleBodyBlank, fillBlank)
	l := line{from: c, of: c.ID, author: author, public: c.Public, html: c.HTML, body: body, created: c.CreatedAt}
	if len(body) <= bodyLimit || !d.applies(migration.RuleBodySplit) {
		d.lines = append(d.lines, l)
		return
	}
	for n, piece := range splitBody(body, c.HTML) {
		l.piece, l.body = n, piece
		if isBlank(piece) {
			l.body = ""
		}
		d.note("comments.body", l.part(), migration.RuleBodySplit, migration.HashText(body), migration.HashText(l.body))
		if l.body != "" {
			d.lines = append(d.lines, l)
		}
	}
}

// keep keeps a text for which the ticket has no place, in private at its end.
func (d *draft) keep(r migration.Rule, of, text string) {
	at := d.t.CreatedAt
	if len(d.lines) > 0 {
		at = d.lines[len(d.lines)-1].created
	}
	for n, piece := range splitBody(text, false) {
		if !isBlank(piece) {
			d.add(r, line{of: of, piece: n, author: d.submitter, body: piece, created: at})
		}
	}
}

// add adds a line that the source does not have.
func (d *draft) add(r migration.Rule, l line) {
	d.lines = append(d.lines, l)
	d.note("comments.body", l.part(), r, migration.HashText(""), migration.HashText(l.body))
}

// nameFiles notes which attachments of its lines have another name than at the
// source.
func (d *draft) nameFiles() {
	sent := map[string]bool{}
	for i := range d.lines {
		for _, token := range d.lines[i].uploads {
			sent[token] = true
		}
	}
	if len(sent) == 0 || !d.applies(migration.RuleFileRenamed) {
		return
	}
	for _, f := range d.t.Files() {
		if name := fileName(f); name != f.FileName && sent[d.in.Files.tokens[f.ID]] {
			d.note("attachments.file_name", f.ID, migration.RuleFileRenamed, migration.HashText(f.FileName), migration.HashText(name))
		}
	}
}

// leave leaves out the lines beyond the limit.
func (d *draft) leave() {
	if len(d.lines) <= commentLimit || !d.applies(migration.RuleCommentsOver) {
		return
	}
	d.lines, d.left = d.lines[:commentLimit:commentLimit], d.lines[commentLimit:]
	for i := range d.left {
		l := &d.left[i]
		d.note("comments.body", l.part(), migration.RuleCommentsOver, migration.HashText(l.body), migration.HashText(""))
	}
}
