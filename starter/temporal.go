package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/url"

	enumspb "go.temporal.io/api/enums/v1"
	"go.temporal.io/api/serviceerror"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/log"
	"go.temporal.io/sdk/temporal"

	"farewell/config"
	"farewell/migration"
)

// temporalService is the orchestrator on a real Temporal.
type temporalService struct {
	client    client.Client
	cfg       config.Config
	address   string
	namespace string
}

// openTemporal does not connect yet: list, status and watch work without
// Temporal.
func openTemporal(cfg config.Config) (*temporalService, error) {
	options, err := cfg.TemporalOptions()
	if err != nil {
		return nil, err
	}
	options.Logger = log.NewStructuredLogger(slog.New(slog.NewTextHandler(io.Discard, nil))) // every error is returned to us as well
	options.Identity = "starter"
	c, err := client.NewLazyClient(options)
	if err != nil {
		return nil, fmt.Errorf("read Temporal's connection settings (TEMPORAL_ADDRESS and its like): %w", err)
	}
	s := &temporalService{client: c, cfg: cfg, address: options.HostPort, namespace: options.Namespace}
	if s.address == "" {
		s.address = client.DefaultHostPort
	}
	if s.namespace == "" {
		s.namespace = client.DefaultNamespace
	}
	return s, nil
}

func (s *temporalService) Start(ctx context.Context, m migration.Migration, o migration.Options) (string, bool, error) {
	ctx, cancel := context.WithTimeout(ctx, tellWithin)
	defer cancel()
	run, err := s.client.ExecuteWorkflow(ctx, client.StartWorkflowOptions{
		ID:                                       m.WorkflowID(),
		TaskQueue:                                s.cfg.TaskQueue,
		WorkflowIDReusePolicy:                    enumspb.WORKFLOW_ID_REUSE_POLICY_ALLOW_DUPLICATE,
		WorkflowIDConflictPolicy:                 enumspb.WORKFLOW_ID_CONFLICT_POLICY_FAIL,
		WorkflowExecutionErrorWhenAlreadyStarted: true,
		StaticSummary:                            summary(m),
		TypedSearchAttributes:                    attributes(m),
		Priority:                                 temporal.Priority{FairnessKey: m.FairnessKey()},
	}, string(migration.MigrateCustomer), migration.MigrateCustomerInput{
		Migration:   m,
		Options:     o,
		Timings:     migration.DefaultTimings().Scaled(s.cfg.TimeFactor),
		ExportQueue: s.cfg.ExportQueue(),
	})
	var started *serviceerror.WorkflowExecutionAlreadyStarted
	if errors.As(err, &started) {
		return started.RunId, true, nil
	}
	if err != nil {
		return "", false, s.failed("start "+m.WorkflowID(), err)
	}
	return run.GetRunID(), false, nil
}

// summaryLength is what Temporal takes for a summary, in bytes
// (https://docs.temporal.io/develop/go/observability), less some room.
const summaryLength = 350

// summary is shown in the Web UI's lists.
func summary(m migration.Migration) string {
	s := "migrate " + clean(m.String())
	for i := range s {
		if i > summaryLength {
			return s[:i]
		}
	}
	return s
}

// attributes are there from the start, so that a list by state also finds what
// no worker has begun yet.
func attributes(m migration.Migration) temporal.SearchAttributes {
	return temporal.NewSearchAttributes(
		temporal.NewSearchAttributeKeyKeyword(migration.AttributeCustomer).ValueSet(m.Customer),
		temporal.NewSearchAttributeKeyKeyword(migration.AttributeDestination).ValueSet(m.Destination),
		temporal.NewSearchAttributeKeyKeyword(migration.AttributeState).ValueSet(string(migration.StateWaiting)),
		temporal.NewSearchAttributeKeyBool(migration.AttributeAttention).ValueSet(false),
		temporal.NewSearchAttributeKeyInt64(migration.AttributePercent).ValueSet(0),
		temporal.NewSearchAttributeKeyInt64(migration.AttributeFailed).ValueSet(0),
	)
}

func (s *temporalService) Tell(ctx context.Context, m migration.Migration, word string, c migration.Command) (migration.Progress, error) {
	ctx, cancel := context.WithTimeout(ctx, tellWithin)
	defer cancel()
	var answer migration.Progress
	handle, err := s.client.UpdateWorkflow(ctx, client.UpdateWorkflowOptions{
		WorkflowID: m.WorkflowID(), UpdateName: word, Args: []any{c},
		WaitForStage: client.WorkflowUpdateStageCompleted,
	})
	if err == nil {
		err = handle.Get(ctx, &answer)
	}
	return answer, s.told(word, m, err)
}

func (s *temporalService) Leave(ctx context.Context, m migration.Migration, word string, c migration.Command) error {
	ctx, cancel := context.WithTimeout(ctx, askWithin)
	defer cancel()
	return s.told(word, m, s.client.SignalWorkflow(ctx, m.WorkflowID(), "", word, c))
}

func (s *temporalService) Cancel(ctx context.Context, m migration.Migration, why string) error {
	ctx, cancel := context.WithTimeout(ctx, askWithin)
	defer cancel()
	// Temporal accepts a cancellation of what has ended, and does nothing.
	if e, err := s.Describe(ctx, m.WorkflowID()); err != nil || e.Status != statusRunning {
		return cmp.Or(err, errNotRunning)
	}
	return s.told("cancel", m, s.client.CancelWorkflowWithOptions(ctx, client.CancelWorkflowOptions{WorkflowID: m.WorkflowID(), Reason: why}))
}

// errNotRunning: the workflow has ended, or never was.
var errNotRunning = errors.New("not running")

// refusal is what the workflow itself said against a command.
type refusal struct{ text string }

func (r refusal) Error() string { return r.text }

func (s *temporalService) told(word string, m migration.Migration, err error) error {
	var gone *serviceerror.NotFound
	var refused *temporal.ApplicationError
	switch {
	case err == nil:
		return nil
	case errors.As(err, &gone):
		return errNotRunning
	case errors.As(err, &refused):
		return refusal{refused.Message()}
	}
	return s.failed(word+" "+m.WorkflowID(), err)
}

// failed says what a failed call means to an operator.
func (s *temporalService) failed(what string, err error) error {
	var unavailable *serviceerror.Unavailable
	var namespace *serviceerror.NamespaceNotFound
	var invalid *serviceerror.InvalidArgument
	switch {
	case errors.As(err, &unavailable), errors.Is(err, context.DeadlineExceeded), isDeadline(err):
		return fmt.Errorf("%s: Temporal does not answer at %s: is it up, and is TEMPORAL_ADDRESS right? (./temporal-dev.sh up starts one here; trying again may help)", what, s.address)
	case errors.As(err, &namespace):
		return fmt.Errorf("%s: Temporal at %s has no namespace %q: set TEMPORAL_NAMESPACE, or create it", what, s.address, s.namespace)
	case errors.As(err, &invalid) && mentionsAttributes(err):
		return fmt.Errorf("%s: %w; run %s setup first", what, err, program)
	}
	return fmt.Errorf("%s: %w", what, err)
}

func isDeadline(err error) bool {
	var deadline *serviceerror.DeadlineExceeded
	return errors.As(err, &deadline)
}

func (s *temporalService) Link(workflowID, run string) string {
	if s.cfg.TemporalUI == "" {
		return ""
	}
	link := s.cfg.TemporalUI + "/namespaces/" + url.PathEscape(s.namespace) + "/workflows/" + url.PathEscape(workflowID)
	if run != "" {
		link += "/" + url.PathEscape(run)
	}
	return link
}
