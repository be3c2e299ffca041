package judge

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// Mapping is what a mapping file says.
type Mapping struct {
	Fields   map[string]Field    // of tickets, by the source's name; those that are not in it have no place
	Left     map[string][]string // by attribute, or "tags": words without a place
	Assigned string              // tickets with this tag get an assignee
	Note     bool                // a private note keeps what has no place
}

// Field is where a ticket's field goes.
type Field struct {
	ID      string
	Date    bool
	Options []string // of a drop-down field; empty: it is none
}

// places tells that a word of an attribute has a place; without a mapping all
// have.
func (m *Mapping) places(attribute, word string) bool {
	return m == nil || !slices.Contains(m.Left[attribute], word)
}

func (m *Mapping) assigns(t *Ticket) bool { return m != nil && slices.Contains(t.Tags, m.Assigned) }

// chooses tells that a tag is the option of one of the ticket's fields.
func (m *Mapping) chooses(t *Ticket, tag string) bool {
	if m == nil {
		return false
	}
	for name, field := range m.Fields {
		if slices.Contains(field.Options, tag) && t.Fields[name] == tag {
			return true
		}
	}
	return false
}

// stand compares the status: one without a place is "new", and a new ticket of
// an assignee "open".
func (c *comparison) stand() {
	status, rule := c.t.Status, "status_missing"
	if status == "" {
		status = "new"
	}
	if !c.Mapping.places("status", c.t.Status) {
		status, rule = "new", "value_dropped"
	}
	if status == "new" && c.Mapping.assigns(&c.t) {
		if status = "open"; c.t.Status == "new" {
			rule = "status_opened"
		}
	}
	c.value("status", "", c.t.Status, word(c.got["status"]), step{rule, status})
}

// attribute compares a word: one without a place is left out.
func (c *comparison) attribute(name, source string) {
	sent := source
	if !c.Mapping.places(name, source) {
		sent = ""
	}
	c.value(name, "", source, word(c.got[name]), step{"value_dropped", sent})
}

// mapped compares custom fields that a mapping has placed; shown are those of
// the account, by id. It takes away what it has compared.
func (c *comparison) mapped(shown map[string]string) {
	for name, source := range c.t.Fields {
		field := c.Mapping.Fields[name]
		rule, sent := field.of(source)
		c.value("custom_fields."+name, "", quoted(source), quoted(shown[field.ID]), step{rule, quoted(sent)})
		delete(shown, field.ID)
	}
}

// of is what the field takes of a value, and the rule by which it does.
func (f Field) of(source string) (rule, sent string) {
	switch {
	case f.ID == "":
		return "field_dropped", ""
	case f.Date && len(source) > len("2006-01-02"):
		return "value_cut", source[:len("2006-01-02")]
	case len(f.Options) > 0 && !slices.Contains(f.Options, source):
		return "value_dropped", ""
	}
	return "", source
}

// quoted is a text as JSON; an empty one is none.
func quoted(s string) string {
	if s == "" {
		return ""
	}
	text, _ := json.Marshal(s) // of a text, which always encodes
	return string(text)
}

// mappingNote is the private comment that keeps what has no place; "": there is
// none.
func (c *comparison) mappingNote() string {
	m := c.Mapping
	if m == nil || !m.Note {
		return ""
	}
	var kept []string
	for _, name := range slices.Sorted(maps.Keys(c.t.Fields)) {
		if rule, _ := m.Fields[name].of(c.t.Fields[name]); rule != "" {
			kept = append(kept, "custom_fields."+name+": "+quoted(c.t.Fields[name]))
		}
	}
	for _, a := range []struct {
		name  string
		words []string
	}{{"priority", []string{c.t.Priority}}, {"type", []string{c.t.Type}}, {"tags", c.t.Tags}, {"status", []string{c.t.Status}}} {
		for _, word := range a.words {
			if !m.places(a.name, word) {
				kept = append(kept, fmt.Sprint(a.name, ": ", word))
			}
		}
	}
	if len(kept) == 0 {
		return ""
	}
	return "This had no place in the account:\n\n" + strings.Join(kept, "\n")
}
