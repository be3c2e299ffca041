// Package judge compares one ticket of the source with what an account shows of
// it, field by field. Where the two differ, the difference must be on the list
// of changes, with the hash of the source's value and of the account's, and the
// rule that is named must lead from the one to the other. It shares no line with
// the product: the rules are written anew from docs/fidelity.md.
package judge

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"
	"strings"
)

// Change is a line of the list that `starter changes` gives.
type Change struct {
	Entity   string `json:"entity"`
	SourceID string `json:"source_id"`
	Field    string `json:"field"`
	Part     string `json:"part"`
	Rule     string `json:"rule"`
	Before   string `json:"before"`
	After    string `json:"after"`
}

// Ticket is a ticket as the source's own tables hold it. Times are whole
// seconds since 1970; nil: none.
type Ticket struct {
	ID           string            `json:"id"`
	Subject      string            `json:"subject"`
	Status       string            `json:"status"`
	Priority     string            `json:"priority"`
	Type         string            `json:"type"`
	Channel      string            `json:"channel"` // the tag that it becomes
	Requester    string            `json:"requester"`
	Submitter    string            `json:"submitter"` // empty: the requester
	Organization string            `json:"organization"`
	CCs          []string          `json:"ccs"`
	Tags         []string          `json:"tags"`
	Fields       map[string]string `json:"fields"` // custom fields as text
	Created      *int64            `json:"created"`
	Updated      *int64            `json:"updated"`
	Solved       *int64            `json:"solved"`
	Comments     []Comment         `json:"comments"` // by time, then id
}

// Comment is a message of a ticket.
type Comment struct {
	ID      string `json:"id"`
	Author  string `json:"author"`
	Public  bool   `json:"public"`
	HTML    bool   `json:"html"`
	Body    string `json:"body"`
	Created *int64 `json:"created"`
	Files   []File `json:"files"` // where the judge is to compare them
}

// World is who is who in the account.
type World struct {
	Users         map[string]string // source id → id in the account
	Organizations map[string]string // likewise
	Home          map[string]string // user's id → their organization's, both in the account
	StandIns      map[string]bool   // ids of the placeholder and of ourselves
	Now           int64             // no time in the account may be later
	Changes       map[string][]Change
	Mapping       *Mapping // nil: none
	// Kept is the file of what the account had no room for, by source id.
	Kept func(ticketID string) ([]byte, error)
	// Download is what the account gives of an attachment, by its address.
	Download func(url string) ([]byte, error)
}

// Verdict is what became of one ticket.
type Verdict struct {
	Fields   int      // compared
	Listed   int      // changes that are listed and right
	Unlisted []string // what differs and is not listed, or is listed and wrong: never content
}

// Judge compares a ticket with what the account shows: the ticket, its comments
// in order, and the time at which it was solved.
func Judge(w World, t Ticket, got map[string]any, comments []map[string]any, solved any) Verdict {
	c := &comparison{World: w, t: t, got: got, comments: comments, left: slices.Clone(w.Changes[t.ID])}
	c.people()
	c.texts()
	c.tags()
	c.fields()
	lines := c.conversation()
	c.files(lines)
	c.times(lines, solved)
	for _, l := range c.left {
		c.differs("%s %s: listed as %s, which is not so", l.Field, l.Part, l.Rule)
	}
	return c.verdict
}

type comparison struct {
	World
	t        Ticket
	got      map[string]any
	comments []map[string]any
	left     []Change // not accounted for
	verdict  Verdict
}

func (c *comparison) differs(format string, args ...any) {
	c.verdict.Unlisted = append(c.verdict.Unlisted, "ticket "+c.t.ID+": "+fmt.Sprintf(format, args...))
}

// take removes the changes of a value from the list.
func (c *comparison) take(field, part string) []Change {
	var of []Change
	c.left = slices.DeleteFunc(c.left, func(l Change) bool {
		if l.Field == field && l.Part == part {
			of = append(of, l)
			return true
		}
		return false
	})
	return of
}

// step is a change that must be on the list.
type step struct{ rule, after string }

// value compares a value: it is the source's, or each step that leads from it
// to the account's is listed.
func (c *comparison) value(field, part, source, got string, steps ...step) {
	c.verdict.Fields++
	listed := c.take(field, part)
	at, n := source, 0
	for _, s := range steps {
		if s.after == at {
			continue
		}
		if n == len(listed) || listed[n].Rule != s.rule || listed[n].Before != Hash(at) || listed[n].After != Hash(s.after) {
			c.differs("%s %s: %s is not listed, or with other hashes", field, part, s.rule)
			return
		}
		at = s.after
		n++
	}
	c.verdict.Listed += n
	switch {
	case n < len(listed):
		c.differs("%s %s: %s is listed, and nothing calls for it", field, part, listed[n].Rule)
	case at != got:
		c.differs("%s %s: is not what was sent (%d bytes for %d)", field, part, len(got), len(at))
	}
}

// Hash is the hash of a value in a change.
func Hash(s string) string {
	sum := sha256.Sum256([]byte(s))
	return hex.EncodeToString(sum[:])
}

// word is a value of the account as text; null is empty.
func word(v any) string {
	if v == nil {
		return ""
	}
	return fmt.Sprint(v)
}

func words(v any) []string {
	list, _ := v.([]any)
	var all []string
	for _, w := range list {
		all = append(all, word(w))
	}
	return all
}

func (c *comparison) texts() {
	c.stand()
	c.attribute("priority", c.t.Priority)
	c.attribute("type", c.t.Type)
	whole := cleaned(c.t.Subject)
	c.value("subject", "", c.t.Subject, word(c.got["subject"]), step{"text_cleaned", whole}, step{"subject_cut", shortened(whole)})
}

func (c *comparison) tags() {
	want := map[string]bool{"farewell": true}
	if c.t.Channel != "" {
		want["channel_"+c.t.Channel] = true
	}
	for i, source := range c.t.Tags {
		clean := tag(source)
		if c.Mapping.places("tags", source) {
			c.value("tags", fmt.Sprint(i), source, clean, step{"tag_cleaned", clean})
		} else {
			clean = ""
			c.value("tags", fmt.Sprint(i), source, clean, step{"tag_dropped", clean})
		}
		if clean != "" {
			want[clean] = true
		}
	}
	partitions := 0
	for _, got := range words(c.got["tags"]) {
		switch {
		case want[got]:
			delete(want, got)
		case strings.HasPrefix(got, "farewell_tickets-"):
			partitions++
		case c.Mapping.chooses(&c.t, got): // the account adds the tag of an option
		default:
			c.differs("tags: one that the source does not have")
		}
	}
	if len(want) > 0 || partitions != 1 {
		c.differs("tags: %d are missing, and there are %d of a partition", len(want), partitions)
	}
}

func (c *comparison) fields() {
	shown := map[string]string{}
	list, _ := c.got["custom_fields"].([]any)
	for _, f := range list {
		if field, ok := f.(map[string]any); ok && field["value"] != nil {
			shown[word(field["id"])] = word(field["value"])
		}
	}
	if c.Mapping != nil {
		c.mapped(shown)
	} else {
		for id, source := range c.t.Fields {
			c.value("custom_fields", id, source, shown[id])
			delete(shown, id)
		}
	}
	if len(shown) > 0 {
		c.differs("custom_fields: %d that the source does not have", len(shown))
	}
}
