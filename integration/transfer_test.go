package integration_test

import "testing"

func TestEveryTicketAndCommentArrivesEqualFieldByField(t *testing.T) {
	s := newStage(t, setting{customers: 2, tickets: 400, comments: 4})
	// An author whom the source does not name, whose stand-in is listed below.
	s.change("update crm.messages set sent_by = null where message_no = (select min(message_no) from crm.messages where client = 'customer-0001')")
	s.startWorker()
	s.mustStart("start", "customer-0001", "customer-0002", "--wait")
	if n := count(t, s.ledger, "select count(*) from farewell_ledger.changes where rule = 'person_replaced'"); n == 0 {
		t.Error("nobody lists that an author was replaced")
	}
	for _, customer := range []string{"customer-0001", "customer-0002"} {
		s.wantEqual(customer, customer)
		status := s.status(customer)
		tickets := s.ticketsOf(customer)
		wantCounts(t, status, "tickets", map[string]int{"read": tickets, "created": tickets})
		if status["state"] != "completed" || number(t, status["percent"]) != 100 {
			t.Errorf("%s: state %s, %s %%", customer, status["state"], status["percent"])
		}
	}
}

func TestSecondStartFindsEverythingAlreadyThereAndSendsNothing(t *testing.T) {
	s := newStage(t, setting{customers: 3})
	s.startWorker()
	s.mustStart("start", "--all", "--wait")
	before := s.sandbox.stats("customer-0001")
	again := s.mustStart("start", "--all", "--wait")
	// Though the first run ended a moment ago, this is another one.
	wantSaid(t, again, "started 3 migrations", "nothing to do: 360 already there")
	for _, customer := range []string{"customer-0001", "customer-0002", "customer-0003"} {
		wantCounts(t, s.status(customer), "tickets", map[string]int{"read": 120, "already_there": 120})
	}
	after := s.sandbox.stats("customer-0001")
	for _, kind := range []string{"tickets", "comments", "users", "organizations", "jobs"} {
		if text(before[kind]) != text(after[kind]) {
			t.Errorf("%s: %s before the second start, %s after it", kind, before[kind], after[kind])
		}
	}
	s.wantEqual("customer-0001", "customer-0001")
	s.wantEqual("customer-0002", "customer-0002")
}
