package main

import (
	"bytes"
	"context"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"farewell/migration"
	"farewell/sandbox/samplecrm"
)

// world is everything that a run has started.
type world struct {
	out                io.Writer
	dir                string
	name               string // of databases and the task queue
	postgres, temporal string // a superuser's connection URL; host and port
	programs           string // folder of the product's programs
	source, ledger     string // connection URLs
	sandbox, worker    *process
	url                string // of the sandbox
	customers          []string
	agents             map[string]any // of each account
	seatless           int            // of the staff, who are not in the accounts
}

func (w *world) say(format string, args ...any) {
	fmt.Fprintf(w.out, time.Now().Format("15:04:05 ")+format+"\n", args...)
}

// build makes databases, sandbox, accounts and a worker.
func build(ctx context.Context, out io.Writer) (made *world, err error) {
	w := &world{
		out: out, agents: map[string]any{}, name: fmt.Sprintf("roundtrip_%d", os.Getpid()),
		postgres: os.Getenv("FAREWELL_TEST_POSTGRES_URL"), temporal: os.Getenv("FAREWELL_TEST_TEMPORAL_ADDRESS"), programs: os.Getenv("FAREWELL_TEST_BIN"),
	}
	if w.postgres == "" || w.temporal == "" || w.programs == "" {
		return nil, errors.New("no servers to work with: run `make roundtrip`")
	}
	if w.dir, err = os.MkdirTemp("", "farewell-roundtrip-"); err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			w.close()
		}
	}()
	if w.source, err = w.createDatabase(ctx, w.name+"_crm"); err != nil {
		return nil, err
	}
	if w.ledger, err = w.createDatabase(ctx, w.name+"_ledger"); err != nil {
		return nil, err
	}
	if err := w.startSandbox(ctx); err != nil {
		return nil, err
	}
	if err := w.fill(ctx); err != nil {
		return nil, err
	}
	if err := w.openAccounts(ctx); err != nil {
		return nil, err
	}
	// The source serves nobody here, and is on the machine that all else strains.
	for _, command := range [][]string{{"setup"}, {"source", "set", "--governor", "off"}} {
		if _, err := w.starter(ctx, command...); err != nil {
			return nil, err
		}
	}
	w.worker, _, err = begin(ctx, filepath.Join(w.dir, "worker.log"), "worker is ready", w.environment(), w.programs+"/worker")
	return w, err
}

// close ends what was started; nothing of it is needed any more.
func (w *world) close() {
	for _, p := range []*process{w.worker, w.sandbox} {
		if p != nil {
			p.kill()
		}
	}
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	for _, name := range []string{"_crm", "_ledger"} {
		if err := execute(ctx, w.postgres, "drop database if exists "+pgx.Identifier{w.name + name}.Sanitize()+" with (force)"); err != nil {
			w.say("drop database: %v", err)
		}
	}
	if err := os.RemoveAll(w.dir); err != nil {
		w.say("remove %s: %v", w.dir, err)
	}
}

func (w *world) createDatabase(ctx context.Context, name string) (string, error) {
	if err := execute(ctx, w.postgres, "create database "+pgx.Identifier{name}.Sanitize()+" template template0 encoding 'UTF8'"); err != nil {
		return "", err
	}
	u, err := url.Parse(w.postgres)
	if err != nil {
		return "", err
	}
	u.Path = "/" + name
	return u.String(), nil
}

func execute(ctx context.Context, url, statement string) error {
	conn, err := pgx.Connect(ctx, url)
	if err != nil {
		return fmt.Errorf("connect to Postgres: %w", err)
	}
	defer conn.Close(ctx)
	if _, err := conn.Exec(ctx, statement); err != nil {
		return fmt.Errorf("%s: %w", statement, err)
	}
	return nil
}

func (w *world) startSandbox(ctx context.Context) error {
	const word = "sandbox listens on "
	p, line, err := begin(ctx, filepath.Join(w.dir, "sandbox.log"), word, nil, w.programs+"/sandbox", "serve", "--listen", "127.0.0.1:0")
	if err != nil {
		return err
	}
	_, address, _ := strings.Cut(strings.TrimSpace(line), word)
	w.sandbox, w.url = p, address
	return nil
}

// fill makes the sample, and beside it the customer with the corpus.
func (w *world) fill(ctx context.Context) error {
	specs := samplecrm.Customers(customers, tickets, comments)
	for i := range specs {
		specs[i].Destination = migration.DestinationZendesk
		w.customers = append(w.customers, specs[i].ID)
		w.agents[specs[i].ID] = samplecrm.Agents(specs[i])
	}
	began := time.Now()
	filled, err := samplecrm.Fill(ctx, w.source, samplecrm.Spec{Customers: specs, Seed: 1}, nil)
	if err != nil {
		return err
	}
	n, err := plant(ctx, w.source)
	if err != nil {
		return fmt.Errorf("plant the corpus: %w", err)
	}
	w.customers = append(w.customers, hostile)
	w.agents[hostile] = []any{}
	w.say("%d plain tickets with %d comments of %d customers, and %d hostile ones, filled in within %s",
		filled.Tickets, filled.Comments, filled.Customers, n, time.Since(began).Round(time.Second))
	return nil
}

// account of a customer, with the run's own name, so that two of them can share
// a Temporal.
func (w *world) account(customer string) string { return fmt.Sprintf("%s-%d", customer, os.Getpid()) }

func (w *world) openAccounts(ctx context.Context) error {
	lines := [][]string{{"customer", "destination", "account", "url", "plan_per_minute", "reserved_percent", "auth", "secret_ref"}}
	for _, customer := range w.customers {
		account := w.account(customer)
		err := w.settings(ctx, customer, map[string]any{
			"plan_per_minute": 2500, "time_scale": factor, "bulk_users": true, "ticket_fields": samplecrm.TicketFields(), "agents": w.agents[customer],
		})
		if err != nil {
			return err
		}
		file := filepath.Join(w.dir, "secret-"+account)
		if err := os.WriteFile(file, []byte("sandbox-"+account), 0o600); err != nil {
			return err
		}
		lines = append(lines, []string{customer, migration.DestinationZendesk, account, w.url + "/accounts/" + account, "2500", "20", "bearer", "file:" + file})
	}
	var text bytes.Buffer
	if err := csv.NewWriter(&text).WriteAll(lines); err != nil {
		return err
	}
	return os.WriteFile(w.accountsFile(), text.Bytes(), 0o600)
}

func (w *world) accountsFile() string { return filepath.Join(w.dir, "accounts.csv") }

// settings changes a customer's account.
func (w *world) settings(ctx context.Context, customer string, change map[string]any) error {
	body, err := json.Marshal(change)
	if err != nil {
		return err
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodPut, w.url+"/_sandbox/accounts/"+w.account(customer)+"/settings", bytes.NewReader(body))
	if err != nil {
		return err
	}
	request.Header.Set("Content-Type", "application/json")
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	if response.StatusCode >= http.StatusMultipleChoices {
		said, _ := io.ReadAll(response.Body) // for the message only
		return fmt.Errorf("settings of %s: %s: %s", customer, response.Status, said)
	}
	return nil
}

func (w *world) environment() []string {
	return []string{
		"PATH=" + os.Getenv("PATH"), "HOME=" + w.dir, "USER=roundtrip", "NO_COLOR=1",
		"FAREWELL_SOURCE_URL=" + w.source, "FAREWELL_LEDGER_URL=" + w.ledger, "FAREWELL_ACCOUNTS=" + w.accountsFile(),
		"FAREWELL_TASK_QUEUE=" + w.name, "FAREWELL_TIME_FACTOR=" + strconv.Itoa(factor), "FAREWELL_KEPT=" + filepath.Join(w.dir, "kept"),
		"TEMPORAL_ADDRESS=" + w.temporal, "TEMPORAL_NAMESPACE=default",
	}
}

// starter runs a command of the product's to its end.
func (w *world) starter(ctx context.Context, args ...string) ([]byte, error) {
	cmd := exec.CommandContext(ctx, w.programs+"/starter", args...)
	cmd.Dir, cmd.Env = w.dir, w.environment()
	out, err := cmd.Output()
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		return out, fmt.Errorf("starter %s: exit code %d: %s%s", strings.Join(args, " "), exit.ExitCode(), exit.Stderr, out)
	}
	return out, err
}

// migrate brings everybody. That the files of the sample are listed as skipped
// is no failure.
func (w *world) migrate(ctx context.Context) error {
	_, err := w.starter(ctx, "start", "--all", "--wait")
	return err
}
