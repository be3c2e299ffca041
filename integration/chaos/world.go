package main

import (
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"farewell/integration/database"
	"farewell/integration/programs"
	"farewell/migration"
	"farewell/sandbox/samplecrm"
)

// world is everything that a run has started.
type world struct {
	plan
	*programs.Stage
	out     io.Writer
	db      *pgxpool.Pool // the ledger, for looking at
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
func build(ctx context.Context, p plan, servers programs.Servers, out io.Writer) (made *world, err error) {
	stage, err := servers.NewStage(ctx, fmt.Sprintf("chaos_%d_%d", os.Getpid(), p.seed), factor)
	if err != nil {
		return nil, err
	}
	w := &world{plan: p, Stage: stage, out: out, dice: rand.New(rand.NewPCG(p.seed, 1)), fired: map[string]int{}, waited: map[string][]span{}}
	defer func() {
		if err != nil {
			w.close()
		}
	}()
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
	if w.db, err = pgxpool.New(ctx, w.Ledger+"&application_name=chaos"); err != nil {
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
	if w.db != nil {
		w.db.Close()
	}
	if err := w.Stage.Close(); err != nil {
		w.say("%v", err)
	}
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
	filled, err := samplecrm.Fill(ctx, w.Source, samplecrm.Spec{Customers: specs, Seed: w.seed}, nil)
	if err != nil {
		return err
	}
	w.say("%d tickets with %d comments of %d customers, filled in within %s", filled.Tickets, filled.Comments, filled.Customers, time.Since(began).Round(time.Second))
	err = database.Execute(ctx, w.Source, `create schema chaos; create table chaos.before (conversation_no bigint, title text not null, touched_at timestamptz not null); create index on chaos.before (conversation_no)`)
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
	conn, err := pgx.Connect(ctx, w.Source)
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
	var lines [][]string
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
		file := filepath.Join(w.Dir, "secret-"+c.account)
		if err := os.WriteFile(file, []byte(secret), 0o600); err != nil {
			return err
		}
		lines = append(lines, []string{c.name, migration.DestinationZendesk, c.account, w.Sandbox.AccountURL(c.account), "2500", "20", auth, "file:" + file})
	}
	return w.WriteAccounts(lines...)
}

func (w *world) settings(ctx context.Context, account string, change map[string]any) error {
	_, err := w.Sandbox.SetAccount(ctx, account, change)
	return err
}

// commandLimit is how long a command of the starter's may take.
const commandLimit = 2 * time.Minute

// starter runs a command of the product's to its end.
func (w *world) starter(ctx context.Context, args ...string) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, commandLimit)
	defer cancel()
	return w.Starter(ctx, args...)
}
