package integration_test

import (
	"fmt"
	"strings"
	"testing"
	"time"
)

// reasonOf waits until every view of a migration gives this one reason.
func (s *stage) reasonOf(customer, code string) {
	s.t.Helper()
	eventually(s.t, 30*time.Second, "the reason is "+code, func() (bool, string) {
		got := text(s.status(customer)["reason_code"])
		return got == code, got
	})
	for _, row := range s.list() {
		if row["customer"] == customer && text(row["reason_code"]) != code {
			s.t.Errorf("list gives the reason %q, status %q", text(row["reason_code"]), code)
		}
	}
}

func TestClosedEgressSendsNothingAndSaysSoUntilItIsOpen(t *testing.T) {
	const customer, tickets = "customer-0001", 4000
	s := newStage(t, setting{tickets: tickets, comments: 1})
	s.slowly(customer, time.Second)
	w := s.startWorker()
	s.mustStart("start", customer)
	s.awaitTickets(customer, 100, time.Minute)

	told := time.Now()
	s.mustStart("egress", "close", "--reason", "the address is being moved")
	s.reasonOf(customer, "egress_closed")
	wantSaid(t, s.mustStart("egress", "status"), "closed since", "the address is being moved")
	throughout(t, 4*time.Second, "nothing leaves while the egress is closed", func() (bool, string) {
		late := s.sandbox.imports(customer, told.Add(hears))
		return len(late) == 0, fmt.Sprint(len(late), " imports")
	})
	if log := w.out.String(); !strings.Contains(log, "egress_closed") {
		t.Errorf("the worker's log does not say why the migration waits:\n%s", lastLines(log, 10))
	}

	s.slowly(customer, 0)
	s.mustStart("egress", "open")
	s.mustStart("watch", customer)
	wantCounts(t, s.status(customer), "tickets", map[string]int{"read": tickets, "created": tickets})
}

func TestEdgeBlockOfOneAccountIsTheReasonOfThatMigration(t *testing.T) {
	const customer, tickets = "customer-0001", 4000
	s := newStage(t, setting{tickets: tickets, comments: 1})
	s.slowly(customer, time.Second)
	s.startWorker()
	s.mustStart("start", customer)
	s.awaitTickets(customer, 100, time.Minute)
	s.sandbox.settings(customer, map[string]any{"edge_block": true})
	eventually(t, 30*time.Second, "the reason is the edge", func() (bool, string) {
		code := text(s.status(customer)["reason_code"])
		return code == "edge_block" || code == "egress_blocked", code
	})
	wantSaid(t, s.mustStart("egress", "status"), "blocked since", "status 403", "cloudflare")
	s.sandbox.settings(customer, map[string]any{"edge_block": false})
	s.slowly(customer, 0)
	s.mustStart("egress", "open")
	s.mustStart("watch", customer)
	wantCounts(t, s.status(customer), "tickets", map[string]int{"read": tickets, "created": tickets})
}

func TestBoundOnRowsIsTheReasonAndIsLive(t *testing.T) {
	const customer, tickets = "customer-0001", 3000
	s := newStage(t, setting{tickets: tickets, comments: 1})
	s.mustStart("source", "set", "--max-rows-per-second", "20", "--reason", "sale today")
	s.startWorker()
	s.mustStart("start", customer)
	s.reasonOf(customer, "source_governor")
	wantSaid(t, s.mustStart("source", "status"), "at most 20 rows a second", "sale today")
	s.mustStart("source", "set", "--max-rows-per-second", "none")
	s.mustStart("watch", customer)
	wantCounts(t, s.status(customer), "tickets", map[string]int{"read": tickets, "created": tickets})
}
