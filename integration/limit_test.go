package integration_test

import (
	"path/filepath"
	"testing"
)

func TestTrialTakesExactlyItsLimitAndTheNextStartTheRest(t *testing.T) {
	s := newStage(t, setting{customers: 3, tickets: 230})
	s.startWorker()
	s.mustStart("start", "customer-0001", "customer-0003", "--limit", "50", "--wait")
	if n := number(t, s.sandbox.stats("customer-0001")["tickets"]); n != 50 {
		t.Errorf("after a trial of 50 there are %d tickets", n)
	}
	rows := decodeRows(t, filepath.Join(s.bundles, "customer-0003-csv", "data", "tickets-0001.csv"))
	if len(rows) != 51 {
		t.Errorf("after a trial of 50 the bundle has %d tickets", len(rows)-1)
	}
	for _, customer := range []string{"customer-0001", "customer-0003"} {
		status := s.status(customer)
		if status["state"] != "completed" {
			t.Errorf("%s: the trial's state is %s", customer, status["state"])
		}
		wantCounts(t, status, "tickets", map[string]int{"read": 50, "created": 50})
	}

	s.mustStart("start", "customer-0001", "customer-0003", "--wait")
	for _, customer := range []string{"customer-0001", "customer-0003"} {
		wantCounts(t, s.status(customer), "tickets", map[string]int{"read": 230, "created": 180, "already_there": 50})
	}
	s.wantEqual("customer-0001", "customer-0001")
	s.wantBundle("customer-0003-csv", "customer-0003")
}
