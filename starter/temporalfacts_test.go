package main

import (
	"strings"
	"testing"

	commonpb "go.temporal.io/api/common/v1"
	enumspb "go.temporal.io/api/enums/v1"
	failurepb "go.temporal.io/api/failure/v1"
	historypb "go.temporal.io/api/history/v1"
	workflowpb "go.temporal.io/api/workflow/v1"

	"farewell/migration"
)

func TestTaskFailureIsTheCauseOfTheNewestOne(t *testing.T) {
	t.Parallel()
	event := func(kind enumspb.EventType) *historypb.HistoryEvent { return &historypb.HistoryEvent{EventType: kind} }
	failed := event(enumspb.EVENT_TYPE_WORKFLOW_TASK_FAILED)
	failed.Attributes = &historypb.HistoryEvent_WorkflowTaskFailedEventAttributes{
		WorkflowTaskFailedEventAttributes: &historypb.WorkflowTaskFailedEventAttributes{
			Cause:   enumspb.WORKFLOW_TASK_FAILED_CAUSE_NON_DETERMINISTIC_ERROR,
			Failure: &failurepb.Failure{Message: "a ticket's text"},
		},
	}
	for _, c := range []struct {
		name        string
		newestFirst []*historypb.HistoryEvent
		want        string
	}{
		{"failed", []*historypb.HistoryEvent{event(enumspb.EVENT_TYPE_WORKFLOW_TASK_SCHEDULED), failed}, "NonDeterministicError"},
		{"lost with its worker", []*historypb.HistoryEvent{event(enumspb.EVENT_TYPE_WORKFLOW_TASK_TIMED_OUT), event(enumspb.EVENT_TYPE_WORKFLOW_TASK_COMPLETED)}, ""},
		{"failed before one that went well", []*historypb.HistoryEvent{event(enumspb.EVENT_TYPE_WORKFLOW_TASK_COMPLETED), failed}, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			if got := lastTaskFailure(c.newestFirst); got != c.want {
				t.Errorf("got %q, want %q", got, c.want)
			}
		})
	}
}

func TestActivityFailuresShowNoPayload(t *testing.T) {
	t.Parallel()
	const secret = "a ticket's text"
	payloads := &commonpb.Payloads{Payloads: []*commonpb.Payload{{Data: []byte(secret)}}}
	fact := asActivity(&workflowpb.PendingActivityInfo{
		ActivityId: "tickets-0001/1", Attempt: 4, HeartbeatDetails: payloads,
		LastFailure: &failurepb.Failure{
			Message: "connection refused", StackTrace: secret,
			FailureInfo: &failurepb.Failure_ApplicationFailureInfo{
				ApplicationFailureInfo: &failurepb.ApplicationFailureInfo{Type: "Source", Details: payloads},
			},
		},
	})
	if fact.FailureType != "Source" || fact.FailureText != "connection refused" || fact.Attempt != 4 {
		t.Errorf("got %+v", fact)
	}
	if strings.Contains(failureInWords(fact), secret) {
		t.Error("the payload is shown")
	}
}

func TestSummaryFitsWhatTemporalTakes(t *testing.T) {
	t.Parallel()
	m := migration.Migration{Customer: strings.Repeat("漢", 400), Destination: "csv", Account: "a"}
	if s := summary(m); len(s) > 400 || !strings.HasPrefix(s, "migrate 漢") || strings.ContainsRune(s, '\ufffd') {
		t.Errorf("%d bytes: %s", len(s), s)
	}
}
