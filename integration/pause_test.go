package integration_test

import (
	"fmt"
	"strings"
	"testing"
	"time"
)

func TestPauseSendsNothingUntilResumeAndSaysByWhomAndWhy(t *testing.T) {
	const customer, tickets = "customer-0001", 6000
	s := newStage(t, setting{tickets: tickets, comments: 1})
	s.slowly(customer, 3*time.Second)
	s.startWorker()
	s.mustStart("start", customer)
	s.awaitTickets(customer, 100, time.Minute)

	told := time.Now()
	s.mustStart("pause", customer, "--reason", "their agents complain")
	status := s.awaitState(customer, "paused", 5*time.Second)
	for _, want := range []string{"paused by ", "their agents complain"} {
		if !strings.Contains(text(status["reason"]), want) {
			t.Errorf("the reason is %q and does not say %q", status["reason"], want)
		}
	}
	wantSaid(t, s.mustStart("status", customer), "paused by ", "their agents complain", "starter resume "+customer)
	// Long enough for every open job to end, which would make room for others.
	throughout(t, 6*time.Second, "nothing is sent while paused", func() (bool, string) {
		late := s.sandbox.imports(customer, told.Add(hears))
		return len(late) == 0, fmt.Sprint(len(late), " imports")
	})
	if n := number(t, s.sandbox.stats(customer)["tickets"]); n >= tickets {
		t.Fatal("all tickets were there before the pause: nothing was shown")
	}

	s.slowly(customer, 0)
	s.mustStart("resume", customer)
	s.mustStart("watch", customer)
	s.wantEqual(customer, customer)
	wantCounts(t, s.status(customer), "tickets", map[string]int{"read": tickets, "created": tickets})
}
