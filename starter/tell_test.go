package main

import (
	"slices"
	"testing"

	"farewell/destination"
	"farewell/migration"
)

func (w *world) told(t *testing.T, want ...string) {
	t.Helper()
	var told []string
	for _, s := range w.temporal.said {
		if len(s) < 8 || s[:8] != "describe" {
			told = append(told, s)
		}
	}
	slices.Sort(told)
	slices.Sort(want)
	if !slices.Equal(told, want) {
		t.Errorf("Temporal was told %q, want %q", told, want)
	}
}

func (w *world) controls(t *testing.T, want ...string) {
	t.Helper()
	if !slices.Equal(w.memory.controls, want) {
		t.Errorf("the control channel got %q, want %q", w.memory.controls, want)
	}
}

func TestPauseTellsWorkersThenWorkflow(t *testing.T) {
	t.Parallel()
	w := newWorld("acme")
	w.has("acme", migration.StateExporting, created(10))
	w.temporal.answer = migration.Progress{State: migration.StatePaused, Percent: 12}
	w.expect(t, exitOK, "pause", "acme", "--reason", "too loud")
	w.controls(t, "pause acme run-acme by ann: too loud")
	w.told(t, "update pause acme by ann: too loud ")
	w.says(t, "acme → zendesk:acme: paused, 12 %")
}

func TestPauseWithoutAWorkerIsLeftAsASignal(t *testing.T) {
	t.Parallel()
	w := newWorld("acme")
	w.has("acme", migration.StateExporting, created(10))
	w.temporal.queues.Workflows = 0
	w.expect(t, exitOK, "pause", "acme")
	w.controls(t, "pause acme run-acme by ann")
	w.told(t, "signal pause acme by ann")
	w.says(t, "will pause as soon as a worker polls task queue farewell")
}

func TestPauseTwiceIsWell(t *testing.T) {
	t.Parallel()
	w := newWorld("acme")
	w.has("acme", migration.StatePaused, created(10))
	w.changes("acme", func(r *migration.RunRecord) { r.Control, r.ControlBy = migration.ControlPause, "bob" })
	w.expect(t, exitOK, "pause", "acme")
	w.controls(t)
	w.told(t)
	w.says(t, "is paused already by bob")
}

func TestRefusedCommandIsTakenBackFromTheControlChannel(t *testing.T) {
	t.Parallel()
	w := newWorld("acme")
	w.has("acme", migration.StateExporting, created(10))
	w.temporal.answerErr = refusal{"cannot pause a migration that is verifying"}
	w.expect(t, exitError, "pause", "acme")
	w.controls(t, "pause acme run-acme by ann", "run acme run-acme")
	w.says(t, "starter: acme: refused: cannot pause a migration that is verifying")
}

func TestResumeCannotUndoACancellation(t *testing.T) {
	t.Parallel()
	for _, command := range []string{"resume", "pause"} {
		t.Run(command, func(t *testing.T) {
			t.Parallel()
			w := newWorld("acme")
			w.has("acme", migration.StateCancelling, created(10))
			w.changes("acme", func(r *migration.RunRecord) { r.Control, r.ControlBy = migration.ControlCancel, "bob" })
			w.expect(t, exitError, command, "acme")
			w.controls(t)
			w.told(t)
			w.says(t, "it is being cancelled by bob, and that cannot be taken back")
		})
	}
}

func TestCancelTellsWorkersThenTemporal(t *testing.T) {
	t.Parallel()
	w := newWorld("acme")
	w.has("acme", migration.StateExporting, created(10))
	w.expect(t, exitOK, "cancel", "acme", "--reason", "wrong account")
	w.controls(t, "cancel acme run-acme by ann: wrong account")
	w.told(t, "cancel acme: wrong account")
	w.says(t, "is being cancelled")
}

func TestCommandsToWhatHasEndedSayHowItEnded(t *testing.T) {
	t.Parallel()
	for _, command := range []string{"pause", "resume", "skip", "cancel"} {
		t.Run(command, func(t *testing.T) {
			t.Parallel()
			w := newWorld("acme", "fresh")
			w.has("acme", migration.StateCompletedWithFailures, created(10))
			w.expect(t, exitError, command, "acme", "fresh")
			w.controls(t)
			w.says(t, "acme: it has ended (completed with failures); bin/starter status acme shows how",
				"fresh: it was never started: bin/starter start fresh")
		})
	}
}

func TestAllMeansWhatTheCommandCanBeAbout(t *testing.T) {
	t.Parallel()
	for command, want := range map[string][]string{
		"pause":  {"update pause accepted by ann ", "update pause moving by ann ", "update pause parked by ann "},
		"resume": {"update resume held by ann "},
		"skip":   {"update skip parked by ann "},
		"retry":  {"update retry parked by ann ", "update retry poison by ann ", "start poison", "update retry stopped by ann ", "start stopped"},
	} {
		t.Run(command, func(t *testing.T) {
			t.Parallel()
			w := newWorld("moving", "held", "parked", "done", "poison", "stopped", "fresh", "accepted")
			w.has("moving", migration.StateExporting, created(10))
			w.has("held", migration.StatePaused, created(10))
			w.has("parked", migration.StateNeedsAttention, created(10))
			w.has("done", migration.StateCompleted, created(10))
			w.has("poison", migration.StateCompletedWithFailures, migration.Counts{Read: 1, Failed: 1})
			w.has("stopped", migration.StateCancelled, created(10))
			w.temporal.executions[migrationOf("accepted").WorkflowID()] = execution{Run: "r", Status: statusRunning, Started: noon}
			w.expect(t, exitOK, command, "--all")
			w.told(t, want...)
		})
	}
}

func TestRetryOfAnEndedMigrationStartsItForWhatFailed(t *testing.T) {
	t.Parallel()
	w := newWorld("acme")
	w.has("acme", migration.StateCompletedWithFailures, migration.Counts{Read: 50, Created: 49, Failed: 1})
	w.changes("acme", func(r *migration.RunRecord) { r.Limit = 50 })
	w.expect(t, exitOK, "retry", "acme", "--reason", "fixed")
	o := w.temporal.options
	if !o.RetryFailed || o.Limit != 50 || o.By != "ann" || o.Reason != "fixed" {
		t.Errorf("started with %+v", o)
	}
}

func TestRetryWithNothingToRetryStartsNothing(t *testing.T) {
	t.Parallel()
	w := newWorld("acme", "fresh")
	w.has("acme", migration.StateCompleted, created(10))
	w.expect(t, exitOK, "retry", "acme")
	w.says(t, "nothing to retry: completed")
	w.told(t, "update retry acme by ann ")
	w.expect(t, exitError, "retry", "fresh")
}

func TestRetryOfOnePartition(t *testing.T) {
	t.Parallel()
	w := newWorld("acme")
	w.has("acme", migration.StateNeedsAttention, created(10))
	w.expect(t, exitOK, "retry", "acme", "--partition", "tickets-0002")
	w.told(t, "update retry acme by ann tickets-0002")
}

func TestStartSaysWhatStartedAndWhatRuns(t *testing.T) {
	t.Parallel()
	w := newWorld("acme", "globex")
	w.has("globex", migration.StateExporting, created(10))
	w.expect(t, exitOK, "start", "acme", "globex", "--limit", "50", "--max-failures", "5%", "--override", "slow-plan", "--reason", "trial")
	w.says(t, "acme → zendesk:acme started", "globex → zendesk:globex runs already", "watch: bin/starter watch acme globex")
	o := w.temporal.options
	if o.Limit != 50 || o.MaxFailures.Percent != 5 || !slices.Equal(o.Override, []string{"slow-plan"}) || o.By != "ann" || o.Reason != "trial" || o.RetryFailed {
		t.Errorf("started with %+v", o)
	}
}

func TestStartWarnsAtOnceWhenNobodyPolls(t *testing.T) {
	t.Parallel()
	w := newWorld("acme")
	w.temporal.queues.Exports = 0
	w.expect(t, exitOK, "start", "acme")
	w.says(t, "starter: no worker polls task queue farewell-exports: start one with bin/worker")
}

func TestStartAllRefusesARehearsalBesideTheRealAccount(t *testing.T) {
	t.Parallel()
	w := newWorld("acme", "globex")
	w.accounts = append(w.accounts, destination.Account{Customer: "acme", Name: "bundle", Kind: "csv"})
	w.expect(t, exitOK, "start", "--all")
	w.accounts = append(w.accounts, destination.Account{Customer: "acme", Name: "acme-trial", Kind: "zendesk"})
	w.expect(t, exitUsage, "start", "--all")
	w.says(t, "customer acme has two zendesk accounts, acme and acme-trial, and --all would start both")
	w.expect(t, exitOK, "start", "--all", "--account", "acme-trial")
}

func TestStartRefusesWhatCannotBeMeant(t *testing.T) {
	t.Parallel()
	for name, args := range map[string][]string{
		"negative limit": {"start", "acme", "--limit", "-1"},
		"too much":       {"start", "acme", "--max-failures", "120%"},
		"nobody":         {"start"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld("acme")
			w.expect(t, exitUsage, args...)
			w.told(t)
		})
	}
}
