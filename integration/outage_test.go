package integration_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"farewell/integration/postgrestest"
)

// nobody listens there.
const nobody = "127.0.0.1:1"

const password = "hunter2"

func TestProgramsNameTheServerThatIsDownAndWhatToDo(t *testing.T) {
	s := newStage(t, setting{tickets: 1})
	deadDatabase := "postgres://farewell:" + password + "@" + nobody + "/x?sslmode=disable"
	notSetUp := postgrestest.New(t)
	badAccounts := filepath.Join(s.dir, "bad.csv")
	if err := os.WriteFile(badAccounts, []byte("customer,destination,account,url,plan_per_minute,reserved_percent,auth,secret_ref\nacme,csv,acme,/tmp/x,,,,\nacme,csv,acme-2,,,,,\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		env     string
		starter []string // a command that needs it; none: only workers do
		worker  bool
		want    []string
	}{
		"ledger down":             {"FAREWELL_LEDGER_URL=" + deadDatabase, []string{"list"}, true, []string{"FAREWELL_LEDGER_URL"}},
		"source down":             {"FAREWELL_SOURCE_URL=" + deadDatabase, nil, true, []string{"FAREWELL_SOURCE_URL"}},
		"Temporal down":           {"TEMPORAL_ADDRESS=" + nobody, []string{"start", "customer-0001"}, true, []string{"TEMPORAL_ADDRESS", nobody}},
		"ledger not set up":       {"FAREWELL_LEDGER_URL=" + notSetUp, []string{"list"}, true, []string{"starter setup"}},
		"no search attributes":    {"TEMPORAL_NAMESPACE=" + newNamespace(t, s.dialTemporal()), nil, true, []string{"starter setup"}},
		"malformed accounts file": {"FAREWELL_ACCOUNTS=" + badAccounts, []string{"list"}, true, []string{"bad.csv:3:17: url: "}},
		"no accounts file":        {"FAREWELL_ACCOUNTS=" + filepath.Join(s.dir, "none.csv"), []string{"list"}, true, []string{"none.csv", "FAREWELL_ACCOUNTS"}},
		"ledger not named":        {"FAREWELL_LEDGER_URL=", []string{"list"}, true, []string{"FAREWELL_LEDGER_URL", "for example"}},
	} {
		t.Run(name, func(t *testing.T) {
			if c.starter != nil {
				a := s.starterWith([]string{c.env}, c.starter...)
				if a.code != exitError || a.took > 20*time.Second {
					t.Errorf("starter: want exit code %d within 20 s: %s", exitError, a)
				}
				wantSaid(t, a, c.want...)
				wantNoSecretSaid(t, a.String())
			}
			w := s.startProcess("worker", s.environment(c.env))
			code := w.await(t, 30*time.Second)
			said := answer{code: code, stderr: w.out.String()}
			if code != exitError {
				t.Errorf("worker: want exit code %d: %s", exitError, said)
			}
			wantSaid(t, said, c.want...)
			wantNoSecretSaid(t, said.String())
		})
	}
}

func wantNoSecretSaid(t testing.TB, said string) {
	t.Helper()
	if strings.Contains(said, password) {
		t.Errorf("it says a password: %s", said)
	}
}

func TestOutagesOfSourceLedgerAndTemporalLoseNothing(t *testing.T) {
	const customer, tickets = "customer-0001", 6000
	s := newStage(t, setting{tickets: tickets, comments: 1})
	source, ledger := s.newProxy(hostOf(t, s.source)), s.newProxy(hostOf(t, s.ledger))
	server := s.newProxy(temporalAddress(t))
	proxied := []string{
		"FAREWELL_SOURCE_URL=" + source.through(s.source), "FAREWELL_LEDGER_URL=" + ledger.through(s.ledger), "TEMPORAL_ADDRESS=" + server.address(),
	}
	s.slowly(customer, 2*time.Second)
	worker := s.startProcess("worker", s.environment(proxied...))
	worker.awaitLine(t, 30*time.Second, "worker is ready")
	s.mustStart("start", customer)
	s.awaitTickets(customer, 100, time.Minute)

	source.cut()
	// Although open jobs go on meanwhile.
	eventually(t, 10*time.Second, "status names the source", func() (bool, string) {
		reason := text(s.status(customer)["reason"])
		return strings.Contains(reason, "source"), reason
	})
	ledger.cut()
	server.cut()
	down := s.starterWith(proxied, "status", customer)
	if down.code != exitError {
		t.Errorf("without a ledger: %s", down)
	}
	wantSaid(t, down, "FAREWELL_LEDGER_URL")
	ledger.heal()
	withoutTemporal := s.starterWith(proxied, "list")
	if withoutTemporal.code != exitOK {
		t.Errorf("list works without Temporal: %s", withoutTemporal)
	}
	wantSaid(t, withoutTemporal, customer, "Temporal does not answer", "this is what the ledger knows")
	refused := s.starterWith(proxied, "start", customer)
	if refused.code != exitError {
		t.Errorf("start without Temporal: %s", refused)
	}
	wantSaid(t, refused, "Temporal does not answer", "TEMPORAL_ADDRESS")
	source.heal()
	server.heal()

	s.mustStart("watch", customer)
	if !worker.runs() {
		t.Errorf("the worker has given up: %v", worker.err)
	}
	s.wantEqual(customer, customer)
	wantCounts(t, s.status(customer), "tickets", map[string]int{"read": tickets, "created": tickets})
}
