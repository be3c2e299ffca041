package activities_test

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"go.temporal.io/sdk/testsuite"

	"farewell/destination/zendesk/zendesktest"
	"farewell/migration"
)

// Hardest names the first and the last ticket, so that both parts of a
// read-back have something to do.
func (r *records) Hardest(context.Context, string, int) ([]string, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(r.tickets) == 0 {
		return nil, nil
	}
	return []string{r.tickets[0].ID, r.tickets[len(r.tickets)-1].ID}, nil
}

func (w *worker) readBack(seed string) migration.ReadBackOutcome {
	w.t.Helper()
	var suite testsuite.WorkflowTestSuite
	suite.SetLogger(quiet{})
	env := suite.NewTestActivityEnvironment()
	w.does.Register(env)
	value, err := env.ExecuteActivity(string(migration.ReadBack), migration.ReadBackInput{Migration: acme, Run: seed})
	must(w.t, err)
	var out migration.ReadBackOutcome
	must(w.t, value.Get(&out))
	return out
}

// newTelling makes a stage of tickets in which everything is said.
func newTelling(t *testing.T, n int) *worker {
	t.Helper()
	s := newStage(t, n, map[string]any{"ticket_fields": []any{map[string]any{"id": 7, "type": "text", "title": "Plan"}}})
	for i := range s.source.tickets {
		ticket := &s.source.tickets[i]
		ticket.Tags = []string{"Billing", "vip"}
		ticket.CustomFields = json.RawMessage(`{"7":"gold"}`)
		ticket.Priority, ticket.Type = "high", "question"
		at := ticket.CreatedAt
		ticket.Comments = append(ticket.Comments,
			migration.Comment{ID: "n" + ticket.ID, AuthorID: "7", Body: "a note \U0001F600 שלום", CreatedAt: at.Add(time.Hour)},
			migration.Comment{ID: "h" + ticket.ID, AuthorID: "7", Public: true, HTML: true, Body: "<p>Hello <b>you</b> &amp; me</p>", CreatedAt: at.Add(2 * time.Hour)},
			migration.Comment{ID: "b" + ticket.ID, AuthorID: "somebody who has left", Public: true, Body: " \n", CreatedAt: at.Add(2 * time.Hour)},
		)
	}
	// What the rules change is no difference.
	s.source.tickets[0].Subject = strings.Repeat("long ", 100)
	s.source.tickets[1].Comments[1].Body = strings.Repeat("a line of text\n", 10_000)
	s.source.tickets[2].Comments = nil
	s.source.tickets[3].Comments[2].CreatedAt = time.Now().Add(time.Hour)
	for i := 10; i < min(n, 10+withFiles); i++ {
		s.files.put(&s.source.tickets[i], 0, 3000)
	}
	if n > 4 {
		// Of several one is empty, and one is not to be had.
		s.files.put(&s.source.tickets[4], 1, 0)
		s.files.lose(s.files.put(&s.source.tickets[4], 1, 10))
		s.files.put(&s.source.tickets[4], 1, 10)
	}
	s.configure(map[string]any{"secure_downloads": true, "content_host": strings.Replace(strings.TrimPrefix(s.sandbox.URL, "http://"), "127.0.0.1", "localhost", 1)})
	w := s.hire()
	w.mustFinish()
	return w
}

// withFiles is how many tickets, from 1011 on, have an attachment.
const withFiles = 8

// targets are the ids of the tickets in the account, by source id.
func (s *stage) targets() map[string]int64 {
	s.t.Helper()
	response, err := http.Get(s.sandbox.URL + "/_sandbox/accounts/acme/tickets.ndjson")
	must(s.t, err)
	defer response.Body.Close()
	there := map[string]int64{}
	for lines := json.NewDecoder(response.Body); ; {
		var ticket struct {
			ID         int64  `json:"id"`
			ExternalID string `json:"external_id"`
		}
		if err := lines.Decode(&ticket); err == io.EOF {
			return there
		} else if err != nil {
			s.t.Fatal(err)
		}
		there[strings.TrimPrefix(ticket.ExternalID, "farewell-")] = ticket.ID
	}
}

func TestReadBackFindsNothingWhereNothingIsWrong(t *testing.T) {
	w := newTelling(t, 40)
	out := w.readBack(run)
	if out.Compared < 39 || out.Differing != 0 || out.ChangedSince > 1 {
		t.Errorf("read back: %+v", out)
	}
	if out.Requests > 60 || out.Requests < 40 {
		t.Errorf("%d requests, want one for each ticket and at most 60", out.Requests)
	}
}

func TestReadBackFindsOnePlantedChange(t *testing.T) {
	w := newTelling(t, 40)
	targets := w.targets()
	dice := rand.New(rand.NewPCG(5, uint64(time.Now().UnixNano())))
	other := time.Date(2001, 2, 3, 4, 5, 6, 0, time.UTC)
	body, subject, nobody := "other words", "another subject", int64(42)
	plain, attached := [2]int{1011 + withFiles, 1039}, [2]int{1011, 1011 + withFiles - 1}
	for name, c := range map[string]struct {
		change zendesktest.Alteration
		field  string
		among  [2]int
	}{
		"a body":          {zendesktest.Alteration{Comment: 1, Body: &body}, "comments.body", plain},
		"a body of HTML":  {zendesktest.Alteration{Comment: 2, Body: &body}, "comments.body", plain},
		"an author":       {zendesktest.Alteration{Comment: 1, AuthorID: &nobody}, "comments.author_id", plain},
		"a ticket's time": {zendesktest.Alteration{CreatedAt: &other}, "created_at", plain},
		"a tag":           {zendesktest.Alteration{Tags: []string{"farewell", "farewell_tickets-0001", "vip", "billin"}}, "tags", plain},
		"a custom field":  {zendesktest.Alteration{Field: &zendesktest.AlteredField{ID: 7, Value: "silver"}}, "custom_fields", plain},
		"a subject":       {zendesktest.Alteration{Subject: &subject}, "subject", plain},
		"a requester":     {zendesktest.Alteration{RequesterID: &nobody}, "requester_id", plain},
		"a file's bytes":  {zendesktest.Alteration{Bytes: []byte(strings.Repeat("x", 3000))}, "comments.attachments", attached},
		"a file's end":    {zendesktest.Alteration{Bytes: []byte("cut short")}, "comments.attachments", attached},
		"a file":          {zendesktest.Alteration{DropFiles: true}, "comments.attachments", attached},
	} {
		// One after the other: each ticket is changed once, in a run of its own.
		draw := func() string { return strconv.Itoa(c.among[0] + dice.IntN(c.among[1]-c.among[0]+1)) }
		id := draw()
		for targets[id] == 0 {
			id = draw()
		}
		must(t, w.server.Alter("acme", targets[id], c.change))
		delete(targets, id)
		seed := "run of " + name
		must(t, w.ledger.BeginRun(t.Context(), acme, seed, migration.Options{}))
		out := w.readBack(seed)
		want := fmt.Sprintf("%s (%s)", id, c.field)
		if !slices.Contains(out.Examples, want) && out.Differing <= 5 {
			t.Errorf("%s of ticket %s: found %+v, want %s", name, id, out.Examples, want)
		}
		listed := ""
		must(t, w.ledger.Failures(t.Context(), acme, func(f migration.Failure) error {
			if f.SourceID == id && f.Outcome == migration.Differs {
				listed = f.Text
			}
			return nil
		}))
		if !strings.HasSuffix(listed, "in "+c.field) || strings.Contains(listed, body) {
			t.Errorf("%s of ticket %s is listed as %q", name, id, listed)
		}
	}
}

func TestReadBackLeavesAloneWhatTheSourceHasChanged(t *testing.T) {
	w := newTelling(t, 12)
	w.source.mu.Lock()
	changed := &w.source.tickets[7]
	changed.Subject, changed.UpdatedAt = "changed at the source", time.Now().Add(time.Minute)
	said := &w.source.tickets[8]
	said.Comments = append(said.Comments, migration.Comment{ID: "late", AuthorID: "7", Body: "late", CreatedAt: time.Now().Add(time.Minute)})
	dated := &w.source.tickets[9] // when its transaction began
	dated.Subject, dated.UpdatedAt = "changed as it was read", time.Now().Add(-2*time.Second)
	attached := &w.source.tickets[5]
	w.files.put(attached, 0, 10)
	attached.Comments[0].Attachments[0].CreatedAt = time.Now().Add(time.Minute)
	w.source.mu.Unlock()
	if out := w.readBack(run); out.Differing != 0 || out.ChangedSince < 4 {
		t.Errorf("read back: %+v", out)
	}
}
