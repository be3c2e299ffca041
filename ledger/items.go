package ledger

import (
	"encoding/json"
	"fmt"
	"hash/fnv"
	"slices"
	"strconv"
	"strings"

	"farewell/migration"
)

// columns is a list of items as the tables keep it: a letter and a target id
// for each record, and words only for the few that have any.
type columns struct {
	sources  []string
	outcomes string
	targets  []string // nil: no item has one
	problems []byte   // JSON; nil: no item has a code or text
}

// problem is the code and text of the item at a position.
type problem struct {
	At   int    `json:"at"`
	Code string `json:"code,omitempty"`
	Text string `json:"text,omitempty"`
}

func toColumns(items []migration.Item) (columns, error) {
	if len(items) == 0 {
		return columns{}, nil
	}
	c := columns{sources: make([]string, len(items))}
	outcomes := make([]byte, len(items))
	targets := make([]string, len(items))
	var problems []problem
	for i, item := range items {
		switch item.Outcome {
		case migration.Created, migration.AlreadyThere, migration.Skipped, migration.Failed, migration.NotSent:
		default:
			return columns{}, fmt.Errorf("record %s has no outcome", item.SourceID)
		}
		if strings.Contains(item.TargetID, separator) {
			return columns{}, fmt.Errorf("record %s has a target id that cannot be stored: %q", item.SourceID, item.TargetID)
		}
		c.sources[i] = item.SourceID
		outcomes[i] = byte(item.Outcome)
		targets[i] = item.TargetID
		if item.TargetID != "" {
			c.targets = targets
		}
		if item.Code != "" || item.Text != "" {
			problems = append(problems, problem{At: i, Code: clean(item.Code), Text: clean(item.Text)})
		}
	}
	c.outcomes = string(outcomes)
	if problems != nil {
		text, err := json.Marshal(problems)
		if err != nil {
			return columns{}, err
		}
		c.problems = text
	}
	return c, nil
}

// targetList is the targets as a settlement keeps them; nil: no item has one.
func (c columns) targetList() *string {
	if c.targets == nil {
		return nil
	}
	list := idList(c.targets)
	return &list
}

func (c columns) items() ([]migration.Item, error) {
	if len(c.sources) == 0 {
		return nil, nil
	}
	if len(c.outcomes) != len(c.sources) {
		return nil, fmt.Errorf("%d outcomes for %d records", len(c.outcomes), len(c.sources))
	}
	items := make([]migration.Item, len(c.sources))
	for i, id := range c.sources {
		items[i] = migration.Item{SourceID: id, Outcome: migration.Outcome(c.outcomes[i])}
		if i < len(c.targets) {
			items[i].TargetID = c.targets[i]
		}
	}
	if c.problems == nil {
		return items, nil
	}
	var problems []problem
	if err := json.Unmarshal(c.problems, &problems); err != nil {
		return nil, fmt.Errorf("read the reasons: %w", err)
	}
	for _, p := range problems {
		if p.At < 0 || p.At >= len(items) {
			return nil, fmt.Errorf("a reason for item %d of %d", p.At, len(items))
		}
		items[p.At].Code, items[p.At].Text = p.Code, p.Text
	}
	return items, nil
}

// digest tells one piece of evidence of a batch from another, so that writing
// it again after an uncertain commit adds nothing.
func digest(e migration.Evidence) int64 {
	h := fnv.New64a()
	text := make([]byte, 0, 256)
	add := func(words ...string) {
		text = text[:0]
		for _, word := range words {
			text = append(strconv.AppendInt(text, int64(len(word)), 10), ' ')
			text = append(text, word...)
		}
		_, _ = h.Write(text) // a hash takes everything
	}
	add(string(e.Kind), e.JobID, e.Note)
	for _, item := range e.Items {
		add(item.SourceID, string(rune(item.Outcome)), item.TargetID, item.Code, item.Text)
	}
	return int64(h.Sum64())
}

// contains tells whether every item of some is one of all.
func contains(all, some []migration.Item) bool {
	if slices.Equal(all, some) {
		return true
	}
	known := make(map[migration.Item]bool, len(all))
	for _, item := range all {
		known[item] = true
	}
	for _, item := range some {
		if !known[item] {
			return false
		}
	}
	return true
}
