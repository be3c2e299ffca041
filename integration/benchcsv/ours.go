package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"farewell/destination/csvbundle"
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
	ledger, err := createDatabase(ctx, b.postgres, name)
	if err != nil {
		return o, err
	}
	defer func() { err = errors.Join(err, dropDatabase(ctx, b.postgres, name)) }()
	place := filepath.Join(b.dir, "bundles-"+name)
	defer func() { err = errors.Join(err, os.RemoveAll(place), flush(ctx, b.postgres)) }()
	accounts := filepath.Join(b.dir, name+".csv")
	line := strings.Join([]string{customer, migration.DestinationCSV, name, "file://" + place + query, "", "", "", ""}, ",")
	err = os.WriteFile(accounts, []byte("customer,destination,account,url,plan_per_minute,reserved_percent,auth,secret_ref\n"+line+"\n"), 0o600)
	if err != nil {
		return o, err
	}
	// The worker's way to the source is psql's: TCP would cost both sides of it
	// another tenth, on ours alone.
	source, err := socketURL(ctx, c.url)
	if err != nil {
		return o, err
	}
	env := []string{
		"FAREWELL_SOURCE_URL=" + source, "FAREWELL_LEDGER_URL=" + ledger, "FAREWELL_ACCOUNTS=" + accounts,
		"FAREWELL_TASK_QUEUE=" + name, "FAREWELL_LOG_LEVEL=info", "TEMPORAL_ADDRESS=" + b.places.temporal, "TEMPORAL_NAMESPACE=default", "HOME=" + b.dir,
	}
	if _, _, err := run(ctx, env, b.programs+"/starter", "setup"); err != nil {
		return o, err
	}
	// Nobody else is served by this database, so the source is not spared.
	if _, _, err := run(ctx, env, b.programs+"/starter", "source", "set", "--governor", "off"); err != nil {
		return o, err
	}
	worker, _, err := start(ctx, filepath.Join(b.dir, name+".log"), "worker is ready", env, b.programs+"/worker")
	if err != nil {
		return o, err
	}
	o.seconds, err = b.follow(ctx, name, env)
	if err != nil {
		return o, errors.Join(err, worker.kill())
	}
	u, err := worker.stop()
	if err != nil {
		return o, err
	}
	m := migration.Migration{Customer: customer, Destination: migration.DestinationCSV, Account: name}
	if o.phases, err = b.phases(ctx, m); err != nil {
		return o, err
	}
	o.peak, o.cpu = u.peak, u.cpu
	found, err := csvbundle.Verify(ctx, filepath.Join(place, name))
	if err == nil && len(found.Problems) > 0 {
		err = fmt.Errorf("the bundle is not valid: %s", found.Problems[0])
	}
	o.bytes = found.Bytes
	return o, err
}

// follow starts the migration and waits for its end.
func (b *bench) follow(ctx context.Context, account string, env []string) (seconds float64, err error) {
	m := migration.Migration{Customer: customer, Destination: migration.DestinationCSV, Account: account}
	began := time.Now()
	if _, _, err := run(ctx, env, b.programs+"/starter", "start", customer, "--account", account); err != nil {
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
