package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strconv"
	"time"

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
	usage    usage // of the worker
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
	ledger, err := createDatabase(ctx, b.postgres, name)
	if err != nil {
		return o, err
	}
	defer func() { err = errors.Join(err, dropDatabase(ctx, b.postgres, name)) }()
	a, err := b.sandbox.open(ctx, name, t.scale, t.perTicket)
	if err != nil {
		return o, err
	}
	env, err := b.settings(t, a, ledger)
	if err != nil {
		return o, err
	}
	if _, _, err := run(ctx, env, b.programs+"/starter", "setup"); err != nil {
		return o, err
	}
	// The loop beside which we are measured spares the source nothing either.
	if _, _, err := run(ctx, env, b.programs+"/starter", "source", "set", "--governor", "off"); err != nil {
		return o, err
	}
	worker, _, err := start(ctx, b.dir+"/"+name+".log", "worker is ready", env, b.programs+"/worker")
	if err != nil {
		return o, err
	}
	err = b.follow(ctx, &o, t, a, env)
	o.usage, err = stopped(worker, err)
	if err != nil {
		return o, err
	}
	if o.requests, err = a.stats(ctx); err != nil {
		return o, err
	}
	return o, errors.Join(o.check(t.source), a.empty(ctx), flush(ctx, b.postgres))
}

// settings is the environment of the product's programs.
func (b *bench) settings(t trial, a account, ledger string) ([]string, error) {
	file := b.dir + "/" + a.name + ".csv"
	err := os.WriteFile(file, fmt.Appendf(nil, "customer,destination,account,url,plan_per_minute,reserved_percent,auth,secret_ref\n%s,%s,%s,%s,%d,0,bearer,env:BENCH_TOKEN\n",
		t.source.customer, migration.DestinationZendesk, a.name, a.url, plenty), 0o600)
	return []string{
		"FAREWELL_SOURCE_URL=" + t.source.url,
		"FAREWELL_LEDGER_URL=" + ledger,
		"FAREWELL_ACCOUNTS=" + file,
		"FAREWELL_TASK_QUEUE=" + a.name,
		"FAREWELL_TIME_FACTOR=" + strconv.FormatFloat(t.scale, 'f', -1, 64),
		"FAREWELL_LOG_LEVEL=info",
		"FAREWELL_ENV_FILE=" + os.DevNull, // not the development environment's
		"TEMPORAL_ADDRESS=" + b.places.temporal,
		"TEMPORAL_NAMESPACE=default",
		"BENCH_TOKEN=" + a.token,
		"HOME=" + b.dir,
	}, err
}

// follow starts the migration and waits for its end.
func (b *bench) follow(ctx context.Context, o *outcome, t trial, a account, env []string) error {
	m := migration.Migration{Customer: t.source.customer, Destination: migration.DestinationZendesk, Account: a.name}
	before, err := b.readActions(ctx)
	if err != nil {
		return err
	}
	began := time.Now()
	if _, _, err := run(ctx, env, b.programs+"/starter", "start", t.source.customer, "--account", a.name); err != nil {
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
func stopped(worker *process, err error) (usage, error) {
	if err != nil {
		return usage{}, errors.Join(err, worker.kill())
	}
	return worker.stop()
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
