package main

import (
	"bytes"
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"farewell/config"
	"farewell/destination"
	"farewell/migration"
)

var update = flag.Bool("update", false, "write the golden files anew")

// golden compares with testdata/NAME.golden.
func golden(t *testing.T, name, got string) {
	t.Helper()
	path := filepath.Join("testdata", name+".golden")
	if *update {
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatalf("%v; go test ./starter -update writes it", err)
	}
	if got != string(want) {
		t.Errorf("%s differs\ngot:\n%s\nwant:\n%s", path, got, want)
	}
}

// noon is the moment of every test that does not let time pass.
var noon = time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)

func migrationOf(customer string) migration.Migration {
	return migration.Migration{Customer: customer, Destination: "zendesk", Account: customer}
}

// fakeMemory is a ledger in memory.
type fakeMemory struct {
	mu       sync.Mutex
	runs     map[migration.Migration]migration.RunRecord
	workers  []migration.Presence
	failures []migration.Failure
	changes  []migration.Change
	egresses []migration.Egress
	sources  []migration.SourcePace
	controls []string // "pause acme by root: why"
	err      error
	asked    int
	onAsk    func(m *fakeMemory) // called under the lock, before each answer
}

func (f *fakeMemory) Runs(_ context.Context, of *migration.Migration, active bool) ([]migration.RunRecord, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.asked++
	if f.onAsk != nil {
		f.onAsk(f)
	}
	var runs []migration.RunRecord
	for m, r := range f.runs {
		if (of == nil || m == *of) && !(active && r.State.Ended()) {
			runs = append(runs, r)
		}
	}
	return runs, f.err
}

func (f *fakeMemory) SetControl(_ context.Context, m migration.Migration, run string, word migration.Control, by, why string) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.controls = append(f.controls, fmt.Sprintf("%s %s %s%s", word, m.Customer, run, said(by, why)))
	return nil
}

func (f *fakeMemory) Workers(context.Context) ([]migration.Presence, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.workers, f.err
}

func (f *fakeMemory) Failures(_ context.Context, _ migration.Migration, each func(migration.Failure) error) error {
	for _, failure := range f.failures {
		if err := each(failure); err != nil {
			return err
		}
	}
	return nil
}

func (f *fakeMemory) Changes(_ context.Context, _ migration.Migration, rule migration.Rule, each func(migration.Change) error) error {
	for _, c := range f.changes {
		if rule == "" || c.Rule == rule {
			if err := each(c); err != nil {
				return err
			}
		}
	}
	return nil
}

func (f *fakeMemory) ChangeCounts(context.Context, migration.Migration) ([]migration.ChangeCount, error) {
	var counts []migration.ChangeCount
	for _, c := range f.changes {
		counts = append(counts, migration.ChangeCount{Entity: c.Entity, Field: c.Field, Rule: c.Rule, Count: 1})
	}
	return counts, f.err
}

func (f *fakeMemory) Egresses(context.Context) ([]migration.Egress, error) { return f.egresses, f.err }

func (f *fakeMemory) SetEgressCap(_ context.Context, egress string, perSecond float64, by, why string) error {
	f.controls = append(f.controls, fmt.Sprintf("cap %s %v%s", egress, perSecond, said(by, why)))
	return f.err
}

func (f *fakeMemory) OpenEgress(_ context.Context, egress, by, why string) error {
	f.controls = append(f.controls, fmt.Sprintf("open %s%s", egress, said(by, why)))
	return f.err
}

func (f *fakeMemory) CloseEgress(_ context.Context, egress, by, why string) error {
	f.controls = append(f.controls, fmt.Sprintf("close %s%s", egress, said(by, why)))
	return f.err
}

func (f *fakeMemory) Sources(context.Context) ([]migration.SourcePace, error) {
	return f.sources, f.err
}

func (f *fakeMemory) SetSourcePace(_ context.Context, source string, maxRows *float64, governed *bool, by, why string) error {
	word := "source " + source
	if maxRows != nil {
		word += fmt.Sprintf(" rows %v", *maxRows)
	}
	if governed != nil {
		word += fmt.Sprintf(" governed %t", *governed)
	}
	f.controls = append(f.controls, word+said(by, why))
	return f.err
}

// fakeTemporal is a Temporal in memory.
type fakeTemporal struct {
	mu         sync.Mutex
	queues     queueFacts
	executions map[string]execution // by workflow id; Open lists the running ones
	hidden     map[string]bool      // running, but not on the list yet
	said       []string             // everything that it was told
	options    migration.Options    // of the last start
	answer     migration.Progress
	answerErr  error
	checks     map[string]migration.CheckOutcome // by customer
	err        error
}

func (f *fakeTemporal) note(format string, args ...any) {
	f.said = append(f.said, fmt.Sprintf(format, args...))
}

func (f *fakeTemporal) Start(_ context.Context, m migration.Migration, o migration.Options) (string, bool, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if e := f.executions[m.WorkflowID()]; e.Status == statusRunning {
		return e.Run, true, f.err
	}
	f.note("start %s", m.Customer)
	f.options = o
	return "run-of-" + m.Customer, false, f.err
}

func (f *fakeTemporal) Tell(_ context.Context, m migration.Migration, word string, c migration.Command) (migration.Progress, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.note("update %s %s%s %s", word, m.Customer, said(c.By, c.Reason), c.Partition)
	if e, ok := f.executions[m.WorkflowID()]; !ok || e.Status != statusRunning {
		return migration.Progress{}, errNotRunning
	}
	return f.answer, f.answerErr
}

func (f *fakeTemporal) Leave(_ context.Context, m migration.Migration, word string, c migration.Command) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.note("signal %s %s%s", word, m.Customer, said(c.By, c.Reason))
	return nil
}

func (f *fakeTemporal) Cancel(_ context.Context, m migration.Migration, why string) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.executions[m.WorkflowID()].Status != statusRunning {
		return errNotRunning
	}
	f.note("cancel %s: %s", m.Customer, why)
	return nil
}

func (f *fakeTemporal) Check(_ context.Context, m migration.Migration, _ migration.Options) (migration.CheckOutcome, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	out, ok := f.checks[m.Customer]
	if !ok {
		return out, errors.New("the source does not answer")
	}
	return out, nil
}

func (f *fakeTemporal) Verify(context.Context, migration.Migration, bool) (migration.VerifyOutcome, error) {
	return migration.VerifyOutcome{}, nil
}

func (f *fakeTemporal) Reconcile(context.Context, migration.Migration, string, string) (migration.ReconcileOutcome, error) {
	return migration.ReconcileOutcome{Found: map[migration.Entity]int64{migration.Tickets: 12345}}, nil
}

func (f *fakeTemporal) Queues(context.Context) (queueFacts, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.queues, f.err
}

func (f *fakeTemporal) Open(context.Context) (map[string]execution, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	open := map[string]execution{}
	for id, e := range f.executions {
		if e.Status == statusRunning && !f.hidden[id] {
			open[id] = execution{Run: e.Run, Status: e.Status, State: e.State, Started: e.Started}
		}
	}
	return open, f.err
}

func (f *fakeTemporal) Describe(_ context.Context, workflowID string) (execution, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.note("describe %s", workflowID)
	if e, ok := f.executions[workflowID]; ok {
		return e, f.err
	}
	return execution{Status: statusAbsent}, f.err
}

func (f *fakeTemporal) Link(workflowID, _ string) string { return "http://ui/" + workflowID }

// world is an app on fakes, with a worker that lives.
type world struct {
	app      *app
	memory   *fakeMemory
	temporal *fakeTemporal
	accounts config.Accounts
	out, err *bytes.Buffer
}

func newWorld(customers ...string) *world {
	w := &world{
		memory: &fakeMemory{
			runs:    map[migration.Migration]migration.RunRecord{},
			workers: []migration.Presence{{Worker: "w1", Queue: "farewell", Seen: noon.Add(-time.Second)}},
		},
		temporal: &fakeTemporal{
			queues:     queueFacts{Known: true, Queue: "farewell", Workflows: 1, Exports: 1},
			executions: map[string]execution{}, hidden: map[string]bool{}, checks: map[string]migration.CheckOutcome{},
		},
		out: &bytes.Buffer{}, err: &bytes.Buffer{},
	}
	for _, c := range customers {
		w.accounts = append(w.accounts, destination.Account{Customer: c, Name: c, Kind: "zendesk"})
	}
	w.app = &app{
		in: strings.NewReader(""), out: &screen{Writer: w.out, size: func() (int, int) { return 120, 30 }}, errOut: w.err,
		now: func() time.Time { return noon },
		who: func() string { return "ann" },
		load: func() (config.Config, error) {
			return config.Config{TaskQueue: "farewell", TimeFactor: 1, Development: true}, nil
		},
		open: func(_ context.Context, cfg config.Config) (*session, error) {
			return &session{cfg: cfg, accounts: w.accounts, memory: w.memory, temporal: w.temporal, close: func() {}}, nil
		},
	}
	return w
}

// has puts a run into the ledger, and into Temporal when it runs.
func (w *world) has(customer string, state migration.State, tickets migration.Counts) migration.RunRecord {
	m := migrationOf(customer)
	r := migration.RunRecord{
		Migration: m, Run: "run-" + customer, State: state, By: "bob", Why: "wave 3", Control: migration.ControlRun,
		StartedAt: noon.Add(-10 * time.Minute), LastSettle: noon.Add(-time.Second),
		Counts:  migration.EntityCounts{migration.Tickets: tickets},
		Planned: migration.EntityCounts{migration.Tickets: {Read: 1000}},
	}
	e := execution{Run: r.Run, Status: statusRunning, State: state, Started: r.StartedAt}
	if state.Ended() {
		r.EndedAt = noon.Add(-time.Minute)
		e.Status, e.Closed = statusCompleted, r.EndedAt
	}
	w.memory.runs[m] = r
	w.temporal.executions[m.WorkflowID()] = e
	return r
}

// changes edits a run in the ledger.
func (w *world) changes(customer string, edit func(r *migration.RunRecord)) {
	r := w.memory.runs[migrationOf(customer)]
	edit(&r)
	w.memory.runs[migrationOf(customer)] = r
}

func (w *world) run(t *testing.T, args ...string) int {
	t.Helper()
	return w.app.run(t.Context(), args)
}

func (w *world) expect(t *testing.T, code int, args ...string) {
	t.Helper()
	if got := w.run(t, args...); got != code {
		t.Errorf("starter %s: exit code %d, want %d\nstdout: %s\nstderr: %s", strings.Join(args, " "), got, code, w.out, w.err)
	}
}

func (w *world) says(t *testing.T, wants ...string) {
	t.Helper()
	for _, want := range wants {
		if !strings.Contains(w.out.String()+w.err.String(), want) {
			t.Errorf("want %q in\nstdout: %s\nstderr: %s", want, w.out, w.err)
		}
	}
}

func created(n int64) migration.Counts { return migration.Counts{Read: n, Created: n} }
