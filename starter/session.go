package main

import (
	"context"
	"time"

	"farewell/config"
	"farewell/migration"
)

// session is what commands stand on. Close it.
type session struct {
	cfg      config.Config
	accounts config.Accounts
	memory   memory
	temporal orchestrator
	close    func()
}

// memory is the part of the ledger that operators see and use.
type memory interface {
	// Runs lists the newest run of one migration, or of all; active leaves
	// those out that have ended.
	Runs(ctx context.Context, of *migration.Migration, active bool) ([]migration.RunRecord, error)
	// SetControl tells every worker within a second.
	SetControl(ctx context.Context, m migration.Migration, run string, word migration.Control, by, why string) error
	Workers(ctx context.Context) ([]migration.Presence, error)
	Failures(ctx context.Context, m migration.Migration, each func(migration.Failure) error) error
	Changes(ctx context.Context, m migration.Migration, rule migration.Rule, each func(migration.Change) error) error
	ChangeCounts(ctx context.Context, m migration.Migration) ([]migration.ChangeCount, error)

	// The egress of a group of workers; each follows in a second.
	Egresses(ctx context.Context) ([]migration.Egress, error)
	SetEgressCap(ctx context.Context, egress string, perSecond float64, by, why string) error
	OpenEgress(ctx context.Context, egress, by, why string) error
	CloseEgress(ctx context.Context, egress, by, why string) error

	// What is taken of the source; workers that read follow in a second.
	Sources(ctx context.Context) ([]migration.SourcePace, error)
	SetSourcePace(ctx context.Context, source string, maxRows *float64, governed *bool, by, why string) error
}

// orchestrator is the part of Temporal that operators see and use.
type orchestrator interface {
	// Start starts a run; running tells that one runs already, which is then
	// the run that is returned.
	Start(ctx context.Context, m migration.Migration, o migration.Options) (run string, running bool, err error)
	// Tell sends an update to the running workflow and waits for its answer.
	Tell(ctx context.Context, m migration.Migration, word string, c migration.Command) (migration.Progress, error)
	// Leave sends the signal of the same name, which waits for a worker.
	Leave(ctx context.Context, m migration.Migration, word string, c migration.Command) error
	Cancel(ctx context.Context, m migration.Migration, why string) error
	Check(ctx context.Context, m migration.Migration, o migration.Options) (migration.CheckOutcome, error)
	Reconcile(ctx context.Context, m migration.Migration, by, why string) (migration.ReconcileOutcome, error)
	Verify(ctx context.Context, m migration.Migration, repair bool) (migration.VerifyOutcome, error)

	Queues(ctx context.Context) (queueFacts, error)
	// Open lists the migrations that run, by workflow id. It may lag behind
	// by a second; Describe does not.
	Open(ctx context.Context) (map[string]execution, error)
	Describe(ctx context.Context, workflowID string) (execution, error)
	// Link is the Web UI's page of a migration; empty: unknown.
	Link(workflowID, run string) string
}

// Each call of an operator's tool has a limit: what is down must be named, not
// waited for.
const (
	askWithin  = 5 * time.Second  // a question to the ledger or to Temporal
	tellWithin = 15 * time.Second // an update: a worker must take it up and answer
)
