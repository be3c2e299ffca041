package migration

import "time"

// Workflow is a workflow type's name with the types of its input and result.
type Workflow[In, Out any] string

// Activity is an activity type's name with the types of its input and outcome,
// so that workflows can call what activities register without either importing
// the other, and a wrong input is a compile error on both sides.
type Activity[In, Out any] string

// The workflow types.
const (
	MigrateCustomer   Workflow[MigrateCustomerInput, Progress]           = "MigrateCustomer"
	ReconcileCustomer Workflow[ReconcileCustomerInput, ReconcileOutcome] = "ReconcileCustomer"
	CheckCustomer     Workflow[CheckCustomerInput, CheckOutcome]         = "CheckCustomer"
	VerifyCustomer    Workflow[VerifyCustomerInput, VerifyOutcome]       = "VerifyCustomer"
)

// The activity types.
const (
	Preflight       Activity[PreflightInput, CheckOutcome]             = "Preflight"
	MakePlan        Activity[MakePlanInput, MakePlanOutcome]           = "MakePlan"
	ExportPartition Activity[ExportInput, ExportOutcome]               = "ExportPartition"
	CompareSource   Activity[CompareInput, CompareOutcome]             = "CompareSource"
	SweepDuplicates Activity[SweepInput, SweepOutcome]                 = "SweepDuplicates"
	ReadBack        Activity[ReadBackInput, ReadBackOutcome]           = "ReadBack"
	PublishBundle   Activity[PublishInput, PublishOutcome]             = "PublishBundle"
	CheckProgress   Activity[CheckProgressInput, CheckProgressOutcome] = "CheckProgress"
	SettleOpen      Activity[SettleOpenInput, SettleOpenOutcome]       = "SettleOpen"
	RecordState     Activity[RecordStateInput, RecordStateOutcome]     = "RecordState"
	Reconcile       Activity[ReconcileInput, ReconcileOutcome]         = "Reconcile"
	Verify          Activity[VerifyCustomerInput, VerifyOutcome]       = "Verify"
)

// MigrateCustomerInput starts a run. It carries names and numbers only: what
// they stand for is looked up where it is used.
type MigrateCustomerInput struct {
	Migration   Migration `json:"migration"`
	Options     Options   `json:"options"`
	Timings     Timings   `json:"timings"`
	ExportQueue string    `json:"export_queue"` // the task queue of export activities
}

// PreflightInput names the migration to look at.
type PreflightInput struct {
	Migration Migration `json:"migration"`
	Run       string    `json:"run,omitempty"` // empty: only a look, nothing is written
	Options   Options   `json:"options"`
}

// CheckFinding is one line of a preflight's report.
type CheckFinding struct {
	Name       string `json:"name"`
	OK         bool   `json:"ok"`
	Fatal      bool   `json:"fatal"`
	Overridden bool   `json:"overridden,omitempty"`
	Override   string `json:"override,omitempty"`
	Text       string `json:"text"`
	Fix        string `json:"fix,omitempty"`
}

// CheckOutcome is a preflight's report.
type CheckOutcome struct {
	Findings []CheckFinding   `json:"findings"`
	Rows     map[Entity]int64 `json:"rows"`
	Requests int64            `json:"requests"` // estimate, polls included
	Seconds  int64            `json:"seconds"`  // estimate at what was granted
	Fatal    bool             `json:"fatal"`    // a fatal finding was not overridden
}

// MakePlanInput asks for the plan of a migration; the first one stays.
type MakePlanInput struct {
	Migration Migration `json:"migration"`
	Run       string    `json:"run"`
	Options   Options   `json:"options"`
}

// PlannedPartition is a partition and what is still to do in it.
type PlannedPartition struct {
	Partition Partition `json:"partition"`
	Work      bool      `json:"work"` // there is something to export, settle or retry
}

// MakePlanOutcome is the plan, and what of it is still to do.
type MakePlanOutcome struct {
	Partitions []PlannedPartition `json:"partitions"`
	Rows       map[Entity]int64   `json:"rows"`
	Streams    bool               `json:"streams"` // the destination takes streams and publishes a bundle
}

// ExportInput is the work of one export activity.
type ExportInput struct {
	Migration Migration `json:"migration"`
	Run       string    `json:"run"`
	Partition Partition `json:"partition"`
	Timings   Timings   `json:"timings"`
	Limit     int64     `json:"limit,omitempty"` // the most records of this partition; 0: all
	// RetryBefore says that records which failed before then are tried again;
	// zero: none. A moment, not a flag, so that a record fails once for a retry.
	RetryBefore time.Time `json:"retry_before,omitzero"`
	Tolerance   Tolerance `json:"tolerance"`
	// Tolerated tells that an operator looked at the partition's failures and
	// wants it to go on.
	Tolerated bool `json:"tolerated,omitempty"`
}

// ExportOutcome says how an export activity ended. Exactly one of Done,
// Waiting, Stopped and Parked is set.
type ExportOutcome struct {
	Counts  Counts  `json:"counts"`
	Done    bool    `json:"done,omitempty"`
	Waiting *Reason `json:"waiting,omitempty"` // call again after Until
	Stopped Control `json:"stopped,omitempty"` // pause or cancel was obeyed
	Parked  *Parked `json:"parked,omitempty"`
}

// CompareInput asks for a comparison of the source with the ledger.
type CompareInput struct {
	Migration Migration `json:"migration"`
	Run       string    `json:"run"`
	Entities  []Entity  `json:"entities,omitempty"` // that are compared; none: all
	Final     bool      `json:"final"`              // no catch-up follows: list what arrived late
	Limited   bool      `json:"limited,omitempty"`
}

// CompareOutcome names the partitions that have new records.
type CompareOutcome struct {
	Comparison Comparison   `json:"comparison"`
	Partitions []Partition  `json:"partitions,omitempty"` // with new ids
	Counts     EntityCounts `json:"counts"`
}

// SweepInput asks for the duplicate sweep of a run.
type SweepInput struct {
	Migration Migration `json:"migration"`
	Run       string    `json:"run"`
	Repair    bool      `json:"repair"`
}

// SweepOutcome is what the sweep found and did.
type SweepOutcome struct {
	Repaired   int64 `json:"repaired"`
	Unresolved int64 `json:"unresolved"` // duplicates that an operator must judge, or that were not to be repaired
	Missing    int64 `json:"missing"`    // created by the runs that were swept, not in the account
	InAccount  int64 `json:"in_account"` // tickets of ours that the pass saw, copies included
}

// ReadBackInput asks to read a sample of a migration's tickets back.
type ReadBackInput struct {
	Migration Migration `json:"migration"`
	Run       string    `json:"run"`
	// Since: tickets that were changed in the account after it are left alone,
	// since people work there by then; zero: none are.
	Since time.Time `json:"since,omitzero"`
}

// ReadBackOutcome is what the read-back found.
type ReadBackOutcome struct {
	Created      int64    `json:"created"`       // tickets of which the sample was drawn
	Compared     int64    `json:"compared"`      // read back, field by field
	ChangedSince int64    `json:"changed_since"` // not compared: changed at the source after they were read
	Touched      int64    `json:"touched"`       // not compared: changed in the account since
	Differing    int64    `json:"differing"`     // not as they were sent, without a recorded change that says so
	Examples     []string `json:"examples,omitempty"`
	Requests     int64    `json:"requests"`
}

// PublishInput asks a streaming destination to publish.
type PublishInput struct {
	Migration Migration `json:"migration"`
	Run       string    `json:"run"`
}

// PublishOutcome says where the bundle is.
type PublishOutcome struct {
	Path   string           `json:"path"`
	Rows   map[string]int64 `json:"rows"`
	Counts EntityCounts     `json:"counts,omitempty"` // the ledger's own sums, after whoever was missing has been brought
}

// CheckProgressInput is the watchdog's question.
type CheckProgressInput struct {
	Migration Migration `json:"migration"`
	Run       string    `json:"run"`
	Timings   Timings   `json:"timings"`
}

// CheckProgressOutcome is what the ledger knows right now.
type CheckProgressOutcome struct {
	Counts  EntityCounts `json:"counts"`
	Percent int          `json:"percent"`
	Reason  Reason       `json:"reason,omitzero"` // the workers' reason, or that nothing was settled for too long
	Stalled bool         `json:"stalled"`
}

// SettleOpenInput asks to bring every open batch of a run to its end.
type SettleOpenInput struct {
	Migration Migration `json:"migration"`
	Run       string    `json:"run"`
	Timings   Timings   `json:"timings"`
}

// SettleOpenOutcome is what is left.
type SettleOpenOutcome struct {
	Counts EntityCounts `json:"counts"`
}

// RecordStateInput writes a run's state and its word to all workers to the ledger.
type RecordStateInput struct {
	Migration  Migration  `json:"migration"`
	Run        string     `json:"run"`
	Number     int64      `json:"number,omitempty"` // counts what the run has told, from 1: an attempt that comes late changes nothing; 0: told once
	State      State      `json:"state"`
	Control    Control    `json:"control"`
	Reason     Reason     `json:"reason,omitzero"`
	By         string     `json:"by,omitempty"`
	Why        string     `json:"why,omitempty"`
	Limit      int64      `json:"limit,omitempty"`
	Comparison Comparison `json:"comparison"`
	Duplicates int64      `json:"duplicates"`
	Parked     []Parked   `json:"parked,omitempty"`
	Ended      bool       `json:"ended,omitempty"`
	AddUp      bool       `json:"add_up,omitempty"` // the counts are asked for: they take a second for 100,000 records
}

// RecordStateOutcome confirms it.
type RecordStateOutcome struct {
	Counts EntityCounts `json:"counts,omitempty"` // when asked for
}

// ReconcileCustomerInput starts the rebuilding of a ledger.
type ReconcileCustomerInput struct {
	Migration Migration `json:"migration"`
	By        string    `json:"by,omitempty"`
	Reason    string    `json:"reason,omitempty"`
}

// ReconcileInput is the activity's part of it.
type ReconcileInput struct {
	Migration Migration `json:"migration"`
	Run       string    `json:"run"`
}

// ReconcileOutcome counts what was found in the account, by entity.
type ReconcileOutcome struct {
	Found map[Entity]int64 `json:"found"`
}

// VerifyCustomerInput asks to compare source, ledger and account once more.
type VerifyCustomerInput struct {
	Migration Migration `json:"migration"`
	Repair    bool      `json:"repair,omitempty"` // delete what is provably a copy of ours
}

// VerifyOutcome is what a verification found.
type VerifyOutcome struct {
	Counts     EntityCounts    `json:"counts"` // by distinct source id, from the ledger
	Comparison Comparison      `json:"comparison"`
	Sweep      SweepOutcome    `json:"sweep"`
	ReadBack   ReadBackOutcome `json:"read_back"`
}

// CheckCustomerInput starts a preflight by itself.
type CheckCustomerInput struct {
	Migration Migration `json:"migration"`
	Options   Options   `json:"options"`
}
