package main

import (
	"time"

	"farewell/migration"
)

// facts are everything that is known about one migration at one moment.
type facts struct {
	Now        time.Time
	Run        *migration.RunRecord // nil: the ledger knows of no run
	Execution  execution
	Queues     queueFacts
	Workers    []migration.Presence
	StallAfter time.Duration
	StartAgain string // the command that starts the migration
}

// status is what Temporal says about a run.
type status string

// What Temporal may say. The zero value: it was not asked, or gave no answer.
const (
	statusAbsent     status = "absent"
	statusRunning    status = "running"
	statusCompleted  status = "completed"
	statusFailed     status = "failed"
	statusCancelled  status = "cancelled"
	statusTerminated status = "terminated"
	statusTimedOut   status = "timed out"
)

func (s status) closed() bool { return s != "" && s != statusAbsent && s != statusRunning }

// execution is the newest run of a workflow id, as Temporal describes it.
type execution struct {
	Run        string
	Status     status
	State      migration.State // as the workflow last published it; may lag behind
	Started    time.Time
	Closed     time.Time
	Task       taskFact
	Activities []activityFact
}

// taskFact is the workflow task that Temporal waits for.
type taskFact struct {
	Attempt int    // from 1; 0: none is pending
	Cause   string // why the last one failed, in Temporal's word; empty: it did not
	Since   time.Time
}

// activityFact is an activity that has begun and not ended.
type activityFact struct {
	ID          string
	Attempt     int
	FailureType string
	FailureText string
	Next        time.Time // when it is tried again; zero: it is being tried
}

// queueFacts are the pollers that Temporal knows.
type queueFacts struct {
	Known     bool // Temporal answered
	Queue     string
	Workflows int // pollers of the queue for workflow tasks and activities
	Exports   int // pollers of the queue for exports
	Silent    string
}

// missing names the queue that nobody polls; empty: every queue is polled.
func (q queueFacts) missing() string {
	switch {
	case !q.Known:
		return ""
	case q.Workflows == 0:
		return q.Queue
	case q.Exports == 0:
		return q.Queue + "-exports"
	}
	return ""
}
