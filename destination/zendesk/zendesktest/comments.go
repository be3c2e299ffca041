package zendesktest

import (
	"html"
	"regexp"
	"strings"
)

// showComment writes a comment of t as Zendesk shows it. base is where the client reaches the account.
func (a *account) showComment(e *encoder, t *ticket, c *comment, base string) {
	e.begin('{')
	id := t.firstComment + int64(c.position)
	plain := c.plain()
	e.number("id", id)
	e.member("type", "Comment")
	e.number("author_id", c.authorID)
	e.member("body", plain)
	e.member("html_body", c.markup())
	e.member("plain_body", plain)
	e.flag("public", !c.private)
	e.key("attachments")
	e.begin('[')
	if c.files != nil {
		for _, f := range c.files.files {
			f.show(e, base)
		}
	}
	e.end(']')
	e.number("audit_id", id+500_000_000_000)
	e.literal("via", `{"channel":"api","source":{"from":{},"to":{},"rel":null}}`)
	e.time("created_at", c.created)
	e.literal("metadata", `{"system":{},"custom":{}}`)
	e.end('}')
}

var (
	lineTags = regexp.MustCompile(`(?i)<(br|/p|/div|/li|/tr|/h[1-6])\b[^>]*>`)
	anyTag   = regexp.MustCompile(`<[^>]*>`)
)

// plain is the text of a comment; one that was sent as HTML loses its tags.
func (c *comment) plain() string {
	if !c.html {
		return c.text
	}
	text := lineTags.ReplaceAllString(c.text, "\n")
	return strings.TrimSpace(html.UnescapeString(anyTag.ReplaceAllString(text, "")))
}

// markup is the comment as HTML.
func (c *comment) markup() string {
	const open = `<div class="zd-comment" dir="auto">`
	if c.html {
		return open + c.text + `</div>`
	}
	text := strings.ReplaceAll(html.EscapeString(c.text), "\n", "<br>")
	return open + `<p dir="auto">` + text + `</p></div>`
}
