package workflows

import (
	"go.temporal.io/sdk/workflow"

	"farewell/migration"
)

// ReconcileCustomer rebuilds the ledger of a migration from what is in the
// account. It creates nothing there.
func ReconcileCustomer(ctx workflow.Context, in migration.ReconcileCustomerInput) (migration.ReconcileOutcome, error) {
	return execute(ctx, looks("reconcile", "rebuild the ledger of "+in.Migration.Customer), migration.Reconcile, migration.ReconcileInput{
		Migration: in.Migration,
		Run:       workflow.GetInfo(ctx).WorkflowExecution.RunID,
	})
}
