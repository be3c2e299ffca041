package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	"farewell/integration/programs"
	"farewell/migration"
	"farewell/sandbox/samplecrm"
)

// world is everything that a run has started.
type world struct {
	*programs.Stage
	out       io.Writer
	worker    *programs.Process
	customers []string
	agents    map[string]any // of each account
	seatless  int            // of the staff, who are not in the accounts
}

func (w *world) say(format string, args ...any) {
	fmt.Fprintf(w.out, time.Now().Format("15:04:05 ")+format+"\n", args...)
}

// build makes databases, sandbox, accounts and a worker.
func build(ctx context.Context, out io.Writer) (made *world, err error) {
	servers, err := programs.GivenServers("roundtrip")
	if err != nil {
		return nil, err
	}
	stage, err := servers.NewStage(ctx, fmt.Sprintf("roundtrip_%d", os.Getpid()), factor)
	if err != nil {
		return nil, err
	}
	w := &world{Stage: stage, out: out, agents: map[string]any{}}
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
		if _, err := w.Starter(ctx, command...); err != nil {
			return nil, err
		}
	}
	w.worker, err = w.StartWorker(ctx, filepath.Join(w.Dir, "worker.log"))
	return w, err
}

// close ends what was started; nothing of it is needed any more.
func (w *world) close() {
	if w.worker != nil {
		w.worker.Kill()
	}
	if err := w.Stage.Close(); err != nil {
		w.say("%v", err)
	}
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
	filled, err := samplecrm.Fill(ctx, w.Source, samplecrm.Spec{Customers: specs, Seed: 1}, nil)
	if err != nil {
		return err
	}
	n, err := plant(ctx, w.Source)
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
	var lines [][]string
	for _, customer := range w.customers {
		account := w.account(customer)
		err := w.settings(ctx, customer, map[string]any{
			"plan_per_minute": 2500, "time_scale": factor, "bulk_users": true, "ticket_fields": samplecrm.TicketFields(), "agents": w.agents[customer],
		})
		if err != nil {
			return err
		}
		file := filepath.Join(w.Dir, "secret-"+account)
		if err := os.WriteFile(file, []byte("sandbox-"+account), 0o600); err != nil {
			return err
		}
		lines = append(lines, []string{customer, migration.DestinationZendesk, account, w.Sandbox.AccountURL(account), "2500", "20", "bearer", "file:" + file})
	}
	return w.WriteAccounts(lines...)
}

// settings changes a customer's account.
func (w *world) settings(ctx context.Context, customer string, change map[string]any) error {
	_, err := w.Sandbox.SetAccount(ctx, w.account(customer), change)
	return err
}

// migrate brings everybody. That the files of the sample are listed as skipped
// is no failure.
func (w *world) migrate(ctx context.Context) error {
	_, err := w.Starter(ctx, "start", "--all", "--wait")
	return err
}
