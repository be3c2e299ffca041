package integration_test

import (
	"testing"
	"time"
)

// hears is how soon after a command nothing may be sent any more.
const hears = 2 * time.Second

func TestCancelStopsSendingWithinTwoSecondsAndStartGoesOn(t *testing.T) {
	const customer, tickets = "customer-0001", 6000
	s := newStage(t, setting{tickets: tickets, comments: 1})
	s.slowly(customer, 3*time.Second)
	s.startWorker()
	s.mustStart("start", customer)
	s.awaitTickets(customer, 100, time.Minute)

	told := time.Now()
	cancelled := s.mustStart("cancel", customer, "--reason", "wrong account")
	s.wantExit(exitCancelled, "watch", customer)
	if open := number(t, s.sandbox.stats(customer)["open_jobs"]); open != 0 {
		t.Errorf("the migration has ended while %d of its jobs are open", open)
	}
	if late := s.sandbox.imports(customer, told.Add(hears)); len(late) > 0 {
		t.Errorf("%d imports were sent later than %s after the command, which took %s, the last one after %s", len(late), hears, cancelled.took, late[len(late)-1].Sub(told))
	}
	arrived := number(t, s.sandbox.stats(customer)["tickets"])
	if arrived >= tickets {
		t.Fatal("all tickets were there before the cancellation: nothing was shown")
	}
	status := s.status(customer)
	if status["state"] != "cancelled" || number(t, object(t, status["tickets"])["created"]) != arrived || number(t, object(t, status["tickets"])["in_doubt"]) != 0 {
		t.Errorf("state %s, tickets %v; want cancelled, and %d created", status["state"], status["tickets"], arrived)
	}
	s.wantExit(exitCancelled, "status", customer)

	s.slowly(customer, 0)
	s.mustStart("start", customer, "--wait")
	s.wantEqual(customer, customer)
	wantCounts(t, s.status(customer), "tickets", map[string]int{"read": tickets, "created": tickets - arrived, "already_there": arrived})
}
