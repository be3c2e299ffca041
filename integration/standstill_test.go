package integration_test

import (
	"fmt"
	"syscall"
	"testing"
	"time"
)

// seenWithin is how soon an operator must see why nothing moves.
const seenWithin = 10 * time.Second

// awaitReason returns when status names a reason with this code.
func (s *stage) awaitReason(customer, code string) {
	s.t.Helper()
	eventually(s.t, seenWithin, "status names the reason "+code, func() (bool, string) {
		status := s.status(customer)
		return status["reason_code"] == code, fmt.Sprintf("%s: %q", status["reason_code"], status["reason"])
	})
}

func TestStatusSaysThatNoWorkerRuns(t *testing.T) {
	const customer = "customer-0001"
	s := newStage(t, setting{})
	wantSaid(t, s.mustStart("start", customer), "no worker polls task queue", "bin/worker")
	s.awaitReason(customer, "no_worker")
	wantSaid(t, s.mustStart("status", customer), "no worker", "bin/worker")
	wantSaid(t, s.mustStart("list"), "no worker")

	s.slowly(customer, 20*time.Second)
	worker := s.startWorker()
	eventually(t, 20*time.Second, "the migration exports", func() (bool, string) {
		n := len(s.sandbox.imports(customer, time.Unix(0, 0)))
		return n > 0, fmt.Sprint(n, " imports")
	})
	worker.kill()
	s.awaitReason(customer, "no_worker")
	wantSaid(t, s.mustStart("status", customer), "no worker")

	s.slowly(customer, 0)
	s.startWorker()
	s.mustStart("watch", customer)
	s.wantEqual(customer, customer)
}

func TestStoppedZendeskIsNamedAsTheReasonAndNothingIsSentTwiceAfterwards(t *testing.T) {
	const customer = "customer-0001"
	s := newStage(t, setting{tickets: 4000, comments: 1})
	s.slowly(customer, 2*time.Second)
	s.startWorker()
	s.mustStart("start", customer)
	s.awaitTickets(customer, 100, time.Minute)

	s.sandbox.signal(t, syscall.SIGSTOP)
	look := func() (bool, string) {
		status, listed := s.status(customer), s.list()[0]
		named := status["reason_code"] == "destination_down" && listed["reason_code"] == "destination_down"
		return named, fmt.Sprintf("status %s: %q, list %s: %q", status["reason_code"], status["reason"], listed["reason_code"], listed["reason"])
	}
	eventually(t, seenWithin, "status and list name the account's silence", look)
	// Long enough for requests to be given up, whose effect comes afterwards.
	throughout(t, 8*time.Second, "status and list name the account's silence", look)
	s.sandbox.signal(t, syscall.SIGCONT)

	s.mustStart("watch", customer)
	s.wantEqual(customer, customer)
	wantCounts(t, s.status(customer), "tickets", map[string]int{"read": 4000, "created": 4000})
}
