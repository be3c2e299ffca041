package activities_test

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"go.temporal.io/sdk/testsuite"

	"farewell/activities"
	"farewell/destination"
	"farewell/destination/zendesk"
	"farewell/destination/zendesk/zendesktest"
	"farewell/integration/postgrestest"
	"farewell/ledger"
	"farewell/migration"
	"farewell/source"
)

// scale makes a minute of the sandbox half a second.
const scale = 120

var acme = migration.Migration{Customer: "acme", Destination: migration.DestinationZendesk, Account: "acme"}

const run = "run-1"

func timings() migration.Timings {
	t := migration.DefaultTimings().Scaled(scale)
	t.SendWithin = 2 * time.Second
	t.AbsentAfter = 300 * time.Millisecond
	t.LookupEvery = 50 * time.Millisecond
	t.PollEvery = 20 * time.Millisecond
	t.JobOverdue = 2 * time.Second
	return t
}

// stage is a real ledger and a pretended Zendesk over HTTP, with a source in
// memory between which one partition of tickets moves.
type stage struct {
	t       *testing.T
	source  *records
	files   *cabinet
	ledger  *ledger.Ledger
	sandbox *httptest.Server
	server  *zendesktest.Server
	address string // of the account, which a test may put a proxy before
	timings migration.Timings
}

// newStage makes tickets with ids 1001, 1002 and so on.
func newStage(t *testing.T, tickets int, settings map[string]any) *stage {
	t.Helper()
	t.Parallel()
	return newLonelyStage(t, tickets, settings)
}

// newLonelyStage is for a test beside which no other runs.
func newLonelyStage(t *testing.T, tickets int, settings map[string]any) *stage {
	t.Helper()
	server, err := zendesktest.New(zendesktest.Options{})
	must(t, err)
	s := &stage{t: t, source: newRecords(tickets), files: newCabinet(), server: server, sandbox: httptest.NewServer(server), timings: timings()}
	t.Cleanup(s.sandbox.Close)
	s.address = s.sandbox.URL
	s.configure(map[string]any{"time_scale": scale, "seconds_per_ticket": 0.15, "bulk_users": true})
	s.configure(settings)
	database := postgrestest.New(t)
	must(t, ledger.Migrate(t.Context(), database))
	s.ledger, err = ledger.Open(t.Context(), database, ledger.Options{})
	must(t, err)
	t.Cleanup(s.ledger.Close)
	must(t, s.ledger.BeginRun(t.Context(), acme, run, migration.Options{}))
	return s
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func (s *stage) configure(settings map[string]any) {
	s.t.Helper()
	must(s.t, s.server.CreateAccount("acme", settings))
}

func fault(kind string, further map[string]any) map[string]any {
	f := map[string]any{"kind": kind, "on": "imports", "count": 1}
	for k, v := range further {
		f[k] = v
	}
	return f
}

// worker is one process's worth of activities on the stage.
type worker struct {
	*stage
	does    *activities.Activities
	place   *place
	account *zendesk.Account
}

// place opens the account once. wrap lets a test stand between the activities
// and the account.
type place struct {
	destination.Batches
}

func (p *place) Open(context.Context, migration.Migration) (destination.Destination, error) {
	return p.Batches, nil
}

type noControls struct{}

func (noControls) Control(migration.Migration, string) migration.Control { return migration.ControlRun }

// hire makes a worker with an account value, and so a poller and a resolver,
// of its own.
func (s *stage) hire() *worker {
	s.t.Helper()
	account, err := zendesk.Open(zendesk.Options{
		Account: destination.Account{
			Name: "acme", Customer: "acme", Kind: migration.DestinationZendesk,
			URL: s.address + "/accounts/acme", PlanPerMinute: 700, ReservedPercent: 20,
			Auth: zendesk.AuthBearer, Secret: func() (string, error) { return "sandbox-acme", nil },
		},
		Timings: s.timings,
	})
	must(s.t, err)
	s.t.Cleanup(func() { _ = account.Close() }) // a test may have closed it
	p := &place{Batches: account}
	return &worker{stage: s, place: p, account: account, does: &activities.Activities{
		Source: s.source, Files: s.files, Ledger: s.ledger, Destinations: p, Controls: noControls{},
		Reasons: activities.NewReasons(), Log: slog.New(slog.DiscardHandler),
	}}
}

// through has every call to the account go through something.
func (w *worker) through(wrap func(destination.Batches) destination.Batches) *worker {
	w.place.Batches = wrap(w.place.Batches)
	return w
}

var everything = migration.Partition{ID: "tickets-0001", Entity: migration.Tickets, Rows: 100}

// export runs the activity as Temporal does, once.
func (w *worker) export() (migration.ExportOutcome, error) {
	return w.exportOf(everything)
}

func (w *worker) exportOf(p migration.Partition) (migration.ExportOutcome, error) {
	return w.exportSome(p, 0)
}

// exportSome takes no more than the limit, unless that is 0.
func (w *worker) exportSome(p migration.Partition, limit int64) (migration.ExportOutcome, error) {
	return w.exportAs(migration.ExportInput{Partition: p, Limit: limit, Tolerance: migration.Tolerance{Percent: 50, Consecutive: 50}})
}

// exportAs runs the activity once, with what the input does not say filled in.
func (w *worker) exportAs(in migration.ExportInput) (out migration.ExportOutcome, err error) {
	var suite testsuite.WorkflowTestSuite
	suite.SetLogger(quiet{})
	env := suite.NewTestActivityEnvironment()
	env.SetTestTimeout(time.Minute)
	w.does.Register(env)
	in.Migration, in.Run, in.Timings = acme, run, w.timings
	value, err := env.ExecuteActivity(string(migration.ExportPartition), in)
	if err != nil {
		return out, err
	}
	err = value.Get(&out)
	return out, err
}

// mustFinish exports to the end of the partition.
func (w *worker) mustFinish() {
	w.t.Helper()
	out, err := w.export()
	if err != nil || !out.Done {
		w.t.Fatalf("export: %+v, %v", out, err)
	}
}

// sweep repairs what is there twice.
func (w *worker) sweep() migration.SweepOutcome {
	w.t.Helper()
	var suite testsuite.WorkflowTestSuite
	suite.SetLogger(quiet{})
	env := suite.NewTestActivityEnvironment()
	w.does.Register(env)
	value, err := env.ExecuteActivity(string(migration.SweepDuplicates), migration.SweepInput{Migration: acme, Run: run, Repair: true})
	must(w.t, err)
	var out migration.SweepOutcome
	must(w.t, value.Get(&out))
	return out
}

// quiet drops what the SDK says about failing activities.
type quiet struct{}

func (quiet) Debug(string, ...any) {}
func (quiet) Info(string, ...any)  {}
func (quiet) Warn(string, ...any)  {}
func (quiet) Error(string, ...any) {}

// inAccount counts the live tickets of each source id.
func (s *stage) inAccount() map[string]int {
	s.t.Helper()
	there := map[string]int{}
	s.eachInAccount(func(t accountTicket) { there[strings.TrimPrefix(t.ExternalID, "farewell-")]++ })
	return there
}

type accountTicket struct {
	ExternalID     string   `json:"external_id"`
	Tags           []string `json:"tags"`
	AssigneeID     int64    `json:"assignee_id"`
	RequesterID    int64    `json:"requester_id"`
	OrganizationID int64    `json:"organization_id"`
}

func (s *stage) eachInAccount(each func(accountTicket)) {
	s.t.Helper()
	response, err := http.Get(s.sandbox.URL + "/_sandbox/accounts/acme/tickets.ndjson")
	must(s.t, err)
	defer response.Body.Close()
	for lines := json.NewDecoder(response.Body); ; {
		var ticket accountTicket
		if err := lines.Decode(&ticket); err == io.EOF {
			return
		} else if err != nil {
			s.t.Fatal(err)
		}
		each(ticket)
	}
}

// difference is how many tickets the account lacks, and how many it has too many.
func (s *stage) difference() (lost, twice int) {
	s.t.Helper()
	there := s.inAccount()
	for _, ticket := range s.source.tickets {
		switch n := there[ticket.ID]; {
		case n == 0:
			lost++
		case n > 1:
			twice += n - 1
		}
	}
	return lost, twice
}

// wantAllOnce is the aim of every test that switches nothing off.
func (s *stage) wantAllOnce() {
	s.t.Helper()
	if lost, twice := s.difference(); lost != 0 || twice != 0 {
		s.t.Errorf("%d tickets are lost, %d are there more than once", lost, twice)
	}
	s.wantCounts(migration.Counts{Read: int64(len(s.source.tickets)), Created: int64(len(s.source.tickets))})
}

func (s *stage) wantCounts(want migration.Counts) {
	s.t.Helper()
	counts, err := s.ledger.ExactCounts(s.t.Context(), acme, run)
	must(s.t, err)
	if got := counts[migration.Tickets]; got != want {
		s.t.Errorf("the ledger counts %+v, want %+v", got, want)
	}
}

// imports counts the imports that reached the sandbox.
func (s *stage) imports() int {
	s.t.Helper()
	response, err := http.Get(s.sandbox.URL + "/_sandbox/accounts/acme/stats")
	must(s.t, err)
	defer response.Body.Close()
	var stats struct {
		By map[string]int `json:"requests_by_endpoint"`
	}
	must(s.t, json.NewDecoder(response.Body).Decode(&stats))
	return stats.By["POST /api/v2/imports/tickets/create_many"] + stats.By["POST /api/v2/imports/tickets"]
}

// records is a source in memory: tickets of one requester.
type records struct {
	activities.Source // what no test here asks for

	tickets       []migration.Ticket
	users         []migration.User
	organizations []migration.Organization
	columns       map[string][]migration.Column

	mu sync.Mutex
}

func newRecords(n int) *records {
	r := &records{users: []migration.User{{ID: "7", Name: "Ann Example", Email: "ann@example.com", Role: "end_user"}}}
	made := time.Date(2024, 1, 2, 3, 4, 5, 0, time.UTC)
	for i := range n {
		id := fmt.Sprint(1001 + i)
		r.tickets = append(r.tickets, migration.Ticket{
			ID: id, RequesterID: "7", Subject: "ticket " + id, Status: "closed", CreatedAt: made, UpdatedAt: made,
			Comments: []migration.Comment{{ID: "c" + id, AuthorID: "7", Public: true, Body: "words of " + id, CreatedAt: made}},
		})
	}
	return r
}

func (r *records) Page(_ context.Context, q source.PageQuery) (migration.Page, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	page := migration.Page{ReadAt: time.Now()}
	for _, t := range r.tickets {
		if q.Partition.Entity != migration.Tickets || len(q.IDs) > 0 && !slices.Contains(q.IDs, t.ID) || t.ID <= q.After || !within(q.Partition, t.ID) {
			continue
		}
		if q.Limit > 0 && len(page.Tickets) == q.Limit {
			page.More = true
			break
		}
		page.Tickets = append(page.Tickets, t)
		page.Last = t.ID
	}
	for _, u := range r.users {
		of := q.Partition.Entity == migration.Users || q.Partition.Entity == migration.Memberships && len(u.Organizations) > 0
		if of && wanted(q, u.ID) {
			if page.More = q.Limit > 0 && len(page.Users) == q.Limit; page.More {
				break
			}
			page.Users, page.Last = append(page.Users, u), u.ID
		}
	}
	for _, o := range r.organizations {
		if q.Partition.Entity == migration.Organizations && wanted(q, o.ID) {
			page.Organizations, page.Last = append(page.Organizations, o), o.ID
		}
	}
	return page, nil
}

// within tells whether a ticket is in the partition's range.
func within(p migration.Partition, id string) bool {
	return id > p.After && (p.UpTo == "" || id <= p.UpTo)
}

// wanted tells whether a query is for the organization or user.
func wanted(q source.PageQuery, id string) bool {
	return id > q.After && (slices.Contains(q.IDs, id) || len(q.IDs) == 0 && !q.Partition.IsOnDemand())
}

// comes adds a ticket that is like the others, but for its id.
func (r *records) comes(id string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	t := r.tickets[0]
	t.ID = id
	r.tickets = append([]migration.Ticket{t}, r.tickets...)
}

func (r *records) IDs(_ context.Context, _ string, p migration.Partition) ([]migration.Listed, error) {
	var listed []migration.Listed
	if p.Entity == migration.Tickets {
		for _, t := range r.tickets {
			listed = append(listed, migration.Listed{ID: t.ID, CreatedAt: t.CreatedAt, UpdatedAt: t.UpdatedAt})
		}
	}
	return listed, nil
}

func (r *records) ShowsFiles(context.Context) (bool, error) { return false, nil }

func (r *records) Attachments(context.Context, string, []string) (map[string][]migration.Attachment, error) {
	return nil, nil
}

func (r *records) Columns(context.Context) (map[string][]migration.Column, error) {
	return r.columns, nil
}

func (r *records) Now(context.Context) (time.Time, error) { return time.Now(), nil }

func (r *records) Check(context.Context, string) ([]source.Finding, error) { return nil, nil }

func (r *records) FilePlaces(context.Context, string) ([]migration.FilePlace, error) { return nil, nil }

func (r *records) Count(context.Context, string, migration.Entity) (int64, error) {
	return int64(len(r.tickets)), nil
}

func (r *records) Cut(context.Context, string, migration.Entity, int) ([]migration.Partition, error) {
	return []migration.Partition{everything}, nil
}

// door stands before the sandbox and lets a test decide what becomes of each
// import that has arrived there.
type door struct {
	*httptest.Server
	mu   sync.Mutex
	hold func() // called before a request goes on
}

func (s *stage) door() *door {
	target, err := url.Parse(s.sandbox.URL)
	must(s.t, err)
	d := &door{}
	pass := httputil.NewSingleHostReverseProxy(target)
	pass.ErrorLog = slog.NewLogLogger(slog.DiscardHandler, slog.LevelError)
	d.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		d.mu.Lock()
		hold := d.hold
		d.mu.Unlock()
		if hold != nil && strings.Contains(r.URL.Path, "/imports/") {
			// What has arrived is delivered, also when the sender has died.
			body, _ := io.ReadAll(r.Body)
			r = r.Clone(context.WithoutCancel(r.Context()))
			r.Body = io.NopCloser(strings.NewReader(string(body)))
			hold()
		}
		pass.ServeHTTP(w, r)
	}))
	s.t.Cleanup(d.Server.Close)
	s.address = d.URL
	return d
}
