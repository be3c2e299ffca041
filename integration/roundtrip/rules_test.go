package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"farewell/destination/zendesk"
	"farewell/destination/zendesk/zendesktest"
	"farewell/integration/roundtrip/corpus"
	"farewell/integration/roundtrip/judge"
	"farewell/migration"
)

// theirs is an account of the sandbox with the corpus's people.
type theirs struct {
	t     *testing.T
	url   string
	users map[string]migration.Target
	orgs  map[string]migration.Target
	world judge.World
}

const firstNumber = 1000

func newTheirs(t *testing.T) *theirs {
	t.Helper()
	server, err := zendesktest.New(zendesktest.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if err := server.CreateAccount("acme", map[string]any{
		"plan_per_minute": 1_000_000_000,
		"ticket_fields":   []map[string]any{{"id": 360500000001, "type": "text", "title": "Product"}},
	}); err != nil {
		t.Fatal(err)
	}
	front := httptest.NewServer(server)
	t.Cleanup(front.Close)
	a := &theirs{t: t, url: front.URL + "/accounts/acme/api/v2/", users: map[string]migration.Target{}, orgs: map[string]migration.Target{}}
	a.world = judge.World{Users: map[string]string{}, Organizations: map[string]string{}, Home: map[string]string{}, StandIns: map[string]bool{}}
	for n := range corpus.Organizations {
		id := a.create("organization", map[string]any{"name": fmt.Sprint("org ", n)})
		source := fmt.Sprint(firstNumber + n)
		a.orgs[source], a.world.Organizations[source] = migration.Target{ID: id}, id
	}
	for n := range corpus.Persons {
		user := map[string]any{"name": fmt.Sprint("person ", n), "email": fmt.Sprintf("p%d@example.com", n)}
		home := a.world.Organizations[fmt.Sprint(firstNumber+corpus.Home(n))]
		if corpus.Home(n) > 0 {
			user["organization_id"] = home
		}
		id := a.create("user", user)
		source := fmt.Sprint(firstNumber + n)
		a.users[source], a.world.Users[source] = migration.Target{ID: id}, id
		if corpus.Home(n) > 0 {
			a.world.Home[id] = home
		}
	}
	self := judged(a.get("users/me"))["user"].(map[string]any)
	a.world.StandIns[fmt.Sprint(self["id"])] = true
	return a
}

func judged(body []byte) map[string]any {
	var v map[string]any
	d := json.NewDecoder(bytes.NewReader(body))
	d.UseNumber()
	if err := d.Decode(&v); err != nil {
		return map[string]any{}
	}
	return v
}

func (a *theirs) call(method, path string, body []byte) (int, []byte) {
	a.t.Helper()
	request, err := http.NewRequestWithContext(a.t.Context(), method, a.url+path, bytes.NewReader(body))
	if err != nil {
		a.t.Fatal(err)
	}
	request.Header.Set("Authorization", "Bearer sandbox-acme")
	request.Header.Set("Content-Type", "application/json")
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		a.t.Fatal(err)
	}
	defer response.Body.Close()
	answer, err := io.ReadAll(response.Body)
	if err != nil {
		a.t.Fatal(err)
	}
	return response.StatusCode, answer
}

func (a *theirs) get(path string) []byte {
	a.t.Helper()
	status, body := a.call(http.MethodGet, path, nil)
	if status != http.StatusOK {
		a.t.Fatalf("GET %s: %d %.300s", path, status, body)
	}
	return body
}

func (a *theirs) create(kind string, record map[string]any) string {
	a.t.Helper()
	body, err := json.Marshal(map[string]any{kind: record})
	if err != nil {
		a.t.Fatal(err)
	}
	status, answer := a.call(http.MethodPost, kind+"s", body)
	created, ok := judged(answer)[kind].(map[string]any)
	if status != http.StatusCreated || !ok {
		a.t.Fatalf("create a %s: %d %.300s", kind, status, answer)
	}
	return fmt.Sprint(created["id"])
}

// shown is a ticket as the account shows it, with what the product has listed.
type shown struct {
	ticket   map[string]any
	comments []map[string]any
	solved   any
	listed   map[string][]judge.Change
}

// bring imports tickets as the product encodes them, and judges what arrived.
func (a *theirs) bring(tickets []judge.Ticket, off migration.Rule) (changes []migration.Change, unlisted []string) {
	a.t.Helper()
	for _, ticket := range tickets {
		got, changed, refused := a.send(ticket, off)
		changes = append(changes, changed...)
		if refused != "" {
			unlisted = append(unlisted, refused)
			continue
		}
		unlisted = append(unlisted, a.judge(ticket, got)...)
	}
	return changes, unlisted
}

// send imports one ticket and reads it back; refused tells why it is not there.
func (a *theirs) send(ticket judge.Ticket, off migration.Rule) (got shown, changes []migration.Change, refused string) {
	a.t.Helper()
	body, changes := zendesk.EncodeTickets(nil, zendesk.EncodeInput{
		Tickets: []migration.Ticket{record(ticket)}, Users: a.users, Organizations: a.orgs, Self: a.self(), Prefix: "farewell-",
		Partition: "tickets-0001", Single: true, Now: time.Now(), Off: map[migration.Rule]bool{off: true},
	})
	status, answer := a.call(http.MethodPost, "imports/tickets", body)
	arrived, ok := judged(answer)["ticket"].(map[string]any)
	if status != http.StatusCreated || !ok {
		return got, changes, fmt.Sprintf("ticket %s: is not there: %d %.300s", ticket.ID, status, answer)
	}
	id := fmt.Sprint(arrived["id"])
	metric, _ := judged(a.get("tickets/" + id + "/metrics"))["ticket_metric"].(map[string]any)
	return shown{arrived, a.comments(id), metric["solved_at"], listed(changes)}, changes, ""
}

func (a *theirs) judge(ticket judge.Ticket, got shown) []string {
	w := a.world
	w.Now, w.Changes = time.Now().Unix(), got.listed
	return judge.Judge(w, ticket, got.ticket, got.comments, got.solved).Unlisted
}

func (a *theirs) self() string {
	for id := range a.world.StandIns {
		return id
	}
	return ""
}

func (a *theirs) comments(id string) []map[string]any {
	a.t.Helper()
	var all []map[string]any
	for page := "tickets/" + id + "/comments?page[size]=100"; page != ""; {
		answer := judged(a.get(page))
		list, _ := answer["comments"].([]any)
		for _, c := range list {
			all = append(all, c.(map[string]any))
		}
		meta, _ := answer["meta"].(map[string]any)
		page = ""
		if meta["has_more"] == true {
			page = fmt.Sprint("tickets/", id, "/comments?page[size]=100&page[after]=", meta["after_cursor"])
		}
	}
	return all
}

func listed(changes []migration.Change) map[string][]judge.Change {
	by := map[string][]judge.Change{}
	for _, c := range changes {
		by[c.SourceID] = append(by[c.SourceID], judge.Change{
			Entity: string(c.Entity), SourceID: c.SourceID, Field: c.Field, Part: c.Part, Rule: string(c.Rule), Before: c.Before, After: c.After,
		})
	}
	return by
}

// record is a ticket as the source's package reads it.
func record(t judge.Ticket) migration.Ticket {
	moment := func(at *int64) time.Time {
		if at == nil {
			return time.Time{}
		}
		return time.Unix(*at, 1000).UTC()
	}
	r := migration.Ticket{
		ID: t.ID, RequesterID: t.Requester, SubmitterID: t.Submitter, OrganizationID: t.Organization, Subject: t.Subject, Status: t.Status,
		Priority: t.Priority, Type: t.Type, Channel: t.Channel, Tags: t.Tags, CCs: t.CCs,
		CreatedAt: moment(t.Created), UpdatedAt: moment(t.Updated), SolvedAt: moment(t.Solved),
	}
	r.CustomFields, _ = json.Marshal(t.Fields) // of texts, which always encode
	for _, c := range t.Comments {
		r.Comments = append(r.Comments, migration.Comment{ID: c.ID, AuthorID: c.Author, Public: c.Public, HTML: c.HTML, Body: c.Body, CreatedAt: moment(c.Created)})
	}
	return r
}

// small is a corpus that a test has time for.
func small() []judge.Ticket {
	tickets := corpus.Tickets(corpus.Size{Step: 97, Big: true, Long: 3, First: firstNumber})
	return append(tickets, corpus.Impossible(firstNumber+len(tickets))...)
}

func TestHostileRecordsArriveOrAreListed(t *testing.T) {
	t.Parallel()
	tickets := small()
	changes, unlisted := newTheirs(t).bring(tickets, "")
	for _, u := range unlisted {
		t.Error(u)
	}
	seen := map[migration.Rule]int{}
	for _, c := range changes {
		seen[c.Rule]++
	}
	t.Logf("%d tickets, changes %v", len(tickets), seen)
	for _, rule := range append(rules(), migration.RuleSubjectKept) {
		if seen[rule] == 0 {
			t.Errorf("no record of the corpus needs %s", rule)
		}
	}
}

// rules are those about tickets.
func rules() []migration.Rule {
	return []migration.Rule{
		migration.RuleSubjectCut, migration.RuleTextCleaned, migration.RuleBodySplit, migration.RuleBodyBlank, migration.RuleNoMessages,
		migration.RuleCommentsOver, migration.RuleTagCleaned, migration.RuleStatusMissing, migration.RuleTimeMissing, migration.RuleTimeEarly, migration.RuleTimeFuture,
		migration.RuleTimeOrder, migration.RulePersonReplaced, migration.RuleOrganizationLeft, migration.RuleCCsOver, migration.RuleCCLeft,
	}
}

// Without a rule, the account cuts, refuses or shows something else, and the
// judge sees it.
func TestNoRuleCanBeDoneWithout(t *testing.T) {
	t.Parallel()
	tickets := small()
	for _, rule := range rules() {
		t.Run(string(rule), func(t *testing.T) {
			t.Parallel()
			a := newTheirs(t)
			var needing []judge.Ticket
			for _, ticket := range tickets {
				if len(needing) < 20 && a.needs(ticket, rule) {
					needing = append(needing, ticket)
				}
			}
			_, unlisted := a.bring(needing, rule)
			if len(unlisted) == 0 {
				t.Errorf("%d tickets arrived without it as they are at the source", len(needing))
			}
		})
	}
}

func (a *theirs) needs(ticket judge.Ticket, rule migration.Rule) bool {
	_, changes := zendesk.EncodeTickets(nil, zendesk.EncodeInput{
		Tickets: []migration.Ticket{record(ticket)}, Users: a.users, Organizations: a.orgs, Self: a.self(), Single: true, Now: time.Now(),
	})
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
	a := newTheirs(t)
	other := a.users[fmt.Sprint(firstNumber+9)].ID
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
		got, _, refused := a.send(ticket, "")
		if refused != "" {
			t.Fatal(refused)
		}
		plant(&got)
		unlisted := a.judge(ticket, got)
		if (len(unlisted) > 0) != (name != "") {
			t.Errorf("%q is planted, the judge says %q", name, unlisted)
		}
	}
}

func at(unix int64) *int64 { return &unix }
