package zendesk

import (
	"strings"
	"time"
	"unicode/utf8"

	"farewell/migration"
)

const (
	// bodyLimit is the most bytes of a comment: Zendesk's own people name about
	// 65,000 characters, dependent on the encoding.
	bodyLimit = 65_000
	// commentLimit is the most comments of a ticket
	// (https://developer.zendesk.com/api-reference/ticketing/tickets/tickets/).
	commentLimit = 5_000
	// noText stands for a body that is blank, which Zendesk refuses.
	noText = "(no text)"
	// noMessages is the only comment of a ticket without any.
	noMessages = "(no messages)"
)

// epoch is the earliest time that Zendesk takes.
var epoch = time.Unix(0, 0).UTC()

// line is a comment as it is sent. A source comment that is too long becomes
// several.
type line struct {
	author  string
	public  bool
	html    bool
	body    string
	created time.Time
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
	return o.end()
}

// lines are the ticket's comments as they are sent, with the ticket's own
// times, which must not contradict theirs.
func (in *EncodeInput) lines(t *migration.Ticket, requester, submitter string) (lines []line, created, updated time.Time) {
	lines = make([]line, 0, len(t.Comments)+1)
	for i := range t.Comments {
		c := &t.Comments[i]
		author, _ := in.person(c.AuthorID, requester)
		for _, body := range bodies(c.Body, c.HTML) {
			lines = append(lines, line{author: author, public: c.Public, html: c.HTML, body: body, created: c.CreatedAt})
		}
	}
	if len(lines) == 0 {
		lines = append(lines, line{author: requester, body: noMessages, created: t.CreatedAt})
	}
	if _, cut := cutSubject(t.Subject); cut {
		for _, body := range bodies("Subject: "+t.Subject, false) {
			lines = append(lines, line{author: submitter, body: body, created: lines[len(lines)-1].created})
		}
	}
	created = latest(t.CreatedAt, epoch).Truncate(time.Second)
	created = spread(lines, created, in.Now)
	updated = latest(latest(t.UpdatedAt, lines[len(lines)-1].created), created)
	return lines, created, updated
}

// spread makes the times of the comments strictly increasing, a second apart
// at least, none before the ticket's and none after now; Zendesk stores whole
// seconds and sorts by them. It returns the ticket's time, which moves back
// when there are more comments than seconds.
func spread(lines []line, created, now time.Time) time.Time {
	earliest := created
	for i := range lines {
		lines[i].created = latest(lines[i].created.Truncate(time.Second), earliest)
		earliest = lines[i].created.Add(time.Second)
	}
	if now.IsZero() {
		return created
	}
	last := now.Add(-time.Second).Truncate(time.Second)
	for i := len(lines) - 1; i >= 0 && lines[i].created.After(last); i-- {
		lines[i].created = last
		last = last.Add(-time.Second)
	}
	if lines[0].created.Before(created) {
		return lines[0].created
	}
	return created
}

func latest(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

// bodies cuts a comment's text into pieces that Zendesk takes.
func bodies(body string, html bool) []string {
	if strings.TrimSpace(body) == "" {
		return []string{noText}
	}
	if !utf8.ValidString(body) {
		body = string([]rune(body)) // each wrong byte takes three afterwards
	}
	if len(body) <= bodyLimit {
		return []string{body}
	}
	var pieces []string
	for len(body) > bodyLimit {
		n := cutAt(body[:bodyLimit], html)
		if piece := body[:n]; strings.TrimSpace(piece) != "" {
			pieces = append(pieces, piece)
		}
		body = body[n:]
	}
	if strings.TrimSpace(body) != "" {
		pieces = append(pieces, body)
	}
	return pieces
}

// cutAt finds where to cut: after a tag or a line, then after a blank, in the
// last half; else between two characters.
func cutAt(s string, html bool) int {
	half := len(s) / 2
	marks := []string{"\n", " "}
	if html {
		marks = []string{">", " "}
	}
	for _, mark := range marks {
		if i := strings.LastIndex(s, mark); i >= half {
			return i + len(mark)
		}
	}
	n := len(s)
	for n > 1 {
		if r, size := utf8.DecodeLastRuneInString(s[:n]); r != utf8.RuneError || size != 1 {
			return n
		}
		n--
	}
	return len(s)
}

// cutSubject cuts a subject at the limit; the whole of it goes into a private
// comment at the ticket's end.
func cutSubject(subject string) (string, bool) {
	short := cutRunes(subject, nameLimit)
	return short, len(short) < len(subject)
}
