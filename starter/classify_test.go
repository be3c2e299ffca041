package main

import (
	"strings"
	"testing"
	"time"

	"farewell/migration"
)

// exporting is a run that goes well, with a worker that lives.
func exporting() facts {
	return facts{
		Now: noon,
		Run: &migration.RunRecord{
			Migration: migrationOf("acme"), Run: "r1", State: migration.StateExporting,
			StartedAt: noon.Add(-time.Minute), LastSettle: noon.Add(-5 * time.Second),
		},
		Execution:  execution{Run: "r1", Status: statusRunning, State: migration.StateExporting, Started: noon.Add(-time.Minute)},
		Queues:     queueFacts{Known: true, Queue: "farewell", Workflows: 1, Exports: 1},
		Workers:    []migration.Presence{{Seen: noon.Add(-20 * time.Minute)}, {Seen: noon.Add(-2 * time.Second)}},
		StallAfter: 10 * time.Minute,
		StartAgain: "bin/starter start acme",
	}
}

func TestClassifyNamesTheOneReason(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name   string
		change func(f *facts)
		state  migration.State
		code   string
		text   string // a part of it
		since  time.Time
	}{
		{name: "moves", state: migration.StateExporting},
		{
			name:   "never started",
			change: func(f *facts) { f.Run, f.Execution = nil, execution{Status: statusAbsent} },
			state:  "",
		},
		{
			name:   "accepted a moment ago",
			change: func(f *facts) { f.Run, f.Execution.Started = nil, noon.Add(-time.Second) },
			state:  migration.StateWaiting,
		},
		{
			name:   "accepted, workers are busy",
			change: func(f *facts) { f.Run = nil },
			state:  migration.StateWaiting, code: codeNotBegun, text: "free slot", since: noon.Add(-time.Minute),
		},
		{
			name:   "accepted, nobody polls",
			change: func(f *facts) { f.Run, f.Queues.Workflows, f.Workers = nil, 0, nil },
			state:  migration.StateWaiting, code: codeNoWorker, text: "no worker polls task queue farewell: start one with bin/worker", since: noon.Add(-time.Minute),
		},
		{
			name:   "a new run was accepted after one that ended",
			change: func(f *facts) { f.Run.State, f.Execution.Run = migration.StateCompleted, "r2" },
			state:  migration.StateWaiting, code: codeNotBegun,
		},
		{
			name:   "nobody polls the export queue",
			change: func(f *facts) { f.Queues.Exports = 0 },
			state:  migration.StateExporting, code: codeNoWorker, text: "farewell-exports", since: noon.Add(-2 * time.Second),
		},
		{
			name:   "the worker was killed a moment ago, and Temporal still knows its polls",
			change: func(f *facts) { f.Workers = f.Workers[:1]; f.Workers[0].Seen = noon.Add(-9 * time.Second) },
			state:  migration.StateExporting, code: codeNoWorker, text: "the last one was seen 9 s ago", since: noon.Add(-9 * time.Second),
		},
		{
			name: "killed, with Temporal silent too",
			change: func(f *facts) {
				f.Workers, f.Execution, f.Queues = nil, execution{}, queueFacts{Queue: "farewell", Silent: "Temporal does not answer"}
			},
			state: migration.StateExporting, code: codeNoWorker, text: "none has given a sign of life",
		},
		{
			name: "Temporal is silent",
			change: func(f *facts) {
				f.Execution, f.Queues = execution{}, queueFacts{Silent: "Temporal does not answer at x"}
			},
			state: migration.StateExporting, code: codeNoTemporal, text: "Temporal does not answer at x",
		},
		{
			name: "the workflow's code fails",
			change: func(f *facts) {
				f.Execution.Task = taskFact{Attempt: 4, Cause: "NonDeterministicError", Since: noon.Add(-time.Hour)}
			},
			state: migration.StateExporting, code: codeTaskFailing, text: "attempt 4: NonDeterministicError", since: noon.Add(-time.Hour),
		},
		{
			name:   "a workflow task was lost with its worker",
			change: func(f *facts) { f.Execution.Task = taskFact{Attempt: 2} },
			state:  migration.StateExporting,
		},
		{
			name: "an activity fails again and again",
			change: func(f *facts) {
				f.Execution.Activities = []activityFact{
					{ID: "compare/1", Attempt: 2, FailureText: "hiccup"},
					{ID: "tickets-0003/1", Attempt: 6, FailureType: "Source", FailureText: "connection\nrefused", Next: noon.Add(30 * time.Second)},
				}
			},
			state: migration.StateExporting, code: codeRetrying,
			text: "tickets-0003/1 failed 5 times: Source: connection refused; next try in 30 s", since: noon.Add(-5 * time.Second),
		},
		{
			name: "an activity failed, but records are settled",
			change: func(f *facts) {
				f.Run.LastSettle = noon.Add(-time.Second)
				f.Execution.Activities = []activityFact{{ID: "tickets-0003/1", Attempt: 6, FailureText: "gone by now"}}
			},
			state: migration.StateExporting,
		},
		{
			name: "the worker says why",
			change: func(f *facts) {
				f.Run.Reason = migration.Reason{Code: "rate_window", Text: "used up", Since: noon.Add(-20 * time.Second)}
				f.Run.ReasonAt = noon.Add(-2 * time.Second)
				f.Execution.Activities = []activityFact{{ID: "tickets-0003/1", Attempt: 9, FailureText: "less telling"}}
			},
			state: migration.StateExporting, code: "rate_window", text: "used up", since: noon.Add(-20 * time.Second),
		},
		{
			name: "what the worker said is history",
			change: func(f *facts) {
				f.Run.Reason = migration.Reason{Code: "rate_window", Text: "used up"}
				f.Run.ReasonAt = noon.Add(-11 * time.Second)
			},
			state: migration.StateExporting,
		},
		{
			name:   "stalled without a word",
			change: func(f *facts) { f.Run.StartedAt, f.Run.LastSettle = noon.Add(-time.Hour), noon.Add(-11*time.Minute) },
			state:  migration.StateExporting, code: codeStalled, text: "11 min", since: noon.Add(-11 * time.Minute),
		},
		{
			name: "parked, whatever else is wrong",
			change: func(f *facts) {
				f.Run.State, f.Queues.Workflows = migration.StateNeedsAttention, 0
				f.Run.Parked = []migration.Parked{
					{Partition: "tickets-0002", Code: "too_many_failures", Text: "12 of 400 failed", Fix: "look", Since: noon.Add(-time.Hour)},
					{Partition: "tickets-0003"},
				}
			},
			state: migration.StateNeedsAttention, code: "too_many_failures", text: "tickets-0002: 12 of 400 failed; look (and 1 more)", since: noon.Add(-time.Hour),
		},
		{
			name:   "needs attention and does not say why",
			change: func(f *facts) { f.Run.State = migration.StateNeedsAttention },
			state:  migration.StateNeedsAttention, code: codeAttention,
		},
		{
			name: "paused",
			change: func(f *facts) {
				f.Run.State, f.Run.ControlBy, f.Run.ControlWhy, f.Workers = migration.StatePaused, "bob", "too loud", nil
			},
			state: migration.StatePaused, code: codePaused, text: "paused by bob: too loud",
		},
		{
			name: "completed, and Temporal's news are old",
			change: func(f *facts) {
				f.Run.State, f.Run.Reason = migration.StateCompleted, migration.Reason{Code: "rate_window"}
			},
			state: migration.StateCompleted,
		},
		{
			name: "failed says why",
			change: func(f *facts) {
				f.Run.State, f.Run.Reason = migration.StateFailed, migration.Reason{Code: "failed", Text: "401"}
			},
			state: migration.StateFailed, code: "failed", text: "401",
		},
		{
			name: "terminated in Temporal",
			change: func(f *facts) {
				f.Execution.Status, f.Execution.Closed = statusTerminated, noon.Add(-time.Minute)
			},
			state: migration.StateFailed, code: codeClosed,
			text: "(terminated) while it was exporting; bin/starter start acme goes on", since: noon.Add(-time.Minute),
		},
		{
			name:   "cancelled in Temporal before it could say so",
			change: func(f *facts) { f.Execution.Status = statusCancelled },
			state:  migration.StateCancelled, code: codeClosed,
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			f := exporting()
			if c.change != nil {
				c.change(&f)
			}
			state, reason := classify(f)
			if state != c.state || reason.Code != c.code || !strings.Contains(reason.Text, c.text) {
				t.Errorf("got %q, %+v\nwant %q, %q with %q", state, reason, c.state, c.code, c.text)
			}
			if !c.since.IsZero() && !reason.Since.Equal(c.since) {
				t.Errorf("since %s, want %s", reason.Since, c.since)
			}
		})
	}
}

func TestStepIsTheFurthestThatAnyoneKnows(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name      string
		ledger    migration.State
		published migration.State
		planned   int64
		want      migration.State
	}{
		{"the workflow has published more", migration.StateWaiting, migration.StateVerifying, 10, migration.StateVerifying},
		{"the list of Temporal lags behind", migration.StateExporting, migration.StatePlanning, 10, migration.StateExporting},
		{"only the plan is known", migration.StateWaiting, "", 10, migration.StateExporting},
		{"nothing is known", migration.StateWaiting, "", 0, migration.StateWaiting},
		{"a turn is no step", migration.StateCancelling, migration.StateExporting, 10, migration.StateCancelling},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			f := exporting()
			f.Run.State, f.Execution.State = c.ledger, c.published
			f.Run.Planned = migration.EntityCounts{migration.Tickets: {Read: c.planned}}
			if got := f.step(); got != c.want {
				t.Errorf("got %s, want %s", got, c.want)
			}
		})
	}
}

// The ways in which a migration can come to stand still, each as it looks two
// minutes later. A campaign that waits for one slow customer is none of them.
func TestEveryStandstillHasANameWithinTwoMinutes(t *testing.T) {
	t.Parallel()
	begun := noon.Add(-2 * time.Minute)
	for _, c := range []struct {
		name   string
		change func(f *facts)
		code   string
	}{
		{"the activity's process is dead", func(f *facts) { f.Workers = []migration.Presence{{Seen: begun}} }, codeNoWorker},
		{"a call blocks, and no timeout catches it", func(*facts) {}, codeStalled},
		{"a call waits, and its worker says for what", func(f *facts) {
			f.Run.Reason, f.Run.ReasonAt = migration.Reason{Code: "silent", Text: "Zendesk does not answer", Since: begun}, noon.Add(-time.Second)
		}, "silent"},
		{"an activity is tried again for ever", func(f *facts) {
			f.Execution.Activities = []activityFact{{ID: "tickets-0001/1", Attempt: 7, FailureText: "unable to find activityType=ExportPartition"}}
		}, codeRetrying},
		{"nobody polls the queue", func(f *facts) { f.Queues.Workflows, f.Workers = 0, nil }, codeNoWorker},
		{"nobody polls, and the run never began", func(f *facts) { f.Run, f.Queues.Workflows, f.Workers = nil, 0, nil }, codeNoWorker},
		{"the workflow's own code fails", func(f *facts) {
			f.Execution.Task = taskFact{Attempt: 5, Cause: "WorkflowWorkerUnhandledFailure", Since: begun}
		}, codeTaskFailing},
		{"it waits for an operator", func(f *facts) {
			f.Run.State = migration.StateNeedsAttention
			f.Run.Parked = []migration.Parked{{Partition: "tickets-0001", Code: "in_doubt", Text: "a batch is in doubt", Since: begun}}
		}, "in_doubt"},
		{"it is paused and forgotten", func(f *facts) {
			f.Run.State, f.Run.ControlBy, f.Run.ReasonAt = migration.StatePaused, "ann", begun
		}, codePaused},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			f := exporting()
			f.Run.StartedAt, f.Run.LastSettle, f.Execution.Started = begun, begun, begun
			c.change(&f)
			_, reason := classify(f)
			if reason.Code != c.code {
				t.Errorf("the reason is %+v, want %s", reason, c.code)
			}
			if reason.Since.IsZero() || reason.Text == "" {
				t.Errorf("the reason %+v does not say since when, or what to do", reason)
			}
		})
	}
}
