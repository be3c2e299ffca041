package main

import (
	"fmt"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"farewell/destination/zendesk"
	"farewell/destination/zendesk/zendesktest"
	"farewell/integration/roundtrip/corpus"
	"farewell/integration/roundtrip/judge"
	"farewell/migration"
)

const firstNumber = 1000

// newDirect is an account of a sandbox of the test's own.
func newDirect(t *testing.T) *direct {
	t.Helper()
	server, err := zendesktest.New(zendesktest.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if err := server.CreateAccount("acme", map[string]any{
		"plan_per_minute": plenty,
		"ticket_fields": []map[string]any{
			{"id": 360500000001, "type": "text", "title": "Product"},
			{"id": 360500000002, "type": "date", "title": "Due"},
			{"id": 360500000003, "type": "tagger", "title": "Plan", "custom_field_options": []map[string]any{{"name": "Gold", "value": "gold"}}},
		},
		"agents": []map[string]any{{"name": "Desk", "email": "desk@acme.example", "role": "agent"}},
		// Whoever was hired a moment ago is found.
		"index_lag_seconds": 0,
	}); err != nil {
		t.Fatal(err)
	}
	front := httptest.NewServer(server)
	t.Cleanup(front.Close)
	d, err := openDirect(t.Context(), reader{base: front.URL + "/accounts/acme/api/v2/", token: "sandbox-acme", http: front.Client()}, firstNumber)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// small is a corpus that a test has time for.
func small() []judge.Ticket {
	tickets := corpus.Tickets(corpus.Size{Step: 97, Big: true, Long: 3, First: firstNumber})
	return append(tickets, corpus.Impossible(firstNumber+len(tickets))...)
}

func TestHostileRecordsArriveOrAreListed(t *testing.T) {
	t.Parallel()
	seen, err := newDirect(t).bring(t.Context(), small(), "")
	if err != nil {
		t.Fatal(err)
	}
	for _, u := range seen.unlisted {
		t.Error(u)
	}
	t.Logf("%d tickets, changes %v", seen.tickets, seen.rules)
	if missing := unseen(seen.rules, ticketRules()); missing != "" {
		t.Errorf("no record of the corpus needs %s", missing)
	}
}

// Without a rule, the account cuts, refuses or shows something else, and the
// judge sees it.
func TestNoRuleCanBeDoneWithout(t *testing.T) {
	t.Parallel()
	tickets := small()
	for _, rule := range ticketRules() {
		t.Run(string(rule), func(t *testing.T) {
			t.Parallel()
			d := newDirect(t)
			var needing []judge.Ticket
			for _, ticket := range tickets {
				if len(needing) < 20 && d.needs(ticket, rule) {
					needing = append(needing, ticket)
				}
			}
			seen, err := d.bring(t.Context(), needing, rule)
			if err != nil {
				t.Fatal(err)
			}
			if len(seen.unlisted) == 0 {
				t.Errorf("%d tickets arrived without it as they are at the source", len(needing))
			}
		})
	}
}

func (d *direct) needs(ticket judge.Ticket, rule migration.Rule) bool {
	_, changes := zendesk.EncodeTickets(nil, d.encode(ticket, ""))
	return slices.ContainsFunc(changes, func(c migration.Change) bool { return c.Rule == rule })
}

// The judge sees whatever the product would change without saying so, and
// whatever it would say without having changed it.
func TestJudgeSeesEachPlantedDifference(t *testing.T) {
	t.Parallel()
	ticket := judge.Ticket{
		ID: "7", Subject: strings.Repeat("long ", 60), Status: "solved", Priority: "high", Type: "task", Channel: "chat",
		Requester: fmt.Sprint(firstNumber + 1), Submitter: fmt.Sprint(firstNumber + 2), Organization: fmt.Sprint(firstNumber + 1),
		CCs: []string{fmt.Sprint(firstNumber + 3)}, Tags: []string{"One", "two"}, Fields: map[string]string{"360500000001": "x"},
		Created: at(1e9), Updated: at(1e9 + 500), Solved: at(1e9 + 400),
		Comments: []judge.Comment{
			{ID: "71", Author: fmt.Sprint(firstNumber + 1), Public: true, Body: "first", Created: at(1e9)},
			{ID: "72", Author: fmt.Sprint(firstNumber + 4), HTML: true, Body: "<p>second</p>", Created: at(1e9)},
		},
	}
	d := newDirect(t)
	other := d.users[fmt.Sprint(firstNumber+9)].ID
	for name, plant := range map[string]func(s *shown){
		"":                  func(*shown) {},
		"subject":           func(s *shown) { s.ticket["subject"] = "long" },
		"status":            func(s *shown) { s.ticket["status"] = "open" },
		"priority":          func(s *shown) { s.ticket["priority"] = nil },
		"type":              func(s *shown) { s.ticket["type"] = "question" },
		"requester":         func(s *shown) { s.ticket["requester_id"] = other },
		"submitter":         func(s *shown) { s.ticket["submitter_id"] = other },
		"organization":      func(s *shown) { s.ticket["organization_id"] = nil },
		"CC less":           func(s *shown) { s.ticket["collaborator_ids"] = []any{} },
		"CC more":           func(s *shown) { s.ticket["collaborator_ids"] = append(s.ticket["collaborator_ids"].([]any), other) },
		"tag more":          func(s *shown) { s.ticket["tags"] = append(s.ticket["tags"].([]any), "three") },
		"tag less":          func(s *shown) { s.ticket["tags"] = s.ticket["tags"].([]any)[1:] },
		"custom field":      func(s *shown) { s.ticket["custom_fields"] = []any{} },
		"created":           func(s *shown) { s.ticket["created_at"] = "2001-09-09T01:46:41Z" },
		"updated":           func(s *shown) { s.ticket["updated_at"] = "2001-09-09T01:46:41Z" },
		"solved":            func(s *shown) { s.solved = nil },
		"comment's body":    func(s *shown) { s.comments[0]["body"] = "first " },
		"comment's HTML":    func(s *shown) { s.comments[1]["html_body"] = "<p>second</p>." },
		"comment's author":  func(s *shown) { s.comments[1]["author_id"] = other },
		"comment's public":  func(s *shown) { s.comments[1]["public"] = true },
		"comment's time":    func(s *shown) { s.comments[1]["created_at"] = "2001-09-09T01:46:45Z" },
		"kept subject":      func(s *shown) { s.comments[2]["body"] = "Subject: long" },
		"kept subject seen": func(s *shown) { s.comments[2]["public"] = true },
		"comment less":      func(s *shown) { s.comments = s.comments[:2] },
		"comment more":      func(s *shown) { s.comments = append(s.comments, s.comments[0]) },
		"list less":         func(s *shown) { s.listed["7"] = s.listed["7"][1:] },
		"list more": func(s *shown) {
			s.listed["7"] = append(s.listed["7"], judge.Change{Field: "status", Rule: "value_dropped", Before: judge.Hash("solved"), After: judge.Hash("solved")})
		},
		"list's before": func(s *shown) { s.listed["7"][0].Before = judge.Hash("") },
		"list's after":  func(s *shown) { s.listed["7"][0].After = judge.Hash("") },
		"list's rule":   func(s *shown) { s.listed["7"][0].Rule = "tag_cleaned" },
	} {
		got, _, refused, err := d.send(t.Context(), ticket, "")
		if refused != "" || err != nil {
			t.Fatal(refused, err)
		}
		plant(&got)
		unlisted := d.judge(ticket, got).Unlisted
		if (len(unlisted) > 0) != (name != "") {
			t.Errorf("%q is planted, the judge says %q", name, unlisted)
		}
	}
}

func at(unix int64) *int64 { return &unix }
