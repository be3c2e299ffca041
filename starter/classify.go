package main

import (
	"fmt"
	"slices"
	"time"

	"farewell/migration"
)

// Stable words for why a migration does not move, beside those that workers
// and workflows give.
const (
	codeNoWorker    = "no_worker"
	codeNotBegun    = "not_begun"
	codeTaskFailing = "workflow_task_failing"
	codeRetrying    = "activity_retrying"
	codeClosed      = "closed_by_temporal"
	codeNoTemporal  = "temporal_silent"
	codeStalled     = "stalled"
	codePaused      = "paused"
	codeAttention   = "needs_attention"
)

const (
	// workerSilent is when a worker that wrote its presence every two seconds
	// is taken for gone: four were missed.
	workerSilent = 8 * time.Second
	// reasonFresh is how long a worker's reason stands; workers repeat it
	// every two seconds for as long as it holds.
	reasonFresh = 10 * time.Second
	// beginsWithin is how long Temporal may take to hand a run to a worker
	// before that is worth a word.
	beginsWithin = 3 * time.Second
	// quietExport is how long an export may settle nothing, and nobody say why,
	// before that is worth a word. A batch takes some 20 s; planning and
	// comparing settle nothing at all, and are left more time.
	quietExport = 90 * time.Second
	// manyAttempts is when an activity's failures are no hiccup any more.
	manyAttempts = 3
)

// classify says what a migration does, and the one reason why it does not move.
// The state is empty when it was never started. It is a pure function: all it
// knows is in the facts.
func classify(f facts) (migration.State, migration.Reason) {
	switch {
	case f.accepted():
		return migration.StateWaiting, first(f.noWorker, f.failingTask, f.notBegun)
	case f.Run == nil:
		return "", migration.Reason{}
	case f.Run.State.Ended():
		return f.Run.State, f.howItEnded()
	case f.Execution.Run == f.Run.Run && f.Execution.Status.closed():
		return f.closedState(), f.closedByTemporal()
	}
	return f.step(), first(f.needsOperator, f.paused, f.noWorker, f.failingTask, f.noTemporal, f.reported, f.retrying, f.stalled)
}

func first(candidates ...func() migration.Reason) migration.Reason {
	for _, candidate := range candidates {
		if r := candidate(); r.Code != "" {
			return r
		}
	}
	return migration.Reason{}
}

// accepted tells that Temporal has a run which has not yet written its first
// word to the ledger.
func (f facts) accepted() bool {
	return f.Execution.Status == statusRunning && (f.Run == nil || f.Run.Run != f.Execution.Run)
}

func (f facts) began() time.Time {
	if f.accepted() || f.Run == nil {
		return f.Execution.Started
	}
	return f.Run.StartedAt
}

// steps are the states that a migration goes through by itself, in order.
var steps = []migration.State{
	migration.StateWaiting, migration.StatePreflight, migration.StatePlanning, migration.StateExporting, migration.StateVerifying,
}

// step is the state of a run that goes on. Workflows write only turns to the
// ledger, such as a pause; the step in between is the furthest of which the
// ledger, its plan or Temporal knows.
func (f facts) step() migration.State {
	at := slices.Index(steps, f.Run.State)
	if at < 0 {
		return f.Run.State
	}
	if f.Run.Planned.Total().Read > 0 {
		at = max(at, slices.Index(steps, migration.StateExporting))
	}
	if f.Execution.Run == f.Run.Run {
		at = max(at, slices.Index(steps, f.Execution.State))
	}
	return steps[at]
}

// moving tells that records were settled a moment ago: what Temporal said
// before that is history.
func (f facts) moving() bool {
	return f.Run != nil && !f.accepted() && f.Now.Sub(f.Run.LastSettle) <= movedWithin
}

func (f facts) howItEnded() migration.Reason {
	if f.Run.State != migration.StateFailed {
		return migration.Reason{}
	}
	return f.Run.Reason
}

// closedState is how a run ended that could not say so itself.
func (f facts) closedState() migration.State {
	if f.Execution.Status == statusCancelled {
		return migration.StateCancelled
	}
	return migration.StateFailed
}

func (f facts) closedByTemporal() migration.Reason {
	return migration.Reason{
		Code: codeClosed,
		Text: fmt.Sprintf("Temporal closed the run (%s) while it was %s; %s goes on where the ledger ends",
			f.Execution.Status, f.step(), f.StartAgain),
		Since: f.Execution.Closed,
	}
}

func (f facts) needsOperator() migration.Reason {
	if f.Run.State != migration.StateNeedsAttention {
		return migration.Reason{}
	}
	r := f.Run.Reason
	if len(f.Run.Parked) > 0 {
		p := f.Run.Parked[0]
		r = migration.Reason{Code: p.Code, Text: p.Partition + ": " + p.Text, Since: p.Since}
		if p.Fix != "" {
			r.Text += "; " + p.Fix
		}
		if more := len(f.Run.Parked) - 1; more > 0 {
			r.Text += fmt.Sprintf(" (and %d more)", more)
		}
	}
	if r.Code == "" {
		r = migration.Reason{Code: codeAttention, Text: "waits for retry, skip or cancel", Since: f.Run.LastSettle}
	}
	return r
}

func (f facts) paused() migration.Reason {
	if f.Run.State != migration.StatePaused {
		return migration.Reason{}
	}
	if f.Run.Reason.Code != "" {
		return f.Run.Reason
	}
	text := "paused"
	if f.Run.ControlBy != "" {
		text += " by " + f.Run.ControlBy
	}
	if f.Run.ControlWhy != "" {
		text += ": " + f.Run.ControlWhy
	}
	return migration.Reason{Code: codePaused, Text: text, Since: f.Run.ReasonAt}
}

// noWorker believes the workers' own sign of life first: Temporal remembers a
// poller for minutes after its process was killed.
func (f facts) noWorker() migration.Reason {
	var seen time.Time
	for _, w := range f.Workers {
		if w.Seen.After(seen) {
			seen = w.Seen
		}
	}
	since := f.began()
	if seen.After(since) {
		since = seen
	}
	r := migration.Reason{Code: codeNoWorker, Since: since}
	silent := f.Now.Sub(seen) > workerSilent
	switch queue := f.Queues.missing(); {
	case queue != "":
		r.Text = fmt.Sprintf("no worker polls task queue %s: start one with bin/worker", queue)
	case silent && seen.IsZero():
		r.Text = fmt.Sprintf("no worker: none has given a sign of life; task queue %s needs one, start it with bin/worker", f.Queues.Queue)
	case silent:
		r.Text = fmt.Sprintf("no worker: the last one was seen %s ago; start one with bin/worker", span(f.Now.Sub(seen)))
	default:
		return migration.Reason{}
	}
	return r
}

// failingTask speaks of Temporal's cause only: the failure's message may quote
// what the workflow was working on.
func (f facts) failingTask() migration.Reason {
	t := f.Execution.Task
	if t.Attempt <= 1 || t.Cause == "" || f.moving() {
		return migration.Reason{}
	}
	return migration.Reason{
		Code:  codeTaskFailing,
		Text:  fmt.Sprintf("the workflow's own code fails (attempt %d: %s): see the worker's log and run the worker that this migration began with", t.Attempt, t.Cause),
		Since: t.Since,
	}
}

func (f facts) notBegun() migration.Reason {
	if f.Now.Sub(f.Execution.Started) < beginsWithin {
		return migration.Reason{}
	}
	return migration.Reason{Code: codeNotBegun, Text: "accepted; waits for a worker with a free slot", Since: f.Execution.Started}
}

func (f facts) noTemporal() migration.Reason {
	if f.Queues.Silent == "" {
		return migration.Reason{}
	}
	return migration.Reason{Code: codeNoTemporal, Text: f.Queues.Silent, Since: f.Now}
}

func (f facts) reported() migration.Reason {
	if f.Run.Reason.Code == "" || f.Now.Sub(f.Run.ReasonAt) > reasonFresh {
		return migration.Reason{}
	}
	return f.Run.Reason
}

func (f facts) retrying() migration.Reason {
	if f.moving() {
		return migration.Reason{}
	}
	for _, a := range f.Execution.Activities {
		if a.Attempt < manyAttempts || a.FailureType == "" && a.FailureText == "" {
			continue
		}
		text := fmt.Sprintf("%s failed %d times: %s", a.ID, a.Attempt-1, failureInWords(a))
		if a.Next.After(f.Now) {
			text += fmt.Sprintf("; next try in %s", span(a.Next.Sub(f.Now)))
		}
		return migration.Reason{Code: codeRetrying, Text: text, Since: f.lastProgress()}
	}
	return migration.Reason{}
}

// failureLength bounds the text of a failure in a reason, which is one line.
const failureLength = 200

func failureInWords(a activityFact) string {
	switch text := fit(clean(a.FailureText), failureLength); {
	case text == "":
		return a.FailureType
	case a.FailureType == "":
		return text
	default:
		return a.FailureType + ": " + text
	}
}

// lastProgress is when the run last settled a record, or began.
func (f facts) lastProgress() time.Time {
	if f.Run.LastSettle.Before(f.Run.StartedAt) {
		return f.Run.StartedAt
	}
	return f.Run.LastSettle
}

func (f facts) stalled() migration.Reason {
	last := f.lastProgress()
	patience := f.StallAfter
	if f.step() == migration.StateExporting {
		patience = min(patience, quietExport)
	}
	if f.Now.Sub(last) < patience {
		return migration.Reason{}
	}
	return migration.Reason{
		Code:  codeStalled,
		Text:  fmt.Sprintf("nothing was settled for %s and no worker says why: see the workers' logs", span(f.Now.Sub(last))),
		Since: last,
	}
}
