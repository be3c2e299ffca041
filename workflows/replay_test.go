package workflows

import (
	"bytes"
	"context"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	commonpb "go.temporal.io/api/common/v1"
	"go.temporal.io/api/enums/v1"
	"go.temporal.io/api/history/v1"
	"go.temporal.io/api/temporalproto"
	"go.temporal.io/sdk/activity"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/worker"

	"farewell/migration"
)

// record writes the histories that are missing, from runs on a real Temporal
// server (with our search attributes, as temporal-dev.sh brings it up) whose
// activities answer from a script:
//
//	go test ./workflows -run Replay -record 127.0.0.1:7480
//
// A change of the workflow's commands gets a story of its own: the histories
// from before it are those that old runs have. Delete one only for a change that
// old runs need not survive.
var record = flag.String("record", "", "address of a Temporal server to record the missing histories on")

// story is a run that happened, and that every later version must replay.
type story struct {
	name    string
	options migration.Options
	// suspended: the source knows of suspensions.
	suspended bool
	streams   bool // the destination is a bundle
	export    func(in migration.ExportInput, attempt int) migration.ExportOutcome
	// tell is what an operator does while the run goes on.
	tell func(ctx context.Context, c client.Client, id string) error
}

func stories() []story {
	plain := func(in migration.ExportInput, _ int) migration.ExportOutcome { return done(in.Partition.Rows) }
	return []story{
		{name: "completed", export: plain},
		{name: "parked_and_retried", export: func(in migration.ExportInput, attempt int) migration.ExportOutcome {
			out, _ := parkedFirst(in, attempt)
			return out
		}, tell: func(ctx context.Context, c client.Client, id string) error {
			return whenIn(ctx, c, id, migration.StateNeedsAttention, func() error {
				return update(ctx, c, id, migration.UpdateRetry)
			})
		}},
		{name: "paused", export: func(in migration.ExportInput, attempt int) migration.ExportOutcome {
			if in.Partition == users && attempt == 1 {
				return migration.ExportOutcome{Stopped: migration.ControlPause}
			}
			return plain(in, attempt)
		}, tell: func(ctx context.Context, c client.Client, id string) error {
			if err := whenIn(ctx, c, id, migration.StateExporting, func() error {
				return update(ctx, c, id, migration.UpdatePause)
			}); err != nil {
				return err
			}
			return whenIn(ctx, c, id, migration.StatePaused, func() error {
				return update(ctx, c, id, migration.UpdateResume)
			})
		}},
		{name: "cancelled", export: func(in migration.ExportInput, _ int) migration.ExportOutcome {
			return waiting(in, time.Hour)
		}, tell: func(ctx context.Context, c client.Client, id string) error {
			return whenIn(ctx, c, id, migration.StateExporting, func() error {
				return c.CancelWorkflow(ctx, id, "")
			})
		}},
		{name: "waited", export: func(in migration.ExportInput, attempt int) migration.ExportOutcome {
			if in.Partition == first && attempt == 1 {
				return waiting(in, 2*time.Second)
			}
			return plain(in, attempt)
		}},
		{name: "trial", options: migration.Options{Limit: 4}, export: plain},
		{name: "bundle", streams: true, export: plain},
		{name: "completed_side_by_side", export: plain},
		{name: "suspends_last", suspended: true, export: plain},
		{name: "suspends_last_retried", suspended: true, export: func(in migration.ExportInput, attempt int) migration.ExportOutcome {
			if in.Partition == suspended && attempt == 1 {
				return migration.ExportOutcome{Parked: &migration.Parked{Partition: suspended.ID, Code: "credentials"}}
			}
			return plain(in, attempt)
		}, tell: func(ctx context.Context, c client.Client, id string) error {
			return whenIn(ctx, c, id, migration.StateNeedsAttention, func() error {
				return update(ctx, c, id, migration.UpdateRetry)
			})
		}},
		{name: "bundle_side_by_side", streams: true, export: plain},
	}
}

func waiting(_ migration.ExportInput, d time.Duration) migration.ExportOutcome {
	return migration.ExportOutcome{Waiting: &migration.Reason{Code: "retry_after", Text: "told to wait", Until: time.Now().Add(d)}}
}

func TestReplayOfEveryCommittedHistory(t *testing.T) {
	if *record != "" {
		recordMissing(t)
	}
	for _, s := range stories() {
		t.Run(s.name, func(t *testing.T) {
			t.Parallel()
			if err := replay(t, load(t, s.name)); err != nil {
				t.Error(err)
			}
		})
	}
}

func TestReplayFailsWhenTwoCommandsAreSwapped(t *testing.T) {
	t.Parallel()
	for _, s := range stories() {
		t.Run(s.name, func(t *testing.T) {
			t.Parallel()
			h := load(t, s.name)
			swapFirstTwoActivities(t, h)
			if err := replay(t, h); err == nil {
				t.Error("a history with two commands swapped was replayed without an error")
			}
		})
	}
}

func replay(t *testing.T, h *history.History) error {
	t.Helper()
	r, err := worker.NewWorkflowReplayerWithOptions(worker.WorkflowReplayerOptions{})
	if err != nil {
		t.Fatal(err)
	}
	Register(r)
	return r.ReplayWorkflowHistory(nil, h)
}

// swapFirstTwoActivities exchanges what the first two scheduled activities are.
func swapFirstTwoActivities(t *testing.T, h *history.History) {
	t.Helper()
	var scheduled []*history.ActivityTaskScheduledEventAttributes
	for _, e := range h.Events {
		if a := e.GetActivityTaskScheduledEventAttributes(); a != nil {
			scheduled = append(scheduled, a)
		}
	}
	if len(scheduled) < 2 {
		t.Fatalf("the history schedules %d activities", len(scheduled))
	}
	a, b := scheduled[0], scheduled[1]
	a.ActivityType, b.ActivityType = b.ActivityType, a.ActivityType
	a.ActivityId, b.ActivityId = b.ActivityId, a.ActivityId
}

func historyFile(name string) string { return filepath.Join("testdata", "histories", name+".json") }

func load(t *testing.T, name string) *history.History {
	t.Helper()
	content, err := os.ReadFile(historyFile(name))
	if err != nil {
		t.Fatal(err)
	}
	var h history.History
	if err := (temporalproto.CustomJSONUnmarshalOptions{DiscardUnknown: true}).Unmarshal(content, &h); err != nil {
		t.Fatal(err)
	}
	return &h
}

func recordMissing(t *testing.T) {
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Minute)
	defer cancel()
	c, err := client.Dial(client.Options{HostPort: *record})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	for _, s := range stories() {
		if _, err := os.Stat(historyFile(s.name)); err == nil {
			continue
		}
		if err := recordStory(ctx, t, c, s); err != nil {
			t.Fatalf("record %s: %v", s.name, err)
		}
	}
}

func recordStory(ctx context.Context, t *testing.T, c client.Client, s story) error {
	queue := fmt.Sprintf("record-%s-%d", s.name, time.Now().UnixNano())
	w := worker.New(c, queue, worker.Options{})
	Register(w)
	script(w, s)
	if err := w.Start(); err != nil {
		return err
	}
	defer w.Stop()
	run, err := c.ExecuteWorkflow(ctx, client.StartWorkflowOptions{ID: queue, TaskQueue: queue}, string(migration.MigrateCustomer), migration.MigrateCustomerInput{
		Migration: subject, Options: s.options, Timings: migration.DefaultTimings(), ExportQueue: queue,
	})
	if err != nil {
		return err
	}
	if s.tell != nil {
		if err := s.tell(ctx, c, queue); err != nil {
			return err
		}
	}
	if err := run.Get(ctx, nil); err != nil && s.name != "cancelled" {
		return err
	}
	var h history.History
	events := c.GetWorkflowHistory(ctx, queue, run.GetRunID(), false, enums.HISTORY_EVENT_FILTER_TYPE_ALL_EVENT)
	for events.HasNext() {
		e, err := events.Next()
		if err != nil {
			return err
		}
		h.Events = append(h.Events, e)
	}
	return save(t, s.name, &h)
}

func save(t *testing.T, name string, h *history.History) error {
	t.Helper()
	host, err := os.Hostname()
	if err != nil {
		return err
	}
	content, err := (temporalproto.CustomJSONMarshalOptions{Indent: "  "}).Marshal(h)
	if err != nil {
		return err
	}
	content = bytes.ReplaceAll(content, []byte("@"+host), []byte("@host"))
	if err := os.MkdirAll(filepath.Dir(historyFile(name)), 0o755); err != nil {
		return err
	}
	return os.WriteFile(historyFile(name), append(content, '\n'), 0o644)
}

// script registers activities that answer as the story tells.
func script(w worker.Worker, s story) {
	attempts := map[string]int{}
	answers(w, migration.Preflight, func(migration.PreflightInput) migration.CheckOutcome { return migration.CheckOutcome{} })
	answers(w, migration.MakePlan, func(migration.MakePlanInput) migration.MakePlanOutcome {
		return migration.MakePlanOutcome{
			Partitions: planned(s.suspended),
			Rows:       map[migration.Entity]int64{migration.Users: 3, migration.Tickets: 5},
			Streams:    s.streams,
		}
	})
	answers(w, migration.PublishBundle, func(migration.PublishInput) migration.PublishOutcome {
		return migration.PublishOutcome{Path: "/bundles/acme"}
	})
	turn := make(chan struct{}, 1)
	answers(w, migration.ExportPartition, func(in migration.ExportInput) migration.ExportOutcome {
		turn <- struct{}{}
		defer func() { <-turn }()
		attempts[in.Partition.ID]++
		return s.export(in, attempts[in.Partition.ID])
	})
	answers(w, migration.CompareSource, func(migration.CompareInput) migration.CompareOutcome { return migration.CompareOutcome{} })
	answers(w, migration.ReadBack, func(migration.ReadBackInput) migration.ReadBackOutcome { return migration.ReadBackOutcome{} })
	answers(w, migration.SweepDuplicates, func(migration.SweepInput) migration.SweepOutcome { return migration.SweepOutcome{} })
	answers(w, migration.SettleOpen, func(migration.SettleOpenInput) migration.SettleOpenOutcome { return migration.SettleOpenOutcome{} })
	answers(w, migration.RecordState, func(migration.RecordStateInput) migration.RecordStateOutcome {
		return migration.RecordStateOutcome{Counts: migration.EntityCounts{migration.Users: {Read: 3, Created: 3}, migration.Tickets: {Read: 5, Created: 5}}}
	})
}

func answers[In, Out any](w worker.Worker, name migration.Activity[In, Out], do func(In) Out) {
	w.RegisterActivityWithOptions(func(_ context.Context, in In) (Out, error) { return do(in), nil }, activity.RegisterOptions{Name: string(name)})
}

func update(ctx context.Context, c client.Client, id, name string) error {
	h, err := c.UpdateWorkflow(ctx, client.UpdateWorkflowOptions{
		WorkflowID: id, UpdateName: name, Args: []any{migration.Command{By: "ann", Reason: "rehearsal"}},
		WaitForStage: client.WorkflowUpdateStageCompleted,
	})
	if err != nil {
		return err
	}
	return h.Get(ctx, nil)
}

// whenIn asks until the run is in a state, then does something.
func whenIn(ctx context.Context, c client.Client, id string, want migration.State, do func() error) error {
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for {
		v, err := c.QueryWorkflow(ctx, id, "", migration.QueryProgress)
		if err != nil {
			return err
		}
		var p migration.Progress
		if err := v.Get(&p); err != nil {
			return err
		}
		if p.State == want {
			return do()
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-tick.C:
		}
	}
}

func TestEveryWorkflowTypeHasACommittedHistoryOrIsASingleActivity(t *testing.T) {
	t.Parallel()
	single := []string{string(migration.ReconcileCustomer), string(migration.CheckCustomer), string(migration.VerifyCustomer)}
	recorded := map[string]bool{}
	files, err := filepath.Glob(historyFile("*"))
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		h := load(t, strings.TrimSuffix(filepath.Base(f), ".json"))
		recorded[started(h).GetName()] = true
	}
	for _, name := range append(single, string(migration.MigrateCustomer)) {
		if !recorded[name] && !slices.Contains(single, name) {
			t.Errorf("no history of %s is committed", name)
		}
	}
}

func started(h *history.History) *commonpb.WorkflowType {
	return h.Events[0].GetWorkflowExecutionStartedEventAttributes().GetWorkflowType()
}
