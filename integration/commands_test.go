package integration_test

import (
	"syscall"
	"testing"
	"time"
)

func TestStartOfWhatRunsAlreadySaysSoAndChangesNothing(t *testing.T) {
	const customer = "customer-0001"
	s := newStage(t, setting{tickets: 500, comments: 1})
	s.slowly(customer, 5*time.Second)
	s.startWorker()
	s.mustStart("start", customer)
	run := text(s.status(customer)["run_id"])
	wantSaid(t, s.mustStart("start", customer), "runs already")
	if again := text(s.status(customer)["run_id"]); again != run {
		t.Errorf("another run, %s, after %s", again, run)
	}

	// Ctrl-C ends the watching alone.
	waiting := s.startProcess("starter", s.environment(), "start", customer, "--wait")
	waiting.awaitLine(t, 20*time.Second, "running already: "+customer)
	waiting.awaitLine(t, 20*time.Second, "exporting")
	waiting.signal(t, syscall.SIGINT)
	if code := waiting.await(t, 10*time.Second); code != exitInterrupted {
		t.Errorf("after Ctrl-C the exit code is %d, want %d", code, exitInterrupted)
	}
	said := answer{stdout: waiting.out.String()}
	wantSaid(t, said, "the migrations go on", "bin/starter watch "+customer)
	s.slowly(customer, 0)
	s.mustStart("watch", customer)
	s.wantEqual(customer, customer)
}

func TestCommandLinesThatCannotBeMeantExitWithTwo(t *testing.T) {
	s := newStage(t, setting{tickets: 1})
	for name, args := range map[string][]string{
		"no customer":        {"start"},
		"customer and --all": {"start", "customer-0001", "--all"},
		"unknown flag":       {"start", "customer-0001", "--quickly"},
		"limit below zero":   {"start", "customer-0001", "--limit", "-1"},
		"unknown command":    {"migrate", "customer-0001"},
		"unknown output":     {"status", "customer-0001", "-o", "yaml"},
		"failures of two":    {"failures", "customer-0001", "customer-0002"},
	} {
		t.Run(name, func(t *testing.T) {
			if a := s.starter(args...); a.code != exitUsage || a.stderr == "" {
				t.Errorf("starter %q: want exit code %d and a line that says why: %s", args, exitUsage, a)
			}
		})
	}
}
