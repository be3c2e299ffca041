package main

import (
	"context"
	"fmt"
	"net/url"

	enumspb "go.temporal.io/api/enums/v1"
	"go.temporal.io/sdk/client"

	"farewell/migration"
)

// Check runs the preflight on a worker, which alone can read the account's
// secret. Two operators who check at the same time share one look.
func (s *temporalService) Check(ctx context.Context, m migration.Migration, o migration.Options) (migration.CheckOutcome, error) {
	return ask(ctx, s, "check/"+url.PathEscape(m.Customer)+"/"+url.PathEscape(m.Account), "check "+m.Customer,
		migration.CheckCustomer, migration.CheckCustomerInput{Migration: m, Options: o})
}

// Reconcile rebuilds the ledger of the migration on a worker.
func (s *temporalService) Reconcile(ctx context.Context, m migration.Migration, by, why string) (migration.ReconcileOutcome, error) {
	return ask(ctx, s, m.ReconcileWorkflowID(), "reconcile "+m.Customer,
		migration.ReconcileCustomer, migration.ReconcileCustomerInput{Migration: m, By: by, Reason: why})
}

// Verify compares source, ledger and account on a worker.
func (s *temporalService) Verify(ctx context.Context, m migration.Migration, repair bool) (migration.VerifyOutcome, error) {
	return ask(ctx, s, m.VerifyWorkflowID(), "verify "+m.Customer,
		migration.VerifyCustomer, migration.VerifyCustomerInput{Migration: m, Repair: repair})
}

// ask runs a workflow, or joins the one that runs, and waits for its answer.
func ask[In, Out any](ctx context.Context, s *temporalService, id, what string, w migration.Workflow[In, Out], in In) (Out, error) {
	var out Out
	begin, cancel := context.WithTimeout(ctx, tellWithin)
	defer cancel()
	run, err := s.client.ExecuteWorkflow(begin, client.StartWorkflowOptions{
		ID:                       id,
		TaskQueue:                s.cfg.TaskQueue,
		WorkflowIDReusePolicy:    enumspb.WORKFLOW_ID_REUSE_POLICY_ALLOW_DUPLICATE,
		WorkflowIDConflictPolicy: enumspb.WORKFLOW_ID_CONFLICT_POLICY_USE_EXISTING,
		StaticSummary:            clean(what),
	}, string(w), in)
	if err != nil {
		return out, s.failed(what, err)
	}
	if err := run.Get(ctx, &out); err != nil {
		return out, fmt.Errorf("%s: %w", what, failureInside(err))
	}
	return out, nil
}
