package main

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"time"

	"farewell/integration/database"
	"farewell/integration/programs"
	"farewell/migration"
)

// trial says how the product is run.
type trial struct {
	source    crm
	scale     float64 // how much faster than Zendesk the account and our waits are
	perTicket float64 // seconds that a job takes for a ticket, before scaling
}

// outcome is what one migration took.
type outcome struct {
	seconds  float64
	usage    programs.Usage // of the worker
	requests stats
	history  history
	actions  actions
	progress migration.Progress
}

func (o outcome) speed() float64 { return float64(o.requests.Tickets) / o.seconds }

// migrate runs one migration with a worker, a ledger and an account of its own,
// from `starter start` to its end.
func (b *bench) migrate(ctx context.Context, t trial) (o outcome, err error) {
	name := b.name("ours")
	ledger, err := database.Create(ctx, b.Postgres, name)
	if err != nil {
		return o, err
	}
	defer func() { err = errors.Join(err, database.Drop(ctx, b.Postgres, name)) }()
	a, err := b.open(ctx, name, t.scale, t.perTicket)
	if err != nil {
		return o, err
	}
	p, err := b.product(t, a, ledger)
	if err != nil {
		return o, err
	}
	if _, err := p.Starter(ctx, "setup"); err != nil {
		return o, err
	}
	// The loop beside which we are measured spares the source nothing either.
	if _, err := p.Starter(ctx, "source", "set", "--governor", "off"); err != nil {
		return o, err
	}
	worker, err := p.StartWorker(ctx, b.dir+"/"+name+".log")
	if err != nil {
		return o, err
	}
	err = b.follow(ctx, &o, p, t)
	o.usage, err = stopped(worker, err)
	if err != nil {
		return o, err
	}
	if o.requests, err = b.stats(ctx, a); err != nil {
		return o, err
	}
	return o, errors.Join(o.check(t.source), b.sandbox.EmptyAccount(ctx, a.name), database.Flush(ctx, b.Postgres))
}

// product is worker and starter of a trial, whose account has the trial's name.
func (b *bench) product(t trial, a account, ledger string) (programs.Product, error) {
	p := programs.Product{
		Servers: b.Servers, Dir: b.dir, Source: t.source.url, Ledger: ledger, Accounts: b.dir + "/" + a.name + ".csv",
		Queue: a.name, Factor: t.scale, Further: []string{"BENCH_TOKEN=" + a.token},
	}
	return p, p.WriteAccounts([]string{t.source.customer, migration.DestinationZendesk, a.name, a.url, strconv.Itoa(plenty), "0", "bearer", "env:BENCH_TOKEN"})
}

// follow starts the migration and waits for its end.
func (b *bench) follow(ctx context.Context, o *outcome, p programs.Product, t trial) error {
	m := migration.Migration{Customer: t.source.customer, Destination: migration.DestinationZendesk, Account: p.Queue}
	before, err := b.readActions(ctx)
	if err != nil {
		return err
	}
	began := time.Now()
	if _, err := p.Starter(ctx, "start", t.source.customer, "--account", p.Queue); err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, trialLimit)
	defer cancel()
	if err := b.temporal.GetWorkflow(ctx, m.WorkflowID(), "").Get(ctx, &o.progress); err != nil {
		return fmt.Errorf("the migration did not complete within %s; a wait for an operator ends nothing: %w", trialLimit, err)
	}
	o.seconds = time.Since(began).Seconds()
	after, err := b.readActions(ctx)
	if err != nil {
		return err
	}
	o.actions = after.since(before)
	o.history, err = b.readHistory(ctx, m)
	return err
}

// stopped ends the worker, whatever happened before.
func stopped(worker *programs.Process, err error) (programs.Usage, error) {
	if err != nil {
		worker.Kill()
		return programs.Usage{}, err
	}
	return worker.StopMeasured()
}

// check refuses figures of a run that did not do its work.
func (o outcome) check(s crm) error {
	switch {
	case o.progress.State != migration.StateCompleted:
		return fmt.Errorf("the migration ended as %s", o.progress.State)
	case o.requests.Tickets != int64(s.tickets):
		return fmt.Errorf("the account holds %d tickets, not %d", o.requests.Tickets, s.tickets)
	case o.requests.Refused > 0:
		return fmt.Errorf("%d requests were refused by a rate limit that should be off", o.requests.Refused)
	case o.requests.Duplicates["tickets"] > 0:
		return fmt.Errorf("%d tickets are in the account twice", o.requests.Duplicates["tickets"])
	}
	return nil
}
