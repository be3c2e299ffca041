package main

import (
	"context"
	"errors"
	"log/slog"
	"strconv"
	"time"

	"go.temporal.io/sdk/client"
	sdklog "go.temporal.io/sdk/log"

	"farewell/integration/database"
	"farewell/integration/programs"
	"farewell/migration"
)

// customer is what `sandbox fill` calls its only customer.
const customer = "customer-0001"

// product is a migration of one customer with the product's own programs.
type product struct {
	programs.Product
	b       *bench
	account account
	workers []*programs.Process
}

// fill makes a database on the server with one customer.
func (b *bench) fill(ctx context.Context, server string, tickets, comments int) (string, error) {
	url, err := database.Create(ctx, server, b.name("pace_crm"))
	if err != nil {
		return "", err
	}
	say("filling in a customer of %d tickets", tickets)
	_, _, err = programs.Run(ctx, nil, b.Programs+"/sandbox", "fill", "--source", url,
		"--customers", "1", "--tickets", strconv.Itoa(tickets), "--comments", strconv.Itoa(comments))
	return url, errors.Join(err, database.Execute(ctx, url, "vacuum analyze"))
}

// newProduct prepares settings and a ledger of its own; nothing runs yet.
func (b *bench) newProduct(ctx context.Context, source string, a account, scale float64, reserved int) (*product, error) {
	ledger, err := database.Create(ctx, b.Postgres, b.name("pace_ledger"))
	if err != nil {
		return nil, err
	}
	return b.productOn(ctx, ledger, source, a, scale, reserved)
}

// productOn is newProduct on a ledger that it may share with others.
func (b *bench) productOn(ctx context.Context, ledger, source string, a account, scale float64, reserved int) (*product, error) {
	p := &product{b: b, account: a, Product: programs.Product{
		Servers: b.Servers, Dir: b.dir, Source: source, Ledger: ledger, Accounts: b.dir + "/" + a.Name + ".csv", Queue: a.Name, Factor: scale,
		Further: []string{"FAREWELL_EGRESS=" + a.Name, "PACE_TOKEN=" + a.Token},
	}}
	line := []string{customer, migration.DestinationZendesk, a.Name, a.URL, strconv.Itoa(a.Plan), strconv.Itoa(reserved), "bearer", "env:PACE_TOKEN"}
	if err := p.WriteAccounts(line); err != nil {
		return nil, err
	}
	_, err := p.Starter(ctx, "setup")
	return p, err
}

// work starts so many workers and the migration.
func (p *product) work(ctx context.Context, workers int) error {
	for range workers {
		w, err := p.StartWorker(ctx, p.b.dir+"/"+p.b.name(p.account.Name)+".log")
		if err != nil {
			return err
		}
		p.workers = append(p.workers, w)
	}
	_, err := p.Starter(ctx, "start", customer, "--account", p.account.Name)
	return err
}

// finish waits for the migration's end.
func (p *product) finish(ctx context.Context, within time.Duration) (migration.Progress, error) {
	ctx, cancel := context.WithTimeout(ctx, within)
	defer cancel()
	var progress migration.Progress
	c, err := client.DialContext(ctx, client.Options{HostPort: p.Temporal, Logger: sdklog.NewStructuredLogger(slog.New(slog.DiscardHandler))})
	if err != nil {
		return progress, err
	}
	defer c.Close()
	m := migration.Migration{Customer: customer, Destination: migration.DestinationZendesk, Account: p.account.Name}
	err = c.GetWorkflow(ctx, m.WorkflowID(), "").Get(ctx, &progress)
	return progress, err
}

// end kills the workers, whatever they do.
func (p *product) end() {
	for _, w := range p.workers {
		w.Kill()
	}
	p.workers = nil
}
