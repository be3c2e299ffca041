package zendesk_test

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"farewell/destination"
	"farewell/destination/destinationtest"
	"farewell/destination/zendesk"
	"farewell/destination/zendesk/zendesktest"
	"farewell/migration"
)

// scale makes a minute of the sandbox half a second.
const scale = 120

// sandbox serves one account of the pretended Zendesk.
type sandbox struct {
	*zendesktest.Server
	http *httptest.Server
}

func newSandbox(t *testing.T, settings map[string]any) *sandbox {
	t.Helper()
	server, err := zendesktest.New(zendesktest.Options{})
	if err != nil {
		t.Fatal(err)
	}
	s := &sandbox{Server: server, http: httptest.NewServer(recording(t, server))}
	t.Cleanup(s.http.Close)
	all := map[string]any{"time_scale": scale, "seconds_per_ticket": 0.15, "bulk_users": true}
	for k, v := range settings {
		all[k] = v
	}
	if err := server.CreateAccount("acme", all); err != nil {
		t.Fatal(err)
	}
	return s
}

func timings() migration.Timings {
	t := migration.DefaultTimings().Scaled(scale)
	t.LookupEvery = 100 * time.Millisecond
	return t
}

func (s *sandbox) account() destination.Account {
	return destination.Account{
		Name: "acme", Customer: "c1", Kind: migration.DestinationZendesk,
		URL: s.http.URL + "/accounts/acme", PlanPerMinute: 700, ReservedPercent: 20,
		Auth: zendesk.AuthBearer, Secret: func() (string, error) { return "sandbox-acme", nil },
	}
}

func open(t *testing.T, o zendesk.Options) *zendesk.Account {
	t.Helper()
	a, err := zendesk.Open(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := a.Close(); err != nil {
			t.Error(err)
		}
	})
	return a
}

func (s *sandbox) open(t *testing.T) *zendesk.Account {
	t.Helper()
	return open(t, zendesk.Options{Account: s.account(), Timings: timings()})
}

// configure changes the account while it is in use.
func (s *sandbox) configure(t *testing.T, settings map[string]any) {
	t.Helper()
	if err := s.CreateAccount("acme", settings); err != nil {
		t.Fatal(err)
	}
}

// stats are what the account counted, as plain JSON.
func (s *sandbox) stats(t *testing.T) map[string]any {
	t.Helper()
	res, err := http.Get(s.http.URL + "/_sandbox/accounts/acme/stats")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = res.Body.Close() }() // read to its end below
	var stats map[string]any
	if err := json.NewDecoder(res.Body).Decode(&stats); err != nil {
		t.Fatal(err)
	}
	return stats
}

func (s *sandbox) count(t *testing.T, name string) int {
	t.Helper()
	n, ok := s.stats(t)[name].(float64)
	if !ok {
		t.Fatalf("the statistics have no %s", name)
	}
	return int(n)
}

func (s *sandbox) requests(t *testing.T, endpoint string) int {
	t.Helper()
	byEndpoint, ok := s.stats(t)["requests_by_endpoint"].(map[string]any)
	if !ok {
		t.Fatal("the statistics have no requests by endpoint")
	}
	n, _ := byEndpoint[endpoint].(float64) // absent: none
	return int(n)
}

const importMany = "POST /api/v2/imports/tickets/create_many"

// fault makes something go wrong.
func fault(kind, on string, more map[string]any) map[string]any {
	f := map[string]any{"kind": kind, "on": on}
	maps.Copy(f, more)
	return map[string]any{"faults": []any{f}}
}

func within(t *testing.T) context.Context {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	t.Cleanup(cancel)
	return ctx
}

// tickets are n tickets whose people nobody knows, so that they need none.
func tickets(word string, n int) migration.Page {
	var page migration.Page
	for i := range n {
		page.Tickets = append(page.Tickets, migration.Ticket{
			ID: fmt.Sprintf("%s-%d", word, i), Subject: "subject", Status: "closed", CreatedAt: time.Unix(1e9, 0), UpdatedAt: time.Unix(1e9, 0),
			Comments: []migration.Comment{{Public: true, Body: "text", CreatedAt: time.Unix(1e9, 0)}},
		})
	}
	return page
}

func nobody(context.Context, migration.Entity, []string) (map[string]migration.Target, error) {
	return nil, nil
}

// prepare makes a page ready for an account.
func prepare(t *testing.T, a *zendesk.Account, e migration.Entity, page migration.Page) (migration.Batch, destination.Parcel) {
	t.Helper()
	parcel, err := a.Prepare(within(t), destination.PrepareInput{Entity: e, Partition: "p", Page: page, Directory: nobody})
	if err != nil {
		t.Fatalf("prepare: %v", err)
	}
	return migration.Batch{ID: "b", Entity: e, SourceIDs: parcel.Sent, SendBy: time.Now().Add(20 * time.Second)}, parcel
}

// submit sends a page of tickets.
func submit(t *testing.T, a *zendesk.Account, page migration.Page) (destination.Receipt, migration.Batch, error) {
	t.Helper()
	b, parcel := prepare(t, a, migration.Tickets, page)
	release, err := a.Reserve(within(t))
	if err != nil {
		t.Fatalf("reserve: %v", err)
	}
	defer release()
	receipt, err := a.Submit(within(t), b, parcel)
	return receipt, b, err
}

func created(items []migration.Item) int {
	n := 0
	for _, i := range items {
		if i.Outcome == migration.Created && i.TargetID != "" {
			n++
		}
	}
	return n
}

func TestAccountConforms(t *testing.T) {
	t.Parallel()
	for name, settings := range map[string]map[string]any{
		"bulk users on":  {"poison": map[string]any{"marker": "poison"}},
		"bulk users off": {"poison": map[string]any{"marker": "poison"}, "bulk_users": false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			destinationtest.RunBatches(t, func(t *testing.T) destinationtest.Account {
				return destinationtest.Account{
					Destination: newSandbox(t, settings).open(t),
					Poison:      func(t *migration.Ticket) { t.Subject = "poison" },
				}
			})
		})
	}
}

// dump is what the account holds of an entity.
func (s *sandbox) dump(t *testing.T, entity string) string {
	t.Helper()
	res, err := http.Get(s.http.URL + "/_sandbox/accounts/acme/" + entity + ".ndjson")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = res.Body.Close() }() // read to its end below
	body, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(body)
}

// email is the address of a user by id.
func (s *sandbox) email(t *testing.T, id string) string {
	t.Helper()
	for line := range strings.Lines(s.dump(t, "users")) {
		var u struct {
			ID    json.Number `json:"id"`
			Email string      `json:"email"`
		}
		if err := json.Unmarshal([]byte(line), &u); err != nil {
			t.Fatal(err)
		}
		if u.ID.String() == id {
			return u.Email
		}
	}
	return ""
}
