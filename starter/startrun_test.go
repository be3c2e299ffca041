package main

import (
	"testing"

	"farewell/migration"
)

// closing is a migration that has written its end to the ledger and that
// Temporal closes after it was looked at a few times.
func closing(t *testing.T, state migration.State) *world {
	t.Helper()
	w := newWorld("acme")
	id := w.has("acme", state, created(10)).Migration.WorkflowID()
	closed := w.temporal.executions[id]
	open := closed
	open.Status = statusRunning
	w.temporal.executions[id] = open
	asks := 0
	w.memory.onAsk = func(*fakeMemory) {
		w.temporal.mu.Lock()
		defer w.temporal.mu.Unlock()
		if asks++; asks == 4 {
			w.temporal.executions[id] = closed
		}
	}
	return w
}

func TestStartOfWhatIsAboutToCloseStartsANewRun(t *testing.T) {
	t.Parallel()
	w := closing(t, migration.StateCompleted)
	w.expect(t, exitOK, "start", "acme")
	w.says(t, "acme → zendesk:acme started")
	w.told(t, "start acme")
}

func TestRetryOfWhatIsAboutToCloseStartsANewRun(t *testing.T) {
	t.Parallel()
	w := closing(t, migration.StateCompletedWithFailures)
	w.temporal.answerErr = refusal{"nothing is parked; the state is completed_with_failures"}
	w.expect(t, exitOK, "retry", "acme")
	w.told(t, "update retry acme by ann ", "start acme")
	if !w.temporal.options.RetryFailed {
		t.Error("the new run does not try again what failed")
	}
}
