package main

import (
	"context"
	"errors"
	"time"

	commonpb "go.temporal.io/api/common/v1"
	enumspb "go.temporal.io/api/enums/v1"
	failurepb "go.temporal.io/api/failure/v1"
	historypb "go.temporal.io/api/history/v1"
	"go.temporal.io/api/serviceerror"
	workflowpb "go.temporal.io/api/workflow/v1"
	"go.temporal.io/api/workflowservice/v1"
	"go.temporal.io/sdk/converter"
	"google.golang.org/protobuf/types/known/timestamppb"

	"farewell/migration"
)

// pollerForgotten is after which silence a poller no longer counts. A poll
// lasts up to a minute, and Temporal notes when it began.
const pollerForgotten = 75 * time.Second

func (s *temporalService) Queues(ctx context.Context) (queueFacts, error) {
	ctx, cancel := context.WithTimeout(ctx, askWithin)
	defer cancel()
	facts := queueFacts{Known: true, Queue: s.cfg.TaskQueue}
	workflows, err := s.pollers(ctx, s.cfg.TaskQueue, enumspb.TASK_QUEUE_TYPE_WORKFLOW)
	if err != nil {
		return queueFacts{}, err
	}
	exports, err := s.pollers(ctx, s.cfg.ExportQueue(), enumspb.TASK_QUEUE_TYPE_ACTIVITY)
	if err != nil {
		return queueFacts{}, err
	}
	facts.Workflows, facts.Exports = workflows, exports
	return facts, nil
}

func (s *temporalService) pollers(ctx context.Context, queue string, kind enumspb.TaskQueueType) (int, error) {
	d, err := s.client.DescribeTaskQueue(ctx, queue, kind)
	if err != nil {
		return 0, s.failed("ask for the pollers of "+queue, err)
	}
	alive := 0
	for _, p := range d.GetPollers() {
		if time.Since(p.GetLastAccessTime().AsTime()) < pollerForgotten {
			alive++
		}
	}
	return alive, nil
}

func (s *temporalService) Open(ctx context.Context) (map[string]execution, error) {
	ctx, cancel := context.WithTimeout(ctx, askWithin)
	defer cancel()
	open := map[string]execution{}
	request := &workflowservice.ListWorkflowExecutionsRequest{
		PageSize: 1000,
		Query:    "WorkflowType = '" + string(migration.MigrateCustomer) + "' AND ExecutionStatus = 'Running'",
	}
	for {
		page, err := s.client.ListWorkflow(ctx, request)
		if err != nil {
			return nil, s.failed("list open migrations", err)
		}
		for _, e := range page.GetExecutions() {
			open[e.GetExecution().GetWorkflowId()] = asExecution(e)
		}
		if request.NextPageToken = page.GetNextPageToken(); len(request.NextPageToken) == 0 {
			return open, nil
		}
	}
}

func (s *temporalService) Describe(ctx context.Context, workflowID string) (execution, error) {
	ctx, cancel := context.WithTimeout(ctx, askWithin)
	defer cancel()
	d, err := s.client.DescribeWorkflowExecution(ctx, workflowID, "")
	var gone *serviceerror.NotFound
	if errors.As(err, &gone) {
		return execution{Status: statusAbsent}, nil
	}
	if err != nil {
		return execution{}, s.failed("describe "+workflowID, err)
	}
	e := asExecution(d.GetWorkflowExecutionInfo())
	for _, a := range d.GetPendingActivities() {
		e.Activities = append(e.Activities, asActivity(a))
	}
	if task := d.GetPendingWorkflowTask(); task != nil {
		e.Task = taskFact{Attempt: int(task.GetAttempt()), Since: instant(task.GetOriginalScheduledTime())}
	}
	if e.Task.Attempt > 1 {
		e.Task.Cause, err = s.taskFailure(ctx, d.GetWorkflowExecutionInfo().GetExecution())
	}
	return e, err
}

// taskFailure is why the last workflow task failed, in Temporal's own word. A
// task that was only lost with its worker did not fail.
func (s *temporalService) taskFailure(ctx context.Context, of *commonpb.WorkflowExecution) (string, error) {
	last, err := s.client.WorkflowService().GetWorkflowExecutionHistoryReverse(ctx, &workflowservice.GetWorkflowExecutionHistoryReverseRequest{
		Namespace: s.namespace, Execution: of, MaximumPageSize: 20,
	})
	if err != nil {
		return "", s.failed("read the last events of "+of.GetWorkflowId(), err)
	}
	return lastTaskFailure(last.GetHistory().GetEvents()), nil
}

func lastTaskFailure(newestFirst []*historypb.HistoryEvent) string {
	for _, event := range newestFirst {
		switch event.GetEventType() {
		case enumspb.EVENT_TYPE_WORKFLOW_TASK_FAILED:
			return event.GetWorkflowTaskFailedEventAttributes().GetCause().String()
		case enumspb.EVENT_TYPE_WORKFLOW_TASK_COMPLETED:
			return ""
		}
	}
	return ""
}

func asExecution(info *workflowpb.WorkflowExecutionInfo) execution {
	return execution{
		Run:     info.GetExecution().GetRunId(),
		Status:  asStatus(info.GetStatus()),
		State:   publishedState(info.GetSearchAttributes()),
		Started: instant(info.GetStartTime()),
		Closed:  instant(info.GetCloseTime()),
	}
}

// publishedState is empty where the attribute is missing or of another kind.
func publishedState(attributes *commonpb.SearchAttributes) migration.State {
	var state string
	payload, ok := attributes.GetIndexedFields()[migration.AttributeState]
	if !ok || converter.GetDefaultDataConverter().FromPayload(payload, &state) != nil {
		return ""
	}
	return migration.State(state)
}

func asStatus(s enumspb.WorkflowExecutionStatus) status {
	switch s {
	case enumspb.WORKFLOW_EXECUTION_STATUS_COMPLETED:
		return statusCompleted
	case enumspb.WORKFLOW_EXECUTION_STATUS_FAILED:
		return statusFailed
	case enumspb.WORKFLOW_EXECUTION_STATUS_CANCELED:
		return statusCancelled
	case enumspb.WORKFLOW_EXECUTION_STATUS_TERMINATED:
		return statusTerminated
	case enumspb.WORKFLOW_EXECUTION_STATUS_TIMED_OUT:
		return statusTimedOut
	}
	return statusRunning // also continued as new, and paused
}

func asActivity(a *workflowpb.PendingActivityInfo) activityFact {
	kind, text := failureOf(a.GetLastFailure())
	return activityFact{
		ID: a.GetActivityId(), Attempt: int(a.GetAttempt()), FailureType: kind, FailureText: text,
		Next: instant(a.GetNextAttemptScheduleTime()),
	}
}

// failureOf takes type and message of a failure, never its details, which are
// payloads.
func failureOf(f *failurepb.Failure) (kind, text string) {
	if f == nil {
		return "", ""
	}
	switch {
	case f.GetApplicationFailureInfo() != nil:
		kind = f.GetApplicationFailureInfo().GetType()
	case f.GetTimeoutFailureInfo() != nil:
		kind = f.GetTimeoutFailureInfo().GetTimeoutType().String() + " timeout"
	}
	return kind, f.GetMessage()
}

func instant(t *timestamppb.Timestamp) time.Time {
	if t == nil {
		return time.Time{}
	}
	return t.AsTime()
}
