package integration_test

import (
	"bufio"
	"context"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"farewell/integration/postgrestest"
)

// What one worker may take, however many customers are started.
const (
	mostMemory            = 200        // MB, at the peak
	mostSourceConnections = 8 + 1      // for reading, and the one by which the source's strain is felt
	mostLedgerConnections = 12 + 1 + 2 // of the worker, its control channel, and the starter that watches
)

func TestThreeHundredCustomersAtOnceTakeBoundedMemoryAndConnections(t *testing.T) {
	const customers, tickets = 300, 3
	// It keeps Temporal as busy as it can be, which is no help to tests that
	// expect an answer within seconds.
	s := newStage(t, setting{customers: customers, tickets: tickets, comments: 1, alone: true})
	worker := s.startWorker()
	connections := s.sampleConnections()
	s.mustStart("start", "--all", "--wait")
	peak := connections()

	for _, m := range s.list() {
		if m["state"] != "completed" {
			t.Errorf("%s is %s: %s", m["customer"], m["state"], m["reason"])
		}
		wantCounts(t, m, "tickets", map[string]int{"read": tickets, "created": tickets})
	}
	all := decodeObject(t, s.sandbox.call(http.MethodGet, "stats", nil))
	if n := number(t, all["tickets"]); n != customers*2/3*tickets {
		t.Errorf("%d tickets are in the accounts, want %d", n, customers*2/3*tickets)
	}
	for kind, n := range object(t, all["duplicate_external_ids"]) {
		if number(t, n) != 0 {
			t.Errorf("%s %s are there more than once", n, kind)
		}
	}
	for _, customer := range []string{"customer-0001", "customer-0149", "customer-0299"} {
		s.wantEqual(customer, customer)
	}
	s.wantBundle("customer-0300-csv", "customer-0300")

	memory := peakMemory(t, worker.pid())
	t.Logf("worker: %d MB at the peak; connections at the peak: source %d, ledger %d", memory, peak[s.source], peak[s.ledger])
	if memory > mostMemory {
		t.Errorf("the worker took %d MB, want at most %d", memory, mostMemory)
	}
	if peak[s.source] > mostSourceConnections || peak[s.ledger] > mostLedgerConnections {
		t.Errorf("connections: %d to the source and %d to the ledger, want at most %d and %d",
			peak[s.source], peak[s.ledger], mostSourceConnections, mostLedgerConnections)
	}
	if peak[s.source] == 0 || peak[s.ledger] == 0 {
		t.Error("no connection was seen: the sampling is at fault")
	}
}

// peakMemory is VmHWM, in MB.
func peakMemory(t testing.TB, pid int) int {
	t.Helper()
	file, err := os.Open(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	for lines := bufio.NewScanner(file); lines.Scan(); {
		if value, ok := strings.CutPrefix(lines.Text(), "VmHWM:"); ok {
			kilobytes, err := strconv.Atoi(strings.TrimSpace(strings.TrimSuffix(value, "kB")))
			if err != nil {
				t.Fatal(err)
			}
			return kilobytes / 1000
		}
	}
	t.Fatal("the kernel does not say how much memory the process took")
	return 0
}

// sampleConnections counts the connections to the stage's databases until the
// function that it returns is called, which gives the most that were seen, by URL.
func (s *stage) sampleConnections() func() map[string]int {
	s.t.Helper()
	ctx, stop := context.WithCancel(context.Background())
	conn, err := pgx.Connect(ctx, os.Getenv(postgrestest.EnvURL))
	if err != nil {
		s.t.Fatal(err)
	}
	peak := map[string]int{}
	var sampling sync.WaitGroup
	sampling.Go(func() {
		defer conn.Close(context.WithoutCancel(ctx))
		tick := time.NewTicker(lookEvery)
		defer tick.Stop()
		for {
			for _, connection := range []string{s.source, s.ledger} {
				n, err := connectionsTo(ctx, conn, connection)
				if err != nil && ctx.Err() == nil {
					s.t.Errorf("count connections: %v", err)
				}
				peak[connection] = max(peak[connection], n)
			}
			select {
			case <-ctx.Done():
				return
			case <-tick.C:
			}
		}
	})
	return func() map[string]int {
		stop()
		sampling.Wait()
		return peak
	}
}

// connectionsTo counts clients: the server's own autovacuum shows in the same view.
func connectionsTo(ctx context.Context, conn *pgx.Conn, connection string) (n int, err error) {
	u, err := url.Parse(connection)
	if err != nil {
		return 0, err
	}
	err = conn.QueryRow(ctx, "select count(*) from pg_stat_activity where datname = $1 and backend_type = 'client backend'", strings.TrimPrefix(u.Path, "/")).Scan(&n)
	return n, err
}
