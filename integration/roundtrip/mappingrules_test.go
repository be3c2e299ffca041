package main

import (
	"strings"
	"testing"

	"farewell/destination"
	"farewell/integration/roundtrip/judge"
	"farewell/mapping"
	"farewell/migration"
)

// mappingFile is a mapping as the product reads it, and mappingSays the same as
// the judge takes it.
const mappingFile = `
version: 1
default:
  tickets:
    keep: note
    fields:
      product: Product
      due: Due
      plan: Plan
    priority: {values: {low: ~}}
    tags: {values: {internal: ~}}
    assign:
      - when: {tag: assigned}
        assignee: desk@acme.example
`

func mappingSays() *judge.Mapping {
	return &judge.Mapping{
		Fields: map[string]judge.Field{
			"product": {ID: "360500000001"}, "due": {ID: "360500000002", Date: true}, "plan": {ID: "360500000003", Options: []string{"gold"}},
		},
		Left:     map[string][]string{"status": {"stuck"}, "priority": {"low", "whenever"}, "type": {"wish"}, "tags": {"internal"}},
		Assigned: "assigned", Note: true,
	}
}

// TestNoRuleOfAMappingCanBeDoneWithout: without a rule, the account refuses,
// leaves out or shows what the mapping has no place for, and the judge sees it.
func TestNoRuleOfAMappingCanBeDoneWithout(t *testing.T) {
	t.Parallel()
	file, err := mapping.Parse("mapping.yaml", []byte(strings.TrimSpace(mappingFile)))
	if err != nil {
		t.Fatal(err)
	}
	for _, row := range []struct {
		name   string
		rule   migration.Rule
		change func(t *judge.Ticket)
	}{
		{"all has its place", "", func(t *judge.Ticket) {
			t.Fields = map[string]string{"product": "Desk", "due": "2024-05-06", "plan": "gold"}
		}},
		{"a field without a place", migration.RuleFieldDropped, func(t *judge.Ticket) { t.Fields["360500000009"] = "x" }},
		{"an option that the field does not have", migration.RuleValueDropped, func(t *judge.Ticket) { t.Fields["plan"] = "silver" }},
		{"a status that the account does not know", migration.RuleValueDropped, func(t *judge.Ticket) { t.Status = "stuck" }},
		{"a priority that the account does not know", migration.RuleValueDropped, func(t *judge.Ticket) { t.Priority = "whenever" }},
		{"a priority that is to be left out", migration.RuleValueDropped, func(t *judge.Ticket) { t.Priority = "low" }},
		{"a type that the account does not know", migration.RuleValueDropped, func(t *judge.Ticket) { t.Type = "wish" }},
		{"a time for a date", migration.RuleValueCut, func(t *judge.Ticket) { t.Fields["due"] = "2024-05-06T07:08:09Z" }},
		{"a new ticket with an assignee", migration.RuleStatusOpened, func(t *judge.Ticket) { t.Status, t.Tags = "new", []string{"assigned"} }},
		{"a tag that is to be left out", migration.RuleTagDropped, func(t *judge.Ticket) { t.Tags = []string{"plain", "internal"} }},
		{"a note on what has no place", migration.RuleMappingNote, func(t *judge.Ticket) {
			t.Priority, t.Status, t.Fields["due"], t.Tags = "low", "stuck", "2024-05-06T07:08:09Z", []string{"internal"}
		}},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			ticket := judge.Ticket{
				ID: "7", Subject: "mapped", Status: "open", Priority: "high", Type: "task", Channel: "chat", Requester: "1001", Fields: map[string]string{},
				Created: at(1e9), Updated: at(1e9 + 500), Comments: []judge.Comment{{ID: "71", Author: "1001", Public: true, Body: "first", Created: at(1e9)}},
			}
			row.change(&ticket)
			cannotDoWithout(t, row.rule, func(off migration.Rule) ([]migration.Change, []string) {
				d := newDirect(t)
				d.world.Mapping = mappingSays()
				return d.through(t, ticket, destination.PrepareInput{Mapping: file.Of("acme")}, off)
			})
		})
	}
}
