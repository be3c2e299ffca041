// Package activities does what workflows decide: each activity touches the
// source, the ledger and the destination on behalf of one step.
package activities

import (
	"context"
	"io"
	"log/slog"
	"sync/atomic"
	"time"

	"go.temporal.io/sdk/activity"

	"farewell/destination"
	"farewell/ledger"
	"farewell/mapping"
	"farewell/migration"
	"farewell/source"
)

// Source is what the activities need of the customers' database.
type Source interface {
	Now(ctx context.Context) (time.Time, error)
	Check(ctx context.Context, customer string) ([]source.Finding, error)
	Count(ctx context.Context, customer string, e migration.Entity) (int64, error)
	Cut(ctx context.Context, customer string, e migration.Entity, size int) ([]migration.Partition, error)
	IDs(ctx context.Context, customer string, p migration.Partition) ([]migration.Listed, error)
	Page(ctx context.Context, q source.PageQuery) (migration.Page, error)
	FilePlaces(ctx context.Context, customer string) ([]migration.FilePlace, error)
	ShowsFiles(ctx context.Context) (bool, error)
	Attachments(ctx context.Context, customer string, ticketIDs []string) (map[string][]migration.Attachment, error)
	Columns(ctx context.Context) (map[string][]migration.Column, error)
	Hardest(ctx context.Context, customer string, n int) ([]string, error)
	CopyPart(ctx context.Context, q source.PartQuery, open func(view string) (io.Writer, error)) (source.PartRows, error)
}

// Ledger is what the activities need of our memory.
type Ledger interface {
	Plan(ctx context.Context, m migration.Migration) (migration.Plan, bool, error)
	SavePlan(ctx context.Context, m migration.Migration, p migration.Plan) (migration.Plan, error)
	BeginRun(ctx context.Context, m migration.Migration, run string, o migration.Options) error
	KeepMapping(ctx context.Context, m migration.Migration, run, hash string, content []byte) (inForce []byte, err error)
	Mapping(ctx context.Context, m migration.Migration, run string) ([]byte, error)
	MappingBefore(ctx context.Context, m migration.Migration, run string) (hash string, any bool, err error)
	RecordState(ctx context.Context, in migration.RecordStateInput) error
	Known(ctx context.Context, m migration.Migration) (bool, error)
	Unfinished(ctx context.Context, m migration.Migration) (map[migration.Partition]bool, error)
	OpenPartitions(ctx context.Context, m migration.Migration) ([]migration.Partition, error)

	TakeOver(ctx context.Context, m migration.Migration, p migration.Partition, run string) (migration.PartitionState, error)
	Intend(ctx context.Context, h migration.Hold, b migration.Batch, within time.Duration) (time.Time, error)
	Settle(ctx context.Context, h migration.Hold, batchID string, s migration.Settlement) error
	RecordAndSettle(ctx context.Context, h migration.Hold, batchID string, e migration.Evidence, s migration.Settlement) error
	EndPartition(ctx context.Context, h migration.Hold) error
	Record(ctx context.Context, m migration.Migration, batchID string, e migration.Evidence) error
	OwnsJobs(ctx context.Context, jobIDs []string) (map[string]bool, error)

	Targets(ctx context.Context, m migration.Migration, e migration.Entity, sourceIDs []string) (map[string]migration.Target, error)
	Outcomes(ctx context.Context, m migration.Migration, partition string) (ledger.Outcomes, error)
	SettledTargets(ctx context.Context, m migration.Migration, e migration.Entity, sourceIDs []string) (map[string][]string, error)
	AllOutcomes(ctx context.Context, m migration.Migration, e migration.Entity, fn func(partition, sourceID string, st ledger.RecordState) error) error
	Compared(ctx context.Context, m migration.Migration, run string, e migration.Entity, list []migration.Failure) error
	Swept(ctx context.Context, m migration.Migration, run string, e migration.Entity, list []migration.Failure) error
	ReadBack(ctx context.Context, m migration.Migration, run string, e migration.Entity, list []migration.Failure) error
	SentFiles(ctx context.Context, m migration.Migration, batchIDs, sourceIDs []string) ([]migration.FileFate, error)
	ChangesTo(ctx context.Context, m migration.Migration, e migration.Entity, sourceIDs []string) ([]migration.Change, error)
	Unswept(ctx context.Context, m migration.Migration) (ledger.Unswept, error)
	FirstBegan(ctx context.Context, m migration.Migration) (time.Time, error)
	Parts(ctx context.Context, m migration.Migration) ([]ledger.Part, error)

	Counts(ctx context.Context, m migration.Migration, run string) (migration.EntityCounts, error)
	PartitionCounts(ctx context.Context, m migration.Migration, run, partition string) (migration.Counts, error)
	ExactCounts(ctx context.Context, m migration.Migration, run string) (migration.EntityCounts, error)
	Runs(ctx context.Context, filter ledger.RunFilter) ([]migration.RunRecord, error)

	Errand(ctx context.Context, m migration.Migration, e migration.Entity, worker string, running bool) (granted bool, err error)
	EndErrand(ctx context.Context, m migration.Migration, e migration.Entity, worker string) error
}

// Files opens attachments where the source keeps them.
type Files interface {
	// Open is destination.OpenFile for a customer.
	Open(ctx context.Context, customer string, a migration.Attachment) (destination.File, error)
	// Reaches tells whether the configuration allows to fetch from a place.
	Reaches(p migration.FilePlace) bool
}

// Destinations opens the place where a migration's records go. The value stays
// open for all activities of this process; nobody else closes it.
type Destinations interface {
	Open(ctx context.Context, m migration.Migration) (destination.Destination, error)
}

// Mappings tells what the mapping file says now. A nil mapping means that there
// is no file. A file that cannot be used is a *mapping.Invalid; strangers are
// about customers in it that nobody knows.
type Mappings interface {
	Of(customer string) (m *mapping.Mapping, strangers []mapping.Problem, err error)
}

// Controls tells what the control channel says of a run, from memory.
type Controls interface {
	Control(m migration.Migration, run string) migration.Control
}

// Activities are all activities, on what they need. One value serves a worker.
type Activities struct {
	Worker       string // its name, which no other worker has
	Source       Source
	Files        Files
	Ledger       Ledger
	Destinations Destinations
	Mappings     Mappings
	Controls     Controls
	Reasons      *Reasons
	Log          *slog.Logger

	people      peopleLocks
	directories directories
	lanes       atomic.Int64
}

// Lanes is how many partitions of batches are being worked on now, people on
// demand included.
func (a *Activities) Lanes() int { return int(a.lanes.Load()) }

// Registry is where activities are registered: a worker or a test environment.
type Registry interface {
	RegisterActivityWithOptions(a any, o activity.RegisterOptions)
}

// Register makes every activity known under its name.
func (a *Activities) Register(r Registry) {
	register(r, migration.Preflight, a.Preflight)
	register(r, migration.MakePlan, a.MakePlan)
	register(r, migration.ExportPartition, a.ExportPartition)
	register(r, migration.CompareSource, a.CompareSource)
	register(r, migration.SweepDuplicates, a.SweepDuplicates)
	register(r, migration.ReadBack, a.ReadBack)
	register(r, migration.PublishBundle, a.PublishBundle)
	register(r, migration.CheckProgress, a.CheckProgress)
	register(r, migration.SettleOpen, a.SettleOpen)
	register(r, migration.RecordState, a.RecordState)
	register(r, migration.Reconcile, a.Reconcile)
	register(r, migration.Verify, a.Verify)
}

func register[In, Out any](r Registry, name migration.Activity[In, Out], do func(context.Context, In) (Out, error)) {
	translated := func(ctx context.Context, in In) (Out, error) {
		out, err := do(ctx, in)
		return out, failure(err)
	}
	r.RegisterActivityWithOptions(translated, activity.RegisterOptions{Name: string(name)})
}
