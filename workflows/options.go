package workflows

import (
	"time"

	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/workflow"

	"farewell/migration"
)

// Every timeout, retry and window of the workflows is in this file, with its
// reason. Waits that a rehearsal shortens are migration.Timings.
const (
	// exportLanes is how many ticket partitions of a migration are worked on
	// at a time. Three lanes fill the account's 25 job slots, and each lane
	// costs a heartbeat every 24 s.
	exportLanes = 3

	// peopleLanes is one: Zendesk answers 409 when two requests create the
	// same person at the same time.
	peopleLanes = 1

	// catchUpPasses bounds how often records that arrive during the run are
	// fetched; a source that never rests would otherwise keep the run open.
	catchUpPasses = 3

	// heartbeatTimeout is when an export whose worker is gone is given to
	// another. It must be longer than any single HTTP or SQL call. The SDK sends
	// a beat each four fifths of it, 24 s: at 20 s, beats alone would take a
	// migration of 100,000 tickets over its budget of 200 actions.
	heartbeatTimeout = 30 * time.Second

	// lastNet is the ScheduleToClose of everything: a week. Queue time counts
	// in it, so a shorter one would fail a fleet whose workers are down over a
	// long weekend; what makes no progress is parked or shown long before.
	lastNet = 7 * 24 * time.Hour

	// exportAttempt bounds one attempt at a partition: ten times what 2,000
	// tickets take at the slowest plan that Zendesk sells, 10 requests a minute.
	exportAttempt = 2 * time.Hour

	// controlAttempt bounds the short activities that only talk to the ledger,
	// in two calls of at most 10 s. It is also how long one waits whose worker
	// was killed.
	controlAttempt = 25 * time.Second

	// lookAttempt bounds those that read the source or the account at length.
	lookAttempt = time.Hour

	// percentStep is how far the progress must have gone before it is
	// published to the search attributes again: each upsert is an action.
	percentStep = 10
)

// exports are the options of export activities: on a queue of their own, which
// keeps them off the eager path that would bypass fairness.
func exports(in migration.MigrateCustomerInput, p migration.Partition, try string) workflow.ActivityOptions {
	return workflow.ActivityOptions{
		ActivityID:             p.ID + "/" + try,
		TaskQueue:              in.ExportQueue,
		StartToCloseTimeout:    exportAttempt,
		ScheduleToCloseTimeout: lastNet,
		HeartbeatTimeout:       heartbeatTimeout,
		WaitForCancellation:    true, // else the run would end while its activity still writes
		RetryPolicy:            patient(),
		Priority:               temporal.Priority{FairnessKey: in.Migration.FairnessKey()},
		Summary:                p.Range(),
	}
}

// looks are the options of activities that read at length and heartbeat.
func looks(id, summary string) workflow.ActivityOptions {
	return workflow.ActivityOptions{
		ActivityID:             id,
		StartToCloseTimeout:    lookAttempt,
		ScheduleToCloseTimeout: lastNet,
		HeartbeatTimeout:       heartbeatTimeout,
		WaitForCancellation:    true,
		RetryPolicy:            patient(),
		Summary:                summary,
	}
}

// controls are the options of short activities on the ledger.
func controls(id, summary string) workflow.ActivityOptions {
	return workflow.ActivityOptions{
		ActivityID:             id,
		StartToCloseTimeout:    controlAttempt,
		ScheduleToCloseTimeout: lastNet,
		RetryPolicy:            patient(),
		Summary:                summary,
	}
}

// patient retries for as long as lastNet allows. MaximumAttempts stays 0: pauses,
// deploys and lost workers consume attempts too. What trying again cannot heal
// is returned as an outcome or a non-retryable error.
func patient() *temporal.RetryPolicy {
	return &temporal.RetryPolicy{
		InitialInterval:    time.Second,
		BackoffCoefficient: 2,
		MaximumInterval:    time.Minute, // soon enough after an outage of any length
	}
}
