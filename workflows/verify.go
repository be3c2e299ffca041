package workflows

import (
	"go.temporal.io/sdk/workflow"

	"farewell/migration"
)

// VerifyCustomer compares the source, the ledger and the account once more,
// after the runs of the migration have ended.
func VerifyCustomer(ctx workflow.Context, in migration.VerifyCustomerInput) (migration.VerifyOutcome, error) {
	return execute(ctx, looks("verify", "verify "+in.Migration.Customer), migration.Verify, in)
}
