package integration_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"testing"
	"time"

	"go.temporal.io/sdk/activity"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/worker"
	"go.temporal.io/sdk/workflow"
)

// plants are texts by the place where the test's own workflow leaves them.
type plants map[string]string

// places are all the ways in which Temporal could come to keep a text.
var places = []string{
	"workflow input", "activity input", "activity result", "activity failure", "failure details", "heartbeat details", "memo", "search attribute",
	"static summary", "activity summary", "timer summary", "current details", "signal", "query answer",
}

// Plant leaves a text in every place that is its own, and then waits. The texts
// come with the worker, so that none is in two places.
func (p plants) Plant(ctx workflow.Context, _ string) error {
	workflow.SetCurrentDetails(ctx, "about "+p["current details"])
	options := func(id, summary string) workflow.Context {
		return workflow.WithActivityOptions(ctx, workflow.ActivityOptions{
			ActivityID: id, StartToCloseTimeout: time.Hour, HeartbeatTimeout: time.Hour, Summary: summary,
			RetryPolicy: &temporal.RetryPolicy{MaximumAttempts: 1},
		})
	}
	if err := workflow.SetQueryHandler(ctx, "progress", func() (string, error) { return p["query answer"], nil }); err != nil {
		return err
	}
	if err := workflow.ExecuteActivity(options("fails", p["activity summary"]), p.Fail).Get(ctx, nil); err == nil {
		return errors.New("the activity was to fail")
	}
	if err := workflow.ExecuteActivity(options("works", ""), p.Work, p["activity input"]).Get(ctx, nil); err != nil {
		return err
	}
	_ = workflow.NewTimerWithOptions(ctx, time.Hour, workflow.TimerOptions{Summary: p["timer summary"]})
	return workflow.ExecuteActivity(options("waits", ""), p.Wait).Get(ctx, nil)
}

func (p plants) Fail(context.Context) error {
	return temporal.NewNonRetryableApplicationError(p["activity failure"], "Planted", nil, map[string]string{"said": p["failure details"]})
}

// Work spells its result with escapes, as JSON may.
func (p plants) Work(context.Context, string) (json.RawMessage, error) {
	return json.RawMessage(strconv.QuoteToASCII(p["activity result"])), nil
}

func (p plants) Wait(ctx context.Context) error {
	activity.RecordHeartbeat(ctx, map[string]any{"deep": []string{p["heartbeat details"]}})
	<-ctx.Done()
	return ctx.Err()
}

func TestSearchFindsATextWhereverTemporalKeepsIt(t *testing.T) {
	s := newStage(t, setting{tickets: 5})
	s.planted = true
	p := plants{}
	for i, place := range places {
		p[place] = fmt.Sprintf("Grüße & <b>\"bytes\"</b> %d-%s", i, randomName())
	}
	// One is a text of the sample: that is what the runs' own search looks for.
	p["activity input"] = text(query(t, s.source, "select content from crm.messages where length(content) > 20 and position(E'\n' in content) = 0 limit 1")[0]["content"])
	w := worker.New(s.temporal, "plants", worker.Options{})
	w.RegisterWorkflow(p.Plant)
	w.RegisterActivity(p.Fail)
	w.RegisterActivity(p.Work)
	w.RegisterActivity(p.Wait)
	if err := w.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(w.Stop)
	run, err := s.temporal.ExecuteWorkflow(t.Context(), client.StartWorkflowOptions{
		ID: "plants", TaskQueue: "plants", StaticSummary: p["static summary"], Memo: map[string]any{"note": p["memo"]},
		TypedSearchAttributes: temporal.NewSearchAttributes(temporal.NewSearchAttributeKeyKeyword("FarewellState").ValueSet(p["search attribute"])),
	}, p.Plant, p["workflow input"])
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.temporal.TerminateWorkflow(context.Background(), run.GetID(), "", "the test is over") })
	if err := s.temporal.SignalWorkflow(t.Context(), run.GetID(), "", "word", p["signal"]); err != nil {
		t.Fatal(err)
	}
	eventually(t, 30*time.Second, "the activity that waits has beaten", func() (bool, string) {
		d, err := s.temporal.DescribeWorkflowExecution(t.Context(), run.GetID(), "")
		if err != nil {
			return false, err.Error()
		}
		pending := d.GetPendingActivities()
		return len(pending) == 1 && pending[0].GetHeartbeatDetails() != nil, fmt.Sprint(pending)
	})

	kept := gather(t, s.temporal, s.namespace, true)
	for _, place := range places {
		if len(kept.find([]string{p[place]})) == 0 {
			t.Errorf("the %s is not found", place)
		}
	}
	if found := kept.find([]string{"a text that is nowhere"}); len(found) != 0 {
		t.Errorf("found %q", found)
	}
	if found := kept.find(s.forbidden()); !slices.Contains(found, p["activity input"]) {
		t.Errorf("a customer's message in an activity's input is not noticed: found %q", found)
	}
}
