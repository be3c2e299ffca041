// Package workflows decides what happens next in a migration: in which order
// things are done, what waits, what is tried again and how it ends. It touches
// nothing itself; activities do.
package workflows

import (
	"go.temporal.io/sdk/workflow"

	"farewell/migration"
)

// Registry is where workflows are registered: a worker, a test environment or
// a replayer.
type Registry interface {
	RegisterWorkflowWithOptions(w any, o workflow.RegisterOptions)
}

// Register makes every workflow known under its name.
func Register(r Registry) {
	register(r, migration.MigrateCustomer, MigrateCustomer)
	register(r, migration.ReconcileCustomer, ReconcileCustomer)
	register(r, migration.CheckCustomer, CheckCustomer)
	register(r, migration.VerifyCustomer, VerifyCustomer)
}

func register[In, Out any](r Registry, name migration.Workflow[In, Out], w func(workflow.Context, In) (Out, error)) {
	r.RegisterWorkflowWithOptions(w, workflow.RegisterOptions{Name: string(name)})
}

// execute runs an activity by its typed name.
func execute[In, Out any](ctx workflow.Context, o workflow.ActivityOptions, name migration.Activity[In, Out], in In) (Out, error) {
	var out Out
	err := workflow.ExecuteActivity(workflow.WithActivityOptions(ctx, o), string(name), in).Get(ctx, &out)
	return out, err
}
