package integration_test

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"go.temporal.io/api/workflowservice/v1"
	"go.temporal.io/sdk/client"
	sdklog "go.temporal.io/sdk/log"
	"google.golang.org/protobuf/types/known/durationpb"

	"farewell/integration/database"
	"farewell/integration/postgrestest"
)

// timeFactor is how much faster than Zendesk's the stages' time passes, in the
// sandbox and in the worker.
const timeFactor = 100

// setting is what a test wants to be different from the ordinary.
type setting struct {
	customers, tickets, comments int     // of the sample; 0: 1 customer, 120 tickets, 3 comments on average
	timeFactor                   float64 // 0: timeFactor
	notSetUp                     bool    // `starter setup` is left to the test
	alone                        bool    // no other test runs beside it
}

// stage is everything that one test needs, of its own: databases, a namespace
// of Temporal, a sandbox with accounts, and the processes.
type stage struct {
	t         *testing.T
	dir       string
	source    string // connection URL of the sample CRM
	ledger    string
	namespace string
	accounts  string // path of the accounts file
	bundles   string // folder of the CSV bundles
	mapping   string // path of the mapping file; empty: none
	files     string // folder with a third of the attachments
	factor    float64
	sandbox   *sandbox
	temporal  client.Client

	proxies []*proxy
	planted bool // the test puts a customer's text where none may be

	mu        sync.Mutex
	processes []*process
	said      strings.Builder // by every starter
}

// newStage fills the sample in and makes everything ready, but for a worker.
func newStage(t *testing.T, o setting) *stage {
	t.Helper()
	if !o.alone {
		t.Parallel()
	}
	s := &stage{t: t, dir: t.TempDir(), factor: o.timeFactor}
	if s.factor == 0 {
		s.factor = timeFactor
	}
	s.accounts = filepath.Join(s.dir, "accounts.csv")
	s.bundles = filepath.Join(s.dir, "bundles")
	s.files = filepath.Join(s.dir, "files")
	var preparing sync.WaitGroup
	dialled := s.dialTemporal()
	s.namespace = "test-" + randomName()
	preparing.Go(func() { registerNamespace(t, dialled, s.namespace) })
	defer preparing.Wait()
	s.source, s.ledger = postgrestest.New(t), postgrestest.New(t)
	t.Cleanup(s.end)
	t.Cleanup(func() {
		if !t.Failed() && !s.planted {
			s.wantNoCustomersTextKept()
		}
	})
	s.sandbox = s.startSandbox()
	s.fill(o)
	preparing.Wait()
	if t.Failed() {
		t.FailNow()
	}
	s.temporal = s.dialNamespace(s.namespace)
	if !o.notSetUp {
		s.mustStart("setup")
	}
	return s
}

// end ends every process, by its id, and shows their logs when the test failed.
func (s *stage) end() {
	s.mu.Lock()
	processes := s.processes
	s.mu.Unlock()
	for _, p := range processes {
		p.kill()
	}
	if s.t.Failed() {
		for _, p := range processes {
			s.t.Logf("log of %s (process %d):\n%s", p.name, p.pid(), lastLines(p.out.String(), 60))
		}
		s.t.Logf("said by starter:\n%s", lastLines(s.said.String(), 80))
	}
	for _, p := range s.proxies {
		p.close()
	}
	if s.temporal != nil {
		s.temporal.Close()
	}
}

// all are the stage's processes of a name, ended or not.
func (s *stage) all(name string) []*process {
	s.mu.Lock()
	defer s.mu.Unlock()
	var of []*process
	for _, p := range s.processes {
		if p.name == name {
			of = append(of, p)
		}
	}
	return of
}

func firstLines(text string, n int) string {
	lines := strings.SplitAfterN(text, "\n", n+1)
	if len(lines) <= n {
		return text
	}
	return strings.Join(lines[:n], "") + "…\n"
}

func lastLines(text string, n int) string {
	lines := strings.Split(strings.TrimRight(text, "\n"), "\n")
	if len(lines) > n {
		lines = append([]string{fmt.Sprintf("… %d lines before", len(lines)-n)}, lines[len(lines)-n:]...)
	}
	return strings.Join(lines, "\n")
}

func temporalAddress(t testing.TB) string {
	address := os.Getenv("FAREWELL_TEST_TEMPORAL_ADDRESS")
	if address == "" {
		t.Fatal("no Temporal to test against: run `make test`, or set FAREWELL_TEST_TEMPORAL_ADDRESS")
	}
	return address
}

// dialTemporal connects without a namespace of our own.
func (s *stage) dialTemporal() client.Client { return s.dialNamespace("default") }

func (s *stage) dialNamespace(namespace string) client.Client {
	c, err := client.Dial(client.Options{HostPort: temporalAddress(s.t), Namespace: namespace, Logger: sdklog.NewStructuredLogger(discard())})
	if err != nil {
		s.t.Fatalf("connect to Temporal: %v", err)
	}
	return c
}

func newNamespace(t testing.TB, c client.Client) string {
	name := "test-" + randomName()
	registerNamespace(t, c, name)
	return name
}

// registerNamespace returns when every part of the server knows it.
func registerNamespace(t testing.TB, c client.Client, name string) {
	defer c.Close()
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	_, err := c.WorkflowService().RegisterNamespace(ctx, &workflowservice.RegisterNamespaceRequest{
		Namespace: name, WorkflowExecutionRetentionPeriod: durationpb.New(24 * time.Hour),
	})
	if err != nil {
		t.Errorf("register namespace %s: %v", name, err)
		return
	}
	tick := time.NewTicker(lookEvery)
	defer tick.Stop()
	for {
		_, err := c.WorkflowService().CountWorkflowExecutions(ctx, &workflowservice.CountWorkflowExecutionsRequest{Namespace: name})
		if err == nil {
			return
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			t.Errorf("namespace %s is not usable: %v", name, err)
			return
		}
	}
}

func randomName() string {
	var b [6]byte
	_, _ = rand.Read(b[:]) // never fails
	return hex.EncodeToString(b[:])
}

// fill puts the sample into the source and the accounts into the sandbox.
func (s *stage) fill(o setting) {
	s.t.Helper()
	if o.customers == 0 {
		o.customers = 1
	}
	if o.tickets == 0 {
		o.tickets = 120
	}
	if o.comments == 0 {
		o.comments = 3
	}
	s.runSandbox("fill", "--source", s.source, "--accounts", s.accounts, "--sandbox", s.sandbox.URL, "--bundles", s.bundles,
		"--customers", fmt.Sprint(o.customers), "--tickets", fmt.Sprint(o.tickets), "--comments", fmt.Sprint(o.comments),
		"--time-scale", fmt.Sprint(s.factor), "--files", s.files)
}

func (s *stage) runSandbox(args ...string) {
	s.t.Helper()
	cmd := exec.Command(binary(s.t, "sandbox"), args...)
	cmd.Dir, cmd.Env = s.dir, s.environment()
	if out, err := cmd.CombinedOutput(); err != nil {
		s.t.Fatalf("sandbox %s: %v\n%s", args[0], err, out)
	}
}

// environment is that of all processes: nothing of the caller's settings, and
// a folder in which no settings lie. further come last and win.
func (s *stage) environment(further ...string) []string {
	origin := ""
	if s.sandbox != nil {
		origin = s.sandbox.URL
	}
	settings := []string{
		"PATH=" + os.Getenv("PATH"), "HOME=" + s.dir, "TMPDIR=" + os.TempDir(), "USER=tester", "NO_COLOR=1",
		"TEMPORAL_ADDRESS=" + temporalAddress(s.t), "TEMPORAL_NAMESPACE=" + s.namespace,
		"FAREWELL_SOURCE_URL=" + s.source, "FAREWELL_LEDGER_URL=" + s.ledger, "FAREWELL_ACCOUNTS=" + s.accounts,
		"FAREWELL_TIME_FACTOR=" + fmt.Sprint(s.factor),
		"FAREWELL_ATTACHMENT_ORIGINS=" + origin, "FAREWELL_ATTACHMENT_BUCKET=file://" + s.files + "?create_dir=true",
	}
	if s.mapping != "" {
		settings = append(settings, "FAREWELL_MAPPING="+s.mapping)
	}
	return append(settings, further...)
}

// startWorker starts one and returns when it is ready.
func (s *stage) startWorker() *process {
	s.t.Helper()
	p := s.startProcess("worker", s.environment())
	p.awaitLine(s.t, 30*time.Second, "worker is ready")
	return p
}

// query reads rows from a database as JSON objects.
func query(t testing.TB, url, sql string, args ...any) []map[string]any {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	conn, err := pgx.Connect(ctx, url)
	if err != nil {
		t.Fatalf("connect: %v", err)
	}
	defer conn.Close(ctx)
	rows, err := conn.Query(ctx, "select row_to_json(q)::text from ("+sql+") q", args...)
	if err != nil {
		t.Fatalf("%v: %s", err, sql)
	}
	texts, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		t.Fatalf("%v: %s", err, sql)
	}
	var all []map[string]any
	for _, text := range texts {
		all = append(all, decodeObject(t, []byte(text)))
	}
	return all
}

// change changes the source.
func (s *stage) change(sql string, args ...any) {
	s.t.Helper()
	execute(s.t, s.source, sql, args...)
}

func execute(t testing.TB, url, sql string, args ...any) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	if err := database.Execute(ctx, url, sql, args...); err != nil {
		t.Fatal(err)
	}
}
