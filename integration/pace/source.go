package main

import (
	"context"
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"farewell/integration/database"
	"farewell/integration/figures"
	"farewell/migration"
)

const (
	benchScale    = 10  // of pgbench's tables: 1 million accounts, more than its cache of 128 MB
	benchClients  = 8   // of pgbench
	benchPart     = 0.3 // of the maximum rate
	sourceTickets = 200_000
	sourceFor     = 15 * time.Second
	sourceBefore  = 25 * time.Second // in which workers start and the migration comes to its tickets
	// noDelay makes the sandbox answer at once, so that nothing but the source
	// and the governor hold the migration back.
	noDelay = 1000.0
	plenty  = 1_000_000
)

// measureSource reads from a database that serves somebody else: how much later
// do their queries answer, without the governor and with it?
func measureSource(ctx context.Context, b *bench, r *report) error {
	c, err := startCluster(ctx)
	if err != nil {
		return err
	}
	defer func() {
		if err := c.stop(); err != nil {
			say("%v", err)
		}
	}()
	source, err := b.fill(ctx, c.url, sourceTickets, 4)
	if err != nil {
		return err
	}
	name := source[strings.LastIndex(source, "/")+1:]
	name, _, _ = strings.Cut(name, "?")
	if _, err := c.pgbench(ctx, name, "-i", "-q", "-s", strconv.Itoa(benchScale)); err != nil {
		return err
	}
	top, err := c.load(ctx, name, 10*time.Second, 0)
	if err != nil {
		return err
	}
	rate := top.rate * benchPart
	r.Figure("source_pgbench_maximum", top.rate, "transactions/s")
	alone, err := c.load(ctx, name, sourceFor, rate)
	if err != nil {
		return err
	}
	free, _, err := b.underLoad(ctx, c, source, name, rate, false)
	if err != nil {
		return err
	}
	governed, took, err := b.underLoad(ctx, c, source, name, rate, true)
	if err != nil {
		return err
	}
	r.Figure("source_pgbench_p95_alone", alone.p95, "ms")
	r.Figure("source_pgbench_p95_without_governor", free.p95, "ms")
	r.Figure("source_pgbench_p95_with_governor", governed.p95, "ms")
	r.Check("source_case_is_heavy_enough", free.p95/alone.p95, "times the p95 alone", figures.AtLeast(2))
	r.Check("source_added_p95_gone", 100*(1-(governed.p95-alone.p95)/(free.p95-alone.p95)), "%", figures.AtLeast(50))
	r.Check("source_governed_migration_finishes", took.Seconds(), "s", figures.AtMost(finishWithin.Seconds()))
	return nil
}

// finishWithin is how long the governed migration may take.
const finishWithin = 15 * time.Minute

// underLoad runs pgbench beside a migration, and lets a governed one finish.
func (b *bench) underLoad(ctx context.Context, c *cluster, source, name string, rate float64, governed bool) (l load, took time.Duration, err error) {
	a, err := b.sandbox.open(ctx, b.name("source"), plenty, noDelay, nil)
	if err != nil {
		return l, 0, err
	}
	p, err := b.newProduct(ctx, source, a, noDelay, 0)
	if err != nil {
		return l, 0, err
	}
	defer p.end()
	// What was filled in, and what the case before has written, would otherwise
	// be brought to the disk while this one is measured.
	if err := errors.Join(database.Flush(ctx, source), database.Flush(ctx, b.Postgres)); err != nil {
		return l, 0, err
	}
	word := "on"
	if !governed {
		word = "off"
	}
	if _, err := p.Starter(ctx, "source", "set", "--governor", word); err != nil {
		return l, 0, err
	}
	// The product was there first: pgbench runs before the migration begins.
	began := time.Now()
	type result struct {
		took []transaction
		err  error
	}
	ended := make(chan result, 1)
	go func() {
		took, err := c.transactions(ctx, name, sourceBefore+sourceFor, rate)
		ended <- result{took, err}
	}()
	err = p.work(ctx, 2)
	if err == nil {
		err = a.awaitTickets(ctx, 500, sourceBefore)
	}
	from := time.Now()
	pause(ctx, sourceFor)
	during, statsErr := a.stats(ctx, time.Now())
	until := time.Now()
	got := <-ended
	if err := errors.Join(err, statsErr, got.err); err != nil {
		return l, 0, err
	}
	l = loadOf(got.took, from, until)
	say("governor %s: %d tickets were moved after %s, p95 %.2f ms", word, during.Tickets, sourceFor, l.p95)
	if during.Tickets >= sourceTickets {
		return l, 0, errors.New("the migration ended too soon: the case measures nothing, make it larger")
	}
	progress, err := p.finish(ctx, finishWithin)
	if err == nil && progress.State != migration.StateCompleted {
		err = fmt.Errorf("the migration ended as %s", progress.State)
	}
	took = time.Since(began)
	say("governor %s: the migration took %s", word, took.Round(time.Second))
	return l, took, errors.Join(err, a.EmptyAccount(ctx, a.Name))
}

// load is what pgbench measured.
type load struct {
	rate float64 // transactions a second
	p95  float64 // milliseconds
}

// load runs pgbench's own transactions, at most so many a second (0: as many
// as it can).
func (c *cluster) load(ctx context.Context, name string, d time.Duration, rate float64) (load, error) {
	took, err := c.transactions(ctx, name, d, rate)
	if err != nil {
		return load{}, err
	}
	return loadOf(took, time.Time{}, time.Now()), nil
}

// loadOf judges the transactions that ended between two times.
func loadOf(all []transaction, from, until time.Time) load {
	var took []float64
	first, last := math.Inf(1), 0.0
	for _, t := range all {
		if t.ended > float64(from.Unix()) && t.ended < float64(until.Unix()) {
			took = append(took, t.took)
			first, last = min(first, t.ended), max(last, t.ended)
		}
	}
	if len(took) == 0 {
		return load{}
	}
	slices.Sort(took)
	return load{
		rate: float64(len(took)) / max(1, last-first),
		p95:  took[int(math.Ceil(0.95*float64(len(took))))-1],
	}
}

// transaction is one in pgbench's log.
type transaction struct {
	took  float64 // milliseconds
	ended float64 // seconds since 1970
}

func (c *cluster) transactions(ctx context.Context, name string, d time.Duration, rate float64) ([]transaction, error) {
	logs, err := os.MkdirTemp(c.dir, "log-")
	if err != nil {
		return nil, err
	}
	if err := os.Chmod(logs, 0o777); err != nil { //nolint:gosec // pgbench runs as somebody else
		return nil, err
	}
	args := []string{"-n", "-c", strconv.Itoa(benchClients), "-j", "2", "-T", strconv.Itoa(int(d.Seconds())), "-l", "--log-prefix", logs + "/t"}
	if rate > 0 {
		args = append(args, "-R", strconv.FormatFloat(rate, 'f', 1, 64))
	}
	if _, err := c.pgbench(ctx, name, args...); err != nil {
		return nil, err
	}
	took, err := readTransactions(logs)
	if err == nil && len(took) == 0 {
		err = errors.New("pgbench made no transaction")
	}
	return took, err
}

func (c *cluster) pgbench(ctx context.Context, name string, args ...string) (string, error) {
	cmd := c.command("pgbench", append([]string{"-h", "127.0.0.1", "-p", strconv.Itoa(c.port), "-U", "postgres"}, append(args, name)...)...)
	out, err := cmd.CombinedOutput()
	if err != nil {
		err = fmt.Errorf("pgbench: %w\n%s", err, out)
	}
	return string(out), errors.Join(err, ctx.Err())
}

// readTransactions reads pgbench's log: client, number, microseconds taken,
// script, and the end in seconds and microseconds since 1970.
func readTransactions(folder string) ([]transaction, error) {
	files, err := filepath.Glob(folder + "/t*")
	if err != nil {
		return nil, err
	}
	var all []transaction
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			return nil, err
		}
		for line := range strings.Lines(string(text)) {
			var client, number, took, script, second, micro int64
			if _, err := fmt.Sscan(line, &client, &number, &took, &script, &second, &micro); err != nil {
				return nil, fmt.Errorf("%s: %w", file, err)
			}
			all = append(all, transaction{took: float64(took) / 1000, ended: float64(second) + float64(micro)/1e6})
		}
	}
	return all, nil
}
