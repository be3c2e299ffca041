package main

import (
	"bytes"
	"context"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"farewell/migration"
	"farewell/sandbox/samplecrm"
)

// world is everything that a run has started.
type world struct {
	plan
	places
	out     io.Writer
	dir     string
	name    string // of databases and the task queue
	source  string // connection URLs
	ledger  string
	db      *pgxpool.Pool // the ledger, for looking at
	sandbox *process
	url     string // of the sandbox
	workers []*worker
	thaws   sync.WaitGroup
	dice    *rand.Rand // of the one goroutine that acts

	mu        sync.Mutex
	customers []*customer
	done      []happened        // what was done to processes
	waited    map[string][]span // when migrations said that they waited for a doubt or an operator

	fired map[string]int // how often each of the sandbox's faults struck
}

// customer is one migration.
type customer struct {
	name    string
	account string
	number  int
	poison  map[string]bool // conversations that the account refuses
	meddled bool
}

func (w *world) say(format string, args ...any) {
	fmt.Fprintf(w.out, time.Now().Format("15:04:05 ")+format+"\n", args...)
}

// build makes databases, sandbox, accounts and workers.
func build(ctx context.Context, p plan, where places, out io.Writer) (made *world, err error) {
	w := &world{plan: p, places: where, out: out, dice: rand.New(rand.NewPCG(p.seed, 1)), fired: map[string]int{}, waited: map[string][]span{}}
	w.name = fmt.Sprintf("chaos_%d_%d", os.Getpid(), p.seed)
	if w.dir, err = os.MkdirTemp("", "farewell-chaos-"); err != nil {
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
	if w.db, err = pgxpool.New(ctx, w.ledger+"&application_name=chaos"); err != nil {
		return nil, err
	}
	for i := range p.workers {
		worker, err := w.hire(ctx, i)
		if err != nil {
			return nil, err
		}
		w.workers = append(w.workers, worker)
	}
	return w, nil
}

// close ends what was started; nothing of it is needed any more.
func (w *world) close() {
	for _, worker := range w.workers {
		worker.dismiss()
	}
	if w.sandbox != nil {
		w.sandbox.kill()
	}
	if w.db != nil {
		w.db.Close()
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

func execute(ctx context.Context, url, statement string, args ...any) error {
	conn, err := pgx.Connect(ctx, url)
	if err != nil {
		return fmt.Errorf("connect to Postgres: %w", err)
	}
	defer conn.Close(ctx)
	if _, err := conn.Exec(ctx, statement, args...); err != nil {
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

// poison is in the title of a ticket that the account refuses.
const poison = "chaos-poison"

// fill makes the customers' records and plants poison among them.
func (w *world) fill(ctx context.Context) error {
	specs := samplecrm.Customers(w.plan.customers, w.tickets, w.comments)
	for i := range specs {
		specs[i].Destination = migration.DestinationZendesk
	}
	began := time.Now()
	filled, err := samplecrm.Fill(ctx, w.source, samplecrm.Spec{Customers: specs, Seed: w.seed}, nil)
	if err != nil {
		return err
	}
	w.say("%d tickets with %d comments of %d customers, filled in within %s", filled.Tickets, filled.Comments, filled.Customers, time.Since(began).Round(time.Second))
	err = execute(ctx, w.source, `create schema chaos; create table chaos.before (conversation_no bigint, title text not null, touched_at timestamptz not null); create index on chaos.before (conversation_no)`)
	if err != nil {
		return err
	}
	for i, spec := range specs {
		// With the run's own name, so that two of them can share a Temporal.
		account := fmt.Sprintf("%s-%d", spec.ID, w.seed)
		c := &customer{name: spec.ID, account: account, number: i, meddled: i < w.meddled, poison: map[string]bool{}}
		if i >= w.meddled && i < w.meddled+w.poisoned {
			if err := w.plantPoison(ctx, c); err != nil {
				return err
			}
		}
		w.customers = append(w.customers, c)
	}
	return nil
}

func (w *world) plantPoison(ctx context.Context, c *customer) error {
	conn, err := pgx.Connect(ctx, w.source)
	if err != nil {
		return err
	}
	defer conn.Close(ctx)
	rows, err := conn.Query(ctx, `
		with chosen as (
			select conversation_no, row_number() over (order by conversation_no) as n from crm.conversations where client = $1
		)
		update crm.conversations c set title = $2 || coalesce(c.title, '')
		from chosen x where x.conversation_no = c.conversation_no and x.n in ($3::int, $3::int + 1, $3::int + 150)
		returning c.conversation_no::text`, c.name, poison+" ", 10+w.dice.IntN(200))
	if err != nil {
		return err
	}
	planted, err := pgx.CollectRows(rows, pgx.RowTo[string])
	for _, id := range planted {
		c.poison[id] = true
	}
	return err
}

// openAccounts makes the accounts with their faults and writes the file that
// the worker reads.
func (w *world) openAccounts(ctx context.Context) error {
	lines := [][]string{{"customer", "destination", "account", "url", "plan_per_minute", "reserved_percent", "auth", "secret_ref"}}
	agents := map[string]any{}
	for _, spec := range samplecrm.Customers(w.plan.customers, w.tickets, w.comments) {
		agents[spec.ID] = samplecrm.Agents(spec)
	}
	for _, c := range w.customers {
		err := w.settings(ctx, c.account, map[string]any{
			"agents":          agents[c.name],
			"plan_per_minute": 2500, "time_scale": factor, "bulk_users": c.number%5 != 4, "ticket_fields": samplecrm.TicketFields(),
			"seconds_per_ticket": w.perTicket,
			"poison":             map[string]any{"marker": poison, "whole_batch": c.number%2 == 0},
			"faults":             w.faults(c.number), "seed": w.seed*1000 + uint64(c.number), "token_lifetime_seconds": 600,
		})
		if err != nil {
			return err
		}
		auth, secret := "bearer", "sandbox-"+c.account
		if usesOAuth(c.number) {
			auth, secret = "oauth_client_credentials", "farewell-"+c.account+":secret-"+c.account
		}
		file := filepath.Join(w.dir, "secret-"+c.account)
		if err := os.WriteFile(file, []byte(secret), 0o600); err != nil {
			return err
		}
		lines = append(lines, []string{c.name, migration.DestinationZendesk, c.account, w.url + "/accounts/" + c.account, "2500", "20", auth, "file:" + file})
	}
	var text bytes.Buffer
	if err := csv.NewWriter(&text).WriteAll(lines); err != nil {
		return err
	}
	return os.WriteFile(w.accountsFile(), text.Bytes(), 0o600)
}

func (w *world) accountsFile() string { return filepath.Join(w.dir, "accounts.csv") }

func (w *world) settings(ctx context.Context, account string, change map[string]any) error {
	return w.control(ctx, http.MethodPut, "accounts/"+account+"/settings", change, nil)
}

// control calls the sandbox's control API.
func (w *world) control(ctx context.Context, method, path string, in, out any) error {
	body, err := json.Marshal(in)
	if err != nil {
		return err
	}
	request, err := http.NewRequestWithContext(ctx, method, w.url+"/_sandbox/"+path, bytes.NewReader(body))
	if err != nil {
		return err
	}
	request.Header.Set("Content-Type", "application/json")
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		return err
	}
	if response.StatusCode >= http.StatusMultipleChoices {
		return fmt.Errorf("%s %s: %s: %s", method, path, response.Status, text)
	}
	if out == nil {
		return nil
	}
	return json.Unmarshal(text, out)
}

// environment is that of the product's programs, with the ledger at an address
// of its own: workers reach it through a wire.
func (w *world) environment(ledger string) []string {
	return []string{
		"PATH=" + os.Getenv("PATH"), "HOME=" + w.dir, "USER=chaos", "NO_COLOR=1",
		"FAREWELL_SOURCE_URL=" + w.source, "FAREWELL_LEDGER_URL=" + ledger, "FAREWELL_ACCOUNTS=" + w.accountsFile(),
		"FAREWELL_TASK_QUEUE=" + w.name, "FAREWELL_TIME_FACTOR=" + strconv.Itoa(factor), "TEMPORAL_ADDRESS=" + w.temporal, "TEMPORAL_NAMESPACE=default",
	}
}

// starter runs a command of the product's to its end.
func (w *world) starter(ctx context.Context, args ...string) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, 2*time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, w.programs+"/starter", args...)
	cmd.Dir, cmd.Env = w.dir, w.environment(w.ledger)
	out, err := cmd.Output()
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		return string(out), fmt.Errorf("starter %s: exit code %d: %s", strings.Join(args, " "), exit.ExitCode(), exit.Stderr)
	}
	return string(out), err
}
