package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"farewell/destination/csvbundle"
	"farewell/integration/database"
	"farewell/integration/programs"
	"farewell/migration"
)

// outcome is what one bundle took.
type outcome struct {
	seconds float64
	bytes   int64   // of the tables, unpacked or not
	peak    float64 // MB of the worker's memory, VmHWM
	phases  string
	cpu     time.Duration
}

// bundle makes one bundle with a worker and a ledger of its own, from
// `starter start` to completed, checks it, and deletes it.
func (b *bench) bundle(ctx context.Context, c crm, query string) (o outcome, err error) {
	b.runs++
	name := fmt.Sprintf("bundle-%d", b.runs)
	ledger, err := database.Create(ctx, b.Postgres, name)
	if err != nil {
		return o, err
	}
	defer func() { err = errors.Join(err, database.Drop(ctx, b.Postgres, name)) }()
	place := filepath.Join(b.dir, "bundles-"+name)
	defer func() { err = errors.Join(err, os.RemoveAll(place), database.Flush(ctx, b.Postgres)) }()
	// The worker's way to the source is psql's: TCP would cost both sides of it
	// another tenth, on ours alone.
	source, err := socketURL(ctx, c.url)
	if err != nil {
		return o, err
	}
	p := programs.Product{
		Servers: b.Servers, Dir: b.dir, Source: source, Ledger: ledger, Accounts: filepath.Join(b.dir, name+".csv"), Queue: name, Factor: 1,
	}
	if err := p.WriteAccounts([]string{customer, migration.DestinationCSV, name, "file://" + place + query, "", "", "", ""}); err != nil {
		return o, err
	}
	if _, err := p.Starter(ctx, "setup"); err != nil {
		return o, err
	}
	// Nobody else is served by this database, so the source is not spared.
	if _, err := p.Starter(ctx, "source", "set", "--governor", "off"); err != nil {
		return o, err
	}
	worker, err := p.StartWorker(ctx, filepath.Join(b.dir, name+".log"))
	if err != nil {
		return o, err
	}
	o.seconds, err = b.follow(ctx, p)
	if err != nil {
		worker.Kill()
		return o, err
	}
	u, err := worker.StopMeasured()
	if err != nil {
		return o, err
	}
	m := migration.Migration{Customer: customer, Destination: migration.DestinationCSV, Account: name}
	if o.phases, err = b.phases(ctx, m); err != nil {
		return o, err
	}
	o.peak, o.cpu = u.Peak, u.CPU
	found, err := csvbundle.Verify(ctx, filepath.Join(place, name))
	if err == nil && len(found.Problems) > 0 {
		err = fmt.Errorf("the bundle is not valid: %s", found.Problems[0])
	}
	o.bytes = found.Bytes
	return o, err
}

// follow starts the migration and waits for its end.
func (b *bench) follow(ctx context.Context, p programs.Product) (seconds float64, err error) {
	m := migration.Migration{Customer: customer, Destination: migration.DestinationCSV, Account: p.Queue}
	began := time.Now()
	if _, err := p.Starter(ctx, "start", customer, "--account", p.Queue); err != nil {
		return 0, err
	}
	var end migration.Progress
	if err := b.temporal.GetWorkflow(ctx, m.WorkflowID(), "").Get(ctx, &end); err != nil {
		return 0, fmt.Errorf("the migration failed: %w", err)
	}
	if end.State != migration.StateCompleted {
		return 0, fmt.Errorf("the migration ended as %s", end.State)
	}
	return time.Since(began).Seconds(), nil
}
