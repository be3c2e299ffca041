package integration_test

import (
	"fmt"
	"net/url"
	"os"
	"strings"
	"testing"
	"time"

	enumspb "go.temporal.io/api/enums/v1"

	"farewell/integration/postgrestest"
)

// dropDatabase drops a database and makes an empty one of the same name.
func dropDatabase(t testing.TB, connection string) {
	t.Helper()
	u, err := url.Parse(connection)
	if err != nil {
		t.Fatal(err)
	}
	name := strings.TrimPrefix(u.Path, "/")
	server := os.Getenv(postgrestest.EnvURL)
	execute(t, server, "drop database "+name+" with (force)")
	execute(t, server, "create database "+name+" template template0 encoding 'UTF8'")
}

// awaitClosed returns when Temporal has closed every workflow, which takes a
// worker a moment longer than writing a run's end to the ledger.
func (s *stage) awaitClosed() {
	s.t.Helper()
	eventually(s.t, 20*time.Second, "every workflow is closed", func() (bool, string) {
		open := 0
		for _, one := range executions(s.t.Context(), s.t, s.temporal, s.namespace) {
			if one.GetStatus() == enumspb.WORKFLOW_EXECUTION_STATUS_RUNNING {
				open++
			}
		}
		return open == 0, fmt.Sprint(open, " are open")
	})
}

func TestLostLedgerIsNoticedAndRebuiltFromTheAccounts(t *testing.T) {
	s := newStage(t, setting{customers: 3})
	worker := s.startWorker()
	s.mustStart("start", "--all", "--wait")
	s.open("customer-0003", 999_001) // the bundle holds a catch-up, too
	s.mustStart("start", "customer-0003", "--wait")
	s.awaitClosed()
	worker.kill()
	dropDatabase(t, s.ledger)
	s.mustStart("setup")
	s.startWorker()

	s.wantExit(exitAttention, "start", "--all", "--wait")
	for _, customer := range []string{"customer-0001", "customer-0002", "customer-0003"} {
		refused := s.wantExit(exitAttention, "status", customer)
		wantSaid(t, refused, "failed", "starter reconcile")
	}
	before := s.sandbox.stats("customer-0001")
	s.mustStart("reconcile", "--all", "--reason", "the ledger was lost")
	s.mustStart("start", "--all", "--wait")
	for _, customer := range []string{"customer-0001", "customer-0002", "customer-0003"} {
		status := s.status(customer)
		if status["state"] != "completed" {
			t.Errorf("%s: the state is %s: %s", customer, status["state"], status["reason"])
		}
		tickets := s.ticketsOf(customer)
		wantCounts(t, status, "tickets", map[string]int{"read": tickets, "already_there": tickets})
		for _, entity := range []string{"users", "organizations"} {
			if n := number(t, object(t, status[entity])["created"]); n != 0 {
				t.Errorf("%s: %d %s were created", customer, n, entity)
			}
		}
	}
	after := s.sandbox.stats("customer-0001")
	for _, kind := range []string{"tickets", "comments", "users", "organizations"} {
		if text(before[kind]) != text(after[kind]) {
			t.Errorf("%s: %s before, %s after", kind, before[kind], after[kind])
		}
	}
	s.wantEqual("customer-0001", "customer-0001")
	s.wantEqual("customer-0002", "customer-0002")
	s.open("customer-0003", 999_002)
	s.mustStart("start", "customer-0003", "--wait")
	wantCounts(t, s.status("customer-0003"), "tickets", map[string]int{"read": 122, "created": 1, "already_there": 121})
	s.wantBundle("customer-0003-csv", "customer-0003")
}
