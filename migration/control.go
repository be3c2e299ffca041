package migration

import "time"

// Names of the workflow's handlers. Each update has a signal twin of the same
// name for Temporal's batch operations, which can signal but not update.
const (
	QueryProgress = "progress"
	UpdatePause   = "pause"
	UpdateResume  = "resume"
	UpdateRetry   = "retry"
	UpdateSkip    = "skip"
)

// Command is an operator's word to a running migration.
type Command struct {
	By        string `json:"by"`
	Reason    string `json:"reason,omitempty"`
	Partition string `json:"partition,omitempty"` // for retry and skip; empty: every parked one
}

// Control is what the ledger's control channel tells every worker about a run.
type Control string

// The words of the control channel for a migration.
const (
	ControlRun    Control = "run"
	ControlPause  Control = "pause"
	ControlCancel Control = "cancel"
)

// Presence is a worker's sign of life, written every two seconds.
type Presence struct {
	Worker  string    `json:"worker"` // host, process id and start time
	Egress  string    `json:"egress"`
	Queue   string    `json:"queue"`
	Started time.Time `json:"started"`
	Seen    time.Time `json:"seen"`
}

// RunRecord is a run as the ledger knows it.
type RunRecord struct {
	Migration  Migration
	Run        string
	StartedAt  time.Time
	EndedAt    time.Time // zero: not ended
	State      State     // last state that was written down
	By         string
	Why        string
	Limit      int64
	Comparison Comparison
	Duplicates int64
	Control    Control
	ControlBy  string
	ControlWhy string
	Reason     Reason    // the last reason that a worker gave for not moving
	ReasonAt   time.Time // when it gave it: older than a few seconds, it is history
	LastSettle time.Time // the last durable progress
	Counts     EntityCounts
	Planned    EntityCounts // Read: the rows of the plan (or the limit)
	Parked     []Parked
	Mapping    string // hash of the mapping that it works with; empty: none
}

// What a sweep of the account finds out about a record.
const (
	Duplicate    = "duplicate"      // there more than once; the code says what was done about it
	NotInAccount = "not_in_account" // created, and not there any more
	Differs      = "differs"        // read back otherwise than it was sent
)

// Failure is a record that did not arrive, or not as it was.
type Failure struct {
	Entity    Entity    `json:"entity"`
	SourceID  string    `json:"source_id"`
	Outcome   string    `json:"outcome"` // failed, skipped, changed_since, deleted_at_source, arrived_late, missing, duplicate, not_in_account, differs
	Code      string    `json:"code"`
	Text      string    `json:"text"` // may quote the account's answer
	Partition string    `json:"partition"`
	At        time.Time `json:"at"`
}
