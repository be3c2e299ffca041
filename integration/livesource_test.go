package integration_test

import (
	"fmt"
	"testing"
	"time"
)

// open puts a new ticket with one message into the CRM. It is a second old: a
// message of the very second in which it is sent would be one of the future.
func (s *stage) open(client string, no int) {
	s.t.Helper()
	s.change(fmt.Sprintf(`
		with c as (
			insert into crm.conversations
			select %d, client, opened_by, null, company_no, 'came later: '||%d, 'active', 3, 'ask', 'mail', null, null, date_trunc('second', now()) - interval '1 second', date_trunc('second', now()) - interval '1 second', null
			from crm.conversations where client = %s order by conversation_no limit 1
			returning conversation_no, client, opened_by, opened_at)
		insert into crm.messages
		select (select max(message_no) + 1 from crm.messages), client, conversation_no, opened_by, false, 'a message that came later', 'text', opened_at from c`,
		no, no, quoteLiteral(client)))
}

func TestChangesAtTheSourceDuringTheRunAreBroughtOrCounted(t *testing.T) {
	const customer, tickets = "customer-0001", 4000
	s := newStage(t, setting{tickets: tickets, comments: 1})
	// Who opens what arrives late is suspended at the source.
	s.change(`update crm.people set banned = true where person_no = (select opened_by from crm.conversations where client = ` + quoteLiteral(customer) + ` order by conversation_no limit 1)`)
	s.slowly(customer, 2*time.Second)
	s.startWorker()
	s.mustStart("start", customer)
	s.awaitTickets(customer, 100, time.Minute)

	// The first hundred tickets were read: two arrive in the ranges of the plan
	// and after them, two go, three change.
	s.open(customer, 999)
	s.open(customer, 900_000)
	s.change(`delete from crm.conversations where conversation_no in (1000, 1001)`)
	s.change(`update crm.conversations set title = 'changed meanwhile', touched_at = date_trunc('second', now()) + interval '1 second' where conversation_no in (1002, 1003, 1004)`)
	s.mustStart("watch", customer)

	status := s.status(customer)
	if status["state"] != "completed" {
		t.Errorf("the state is %s: %s", status["state"], status["reason"])
	}
	for name, want := range map[string]int{"arrived_late": 2, "deleted_at_source": 2, "changed_since": 3, "missing": 0} {
		if got := number(t, object(t, status["comparison"])[name]); got != want {
			t.Errorf("%s is %d, want %d", name, got, want)
		}
	}
	wantCounts(t, status, "tickets", map[string]int{"read": tickets + 2, "created": tickets + 2})
	listed := map[string]int{}
	for _, f := range s.failures(customer) {
		if f["entity"] == "tickets" {
			listed[text(f["outcome"])]++
		}
	}
	if listed["changed_since"] != 3 || listed["deleted_at_source"] != 2 {
		t.Errorf("failures lists %v, want 3 changed and 2 deleted tickets", listed)
	}
	a := s.arrivedIn(customer, customer)
	for _, c := range s.conversations(customer) {
		switch no := text(c["conversation_no"]); no {
		case "1002", "1003", "1004":
			if n := len(a.tickets["farewell-"+no]); n != 1 {
				t.Errorf("the changed ticket %s is there %d times", no, n)
			}
		default:
			a.wantTicket(c)
		}
	}
	s.sandbox.wantNothingTwice(customer)
}

func TestLaterStartBringsOnlyWhatIsNew(t *testing.T) {
	s := newStage(t, setting{customers: 3})
	s.startWorker()
	s.mustStart("start", "customer-0001", "customer-0003", "--wait")
	for i, customer := range []string{"customer-0001", "customer-0003"} {
		s.open(customer, 999-i)
		s.open(customer, 900_000+i)
	}
	s.mustStart("start", "customer-0001", "customer-0003", "--wait")
	for _, customer := range []string{"customer-0001", "customer-0003"} {
		wantCounts(t, s.status(customer), "tickets", map[string]int{"read": 122, "created": 2, "already_there": 120})
	}
	s.wantEqual("customer-0001", "customer-0001")
	s.wantBundle("customer-0003-csv", "customer-0003")
}
