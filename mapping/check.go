package mapping

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
)

// Zendesk's own words (https://developer.zendesk.com/api-reference/ticketing/tickets/tickets/).

// Statuses are those of a ticket.
func Statuses() []string { return []string{"new", "open", "pending", "hold", "solved", "closed"} }

// Priorities are those of a ticket.
func Priorities() []string { return []string{"low", "normal", "high", "urgent"} }

// Types are those of a ticket.
func Types() []string { return []string{"question", "incident", "problem", "task"} }

// check finds what is wrong whatever the account: words that no ticket has,
// entries that say nothing or contradict each other.
func (m *Mapping) check() []Problem {
	c := checker{m: m}
	t := &m.Tickets
	c.words("tickets.status", t.Status, Statuses())
	c.words("tickets.priority", t.Priority, Priorities())
	c.words("tickets.type", t.Type, Types())
	c.keep("tickets.keep", t.Keep)
	c.window("tickets.skip", "created", t.Skip.CreatedBefore, t.Skip.CreatedAfter)
	c.window("tickets.skip", "updated", t.Skip.UpdatedBefore, t.Skip.UpdatedAfter)
	for i, r := range t.Assign {
		c.rule(Path("tickets.assign", strconv.Itoa(i)), r)
	}
	c.fields("tickets.fields", t.Fields)
	c.fields("users.fields", m.Users.Fields)
	c.fields("organizations.fields", m.Organizations.Fields)
	for _, kind := range []struct {
		path   string
		fields map[string]Field
	}{{"users.fields", m.Users.Fields}, {"organizations.fields", m.Organizations.Fields}} {
		for _, name := range slices.Sorted(maps.Keys(kind.fields)) {
			if kind.fields[name].Keep == KeepNote {
				c.wrong(Path(kind.path, name, "keep"), "only tickets have notes", "leave keep out: what has no place is listed all the same")
			}
		}
	}
	return c.problems
}

type checker struct {
	m        *Mapping
	problems []Problem
}

func (c *checker) wrong(path, text, fix string) {
	c.problems = append(c.problems, c.m.Problem(path, text, fix))
}

func (c *checker) words(path string, w Words, known []string) {
	one := func(path, word string) {
		if word != "" && !slices.Contains(known, word) {
			c.wrong(path, fmt.Sprintf("Zendesk has no %q here", word), DidYouMean("words", word, known))
		}
	}
	for _, word := range slices.Sorted(maps.Keys(w.Values)) {
		one(Path(path, "values", word), w.Values[word])
	}
	one(Path(path, "otherwise"), w.Otherwise)
	one(Path(path, "default"), w.Default)
}

func (c *checker) keep(path string, k Keep) {
	if k != "" && k != KeepNothing && k != KeepNote {
		c.wrong(path, fmt.Sprintf("%q is no way to keep a value", string(k)), "write note or nothing")
	}
}

// window refuses two bounds that leave nothing.
func (c *checker) window(path, what string, before, after Day) {
	if !before.IsZero() && !after.IsZero() && !after.After(before.Time) {
		c.wrong(Path(path, what+"_after"), fmt.Sprintf("every ticket was %s before %s or after %s, so none would be brought", what, before, after),
			fmt.Sprintf("put %s_after later than %s_before", what, what))
	}
}

func (c *checker) rule(path string, r Rule) {
	if r.Group == "" && r.Assignee == "" && r.Brand == "" {
		c.wrong(path, "the rule assigns nothing", "give it a group, an assignee or a brand")
	}
}

func (c *checker) fields(path string, fields map[string]Field) {
	for _, name := range slices.Sorted(maps.Keys(fields)) {
		f, at := fields[name], Path(path, name)
		c.keep(Path(at, "keep"), f.Keep)
		if f.To == "" && (len(f.Options) > 0 || f.Otherwise != "" || f.Default != "") {
			c.wrong(at, fmt.Sprintf("field %q has values but no target", name), "say to: and the field's id")
		}
	}
}
