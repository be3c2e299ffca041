package integration_test

import (
	"fmt"
	"testing"
	"time"
)

// slowly makes the jobs of an account last, so that a test can step in while
// tickets are on their way.
func (s *stage) slowly(account string, jobOf100 time.Duration) {
	s.t.Helper()
	// A job waits five times as long as a ticket takes before it starts.
	s.sandbox.settings(account, map[string]any{"seconds_per_ticket": jobOf100.Seconds() * s.factor / 105})
}

// awaitTickets returns when the account has so many tickets.
func (s *stage) awaitTickets(account string, n int, within time.Duration) {
	s.t.Helper()
	eventually(s.t, within, fmt.Sprintf("account %s has %d tickets", account, n), func() (bool, string) {
		now := number(s.t, s.sandbox.stats(account)["tickets"])
		return now >= n, fmt.Sprint(now, " tickets")
	})
}

func TestKilledWorkerLosesNothingAndBringsNothingTwice(t *testing.T) {
	s := newStage(t, setting{tickets: 4000, comments: 1})
	s.slowly("customer-0001", 2*time.Second)
	first := s.startWorker()
	s.mustStart("start", "customer-0001")
	s.awaitTickets("customer-0001", 300, time.Minute)
	first.kill()
	if n := number(t, s.sandbox.stats("customer-0001")["tickets"]); n >= 4000 {
		t.Fatalf("the worker was killed too late: %d tickets are there", n)
	}
	s.startWorker()
	s.mustStart("watch", "customer-0001")
	s.wantEqual("customer-0001", "customer-0001")
	wantCounts(t, s.status("customer-0001"), "tickets", map[string]int{"read": 4000, "created": 4000})
}
