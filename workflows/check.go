package workflows

import (
	"go.temporal.io/sdk/workflow"

	"farewell/migration"
)

// CheckCustomer makes every preflight check of a migration and writes nothing.
func CheckCustomer(ctx workflow.Context, in migration.CheckCustomerInput) (migration.CheckOutcome, error) {
	return execute(ctx, looks("preflight", "check "+in.Migration.Customer), migration.Preflight, migration.PreflightInput{
		Migration: in.Migration,
		Options:   in.Options,
	})
}
