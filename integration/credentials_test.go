package integration_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

func TestAccessTokensThatExpireDuringTheRunAreRenewed(t *testing.T) {
	// The second customer of a sample has an OAuth client.
	const customer = "customer-0002"
	s := newStage(t, setting{customers: 2, tickets: 3000, comments: 1})
	// A second is the least that there is: a run of several jobs, one after the
	// other, sees as many tokens end as one of minutes with tokens of 20 s.
	s.sandbox.settings(customer, map[string]any{"token_lifetime_seconds": 1})
	s.slowly(customer, 2*time.Second)
	s.startWorker()
	s.mustStart("start", customer, "--wait")
	s.wantEqual(customer, customer)
	asked := 0
	for endpoint, n := range object(t, s.sandbox.stats(customer)["requests_by_endpoint"]) {
		if strings.Contains(endpoint, "/oauth/tokens") {
			asked += number(t, n)
		}
	}
	if asked < 3 {
		t.Errorf("the run asked for %d access tokens: none of them expired during it", asked)
	}
}

func TestWrongCredentialsFailInPreflightWithWhatToDo(t *testing.T) {
	s := newStage(t, setting{customers: 2})
	const wrong = "hunter2-is-not-the-token"
	for customer, secret := range map[string]string{"customer-0001": wrong, "customer-0002": "farewell-customer-0002:" + wrong} {
		if err := os.WriteFile(filepath.Join(s.dir, "secrets", customer), []byte(secret+"\n"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	worker := s.startWorker()
	for _, customer := range []string{"customer-0001", "customer-0002"} {
		failed := s.wantExit(exitAttention, "start", customer, "--wait")
		if failed.took > 15*time.Second {
			t.Errorf("%s: it took %s to fail", customer, failed.took)
		}
		status := s.wantExit(exitAttention, "status", customer)
		wantSaid(t, status, "failed", "credentials", "check the account's auth and secret_ref")
		checked := s.wantExit(exitAttention, "check", customer)
		wantSaid(t, checked, "credentials", "a start would be refused")
		for _, said := range []string{failed.String(), status.String(), checked.String(), worker.out.String()} {
			if strings.Contains(said, wrong) {
				t.Errorf("%s: the secret is said: %s", customer, said)
			}
		}
		if n := len(s.sandbox.imports(customer, time.Unix(0, 0))); n != 0 {
			t.Errorf("%s: %d imports were sent", customer, n)
		}
	}
}
