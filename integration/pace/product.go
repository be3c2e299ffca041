package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"strconv"
	"time"

	"go.temporal.io/sdk/client"
	sdklog "go.temporal.io/sdk/log"

	"farewell/migration"
)

// customer is what `sandbox fill` calls its only customer.
const customer = "customer-0001"

// product is a migration of one customer with the product's own programs.
type product struct {
	b       *bench
	account account
	env     []string
	workers []*process
}

// fill makes a database on the server with one customer.
func (b *bench) fill(ctx context.Context, server string, tickets, comments int) (string, error) {
	url, err := createDatabase(ctx, server, b.name("pace_crm"))
	if err != nil {
		return "", err
	}
	say("filling in a customer of %d tickets", tickets)
	_, err = run(ctx, nil, b.programs+"/sandbox", "fill", "--source", url,
		"--customers", "1", "--tickets", strconv.Itoa(tickets), "--comments", strconv.Itoa(comments))
	return url, errors.Join(err, execute(ctx, url, "vacuum analyze"))
}

// newProduct prepares ledger and settings; nothing runs yet.
func (b *bench) newProduct(ctx context.Context, source string, a account, scale float64, reserved int) (*product, error) {
	ledger, err := createDatabase(ctx, b.postgres, b.name("pace_ledger"))
	if err != nil {
		return nil, err
	}
	file := b.dir + "/" + a.Name + ".csv"
	line := fmt.Sprintf("customer,destination,account,url,plan_per_minute,reserved_percent,auth,secret_ref\n%s,%s,%s,%s,%d,%d,bearer,env:PACE_TOKEN\n",
		customer, migration.DestinationZendesk, a.Name, a.URL, a.Plan, reserved)
	p := &product{b: b, account: a, env: []string{
		"FAREWELL_SOURCE_URL=" + source,
		"FAREWELL_LEDGER_URL=" + ledger,
		"FAREWELL_ACCOUNTS=" + file,
		"FAREWELL_EGRESS=" + a.Name,
		"FAREWELL_TASK_QUEUE=" + a.Name,
		"FAREWELL_TIME_FACTOR=" + strconv.FormatFloat(scale, 'f', -1, 64),
		"FAREWELL_ENV_FILE=" + os.DevNull, // not the development environment's
		"TEMPORAL_ADDRESS=" + b.temporal,
		"TEMPORAL_NAMESPACE=default",
		"PACE_TOKEN=" + a.Token,
		"HOME=" + b.dir,
	}}
	if err := os.WriteFile(file, []byte(line), 0o600); err != nil {
		return nil, err
	}
	return p, p.starter(ctx, "setup")
}

func (p *product) starter(ctx context.Context, args ...string) error {
	_, err := run(ctx, p.env, p.b.programs+"/starter", args...)
	return err
}

// work starts so many workers and the migration.
func (p *product) work(ctx context.Context, workers int) error {
	for range workers {
		w, _, err := start(ctx, p.b.dir+"/"+p.b.name(p.account.Name)+".log", "worker is ready", p.env, p.b.programs+"/worker")
		if err != nil {
			return err
		}
		p.workers = append(p.workers, w)
	}
	return p.starter(ctx, "start", customer, "--account", p.account.Name)
}

// finish waits for the migration's end.
func (p *product) finish(ctx context.Context, within time.Duration) (migration.Progress, error) {
	ctx, cancel := context.WithTimeout(ctx, within)
	defer cancel()
	var progress migration.Progress
	c, err := client.DialContext(ctx, client.Options{HostPort: p.b.temporal, Logger: sdklog.NewStructuredLogger(slog.New(slog.DiscardHandler))})
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
		if err := w.kill(); err != nil {
			say("%v", err)
		}
	}
	p.workers = nil
}
