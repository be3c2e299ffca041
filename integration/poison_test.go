package integration_test

import "testing"

func TestPoisonTicketIsListedAndBroughtByRetryAndAMappingHoldsForItsCustomer(t *testing.T) {
	const customer = "customer-0001"
	s := newStage(t, setting{customers: 2})
	s.mapped()
	// The sandbox refuses tickets with this tag until it is told otherwise.
	s.change(`insert into crm.conversation_tags values (1050, 'sandbox_poison')`)
	s.startWorker()
	s.wantExit(exitFailures, "start", customer, "--wait")
	status := s.status(customer)
	if status["state"] != "completed_with_failures" {
		t.Errorf("the state is %s", status["state"])
	}
	wantCounts(t, status, "tickets", map[string]int{"read": 120, "created": 119, "failed": 1})
	var failed []map[string]any
	for _, f := range s.failures(customer) {
		if f["outcome"] == "failed" {
			failed = append(failed, f)
		}
	}
	if len(failed) != 1 || failed[0]["entity"] != "tickets" || failed[0]["source_id"] != "1050" || text(failed[0]["code"]) == "" || text(failed[0]["text"]) == "" {
		t.Errorf("failures lists %v, want ticket 1050 alone", failed)
	}
	s.wantEqual(customer, customer, "1050")

	s.sandbox.settings(customer, map[string]any{"poison": map[string]any{"marker": ""}})
	s.mustStart("retry", customer)
	s.mustStart("watch", customer)
	s.wantEqual(customer, customer)
	status = s.status(customer)
	if status["state"] != "completed" {
		t.Errorf("after the retry the state is %s: %s", status["state"], status["reason"])
	}
	wantCounts(t, status, "tickets", map[string]int{"read": 120, "created": 1, "already_there": 119})

	s.wantMapped("customer-0002")
}
