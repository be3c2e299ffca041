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
	benchScale   = 10  // of pgbench's tables: 1 million accounts, more than its cache of 128 MB
	benchClients = 8   // of pgbench
	benchPart    = 0.3 // of the maximum rate

	sourceTickets = 160_000 // of each migration: more than are moved while pgbench runs
	// sourceWorkers have a migration each, of the same customer to accounts of
	// their own. Two workers of one migration may stand still together (see
	// docs/pace.md), and then there would be nothing to govern.
	sourceWorkers = 2
	sourceRounds  = 3 // each with the governor, and then without it
	sourceAlone   = 12 * time.Second
	sourceStart   = 60 * time.Second // in which the migrations come to their tickets
	// The phases are long against the governor's decisions, short against what
	// else changes on a machine: both cases see the same of that. In the one
	// without the governor much more is moved.
	sourceGoverned = 10 * time.Second
	sourceFree     = 8 * time.Second
	// sourceSettle is left out of each phase: workers follow a switch within a
	// second, and then pgbench is still late by what it could not do before.
	sourceSettle = 5 * time.Second
	// sourceScale is how much faster than Zendesk the accounts are: their jobs
	// allow 4,000 tickets a second each, where Zendesk's allow 160, so that two
	// read as much as fifty would. A rate window is then 2.4 s, long against a
	// grant of the ledger's beside a busy disk.
	sourceScale = 25.0
	plenty      = 1_000_000

	// finishWithin is how long the migrations may take.
	finishWithin = 15 * time.Minute
)

// measureSource reads from a database that serves somebody else: how much later
// do their queries answer, without the governor and with it? It is switched on
// and off while the migrations go on, so that whatever else changes with time
// meets both.
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
	all, err := c.transactions(ctx, name, 8*time.Second, 0)
	if err != nil {
		return err
	}
	top := rateOf(all)
	r.Figure("source_pgbench_maximum", top, "transactions/s")
	g, err := b.beside(ctx, c, source, name, top*benchPart)
	if err != nil {
		return err
	}
	g.report(r)
	return nil
}

// beside is what pgbench and the migrations did beside each other.
type beside struct {
	products       []*product
	alone          float64        // p95, milliseconds
	governed, free []float64      // likewise, of each phase
	moved          map[bool]int64 // tickets, with the governor and without
	took           time.Duration
}

func (g *beside) report(r *report) {
	alone, governed, free := g.alone, figures.Median(g.governed), figures.Median(g.free)
	r.Figure("source_pgbench_p95_alone", alone, "ms")
	r.Figure("source_pgbench_p95_without_governor", free, "ms")
	r.Figure("source_pgbench_p95_with_governor", governed, "ms")
	r.Figure("source_tickets_without_governor", float64(g.moved[false])/(sourceRounds*sourceFree).Seconds(), "tickets/s")
	r.Figure("source_tickets_with_governor", float64(g.moved[true])/(sourceRounds*sourceGoverned).Seconds(), "tickets/s")
	r.Check("source_case_is_heavy_enough", free/alone, "times the p95 alone", figures.AtLeast(2))
	r.Check("source_added_p95_gone", 100*(1-(governed-alone)/(free-alone)), "%", figures.AtLeast(50))
	r.Check("source_governed_migration_finishes", g.took.Seconds(), "s", figures.AtMost(finishWithin.Seconds()))
}

// phase is a time in which pgbench's transactions are judged.
type phase struct {
	governed    bool
	from, until time.Time
}

// beside lets pgbench run alone, and then beside migrations.
func (b *bench) beside(ctx context.Context, c *cluster, source, name string, rate float64) (*beside, error) {
	g := &beside{moved: make(map[bool]int64)}
	defer func() {
		for _, p := range g.products {
			p.end()
		}
	}()
	if err := b.prepareBeside(ctx, g, source); err != nil {
		return nil, err
	}
	// The customers' service was there first.
	began := time.Now()
	type result struct {
		took []transaction
		err  error
	}
	ended := make(chan result, 1)
	go func() {
		took, err := c.transactions(ctx, name, sourceAlone+sourceStart+sourceRounds*(sourceGoverned+sourceFree), rate)
		ended <- result{took, err}
	}()
	pause(ctx, sourceAlone)
	started := time.Now()
	phases, err := g.phases(ctx)
	got := <-ended
	if err := errors.Join(err, got.err, ctx.Err()); err != nil {
		return nil, err
	}
	g.alone = p95(got.took, began, started)
	for _, f := range phases {
		late := p95(got.took, f.from, f.until)
		say("governor %s: p95 %.2f ms", onOff(f.governed), late)
		if f.governed {
			g.governed = append(g.governed, late)
		} else {
			g.free = append(g.free, late)
		}
	}
	err = g.finish(ctx)
	g.took = time.Since(started)
	return g, err
}

func (b *bench) prepareBeside(ctx context.Context, g *beside, source string) error {
	ledger, err := database.Create(ctx, b.Postgres, b.name("pace_ledger"))
	if err != nil {
		return err
	}
	for range sourceWorkers {
		a, err := b.sandbox.open(ctx, b.name("source"), plenty, sourceScale, map[string]any{"seconds_per_ticket": jobSeconds})
		if err != nil {
			return err
		}
		p, err := b.productOn(ctx, ledger, source, a, sourceScale, 0)
		if err != nil {
			return err
		}
		g.products = append(g.products, p)
	}
	// What was filled in would otherwise be brought to the disk meanwhile.
	return errors.Join(database.Flush(ctx, source), database.Flush(ctx, b.Postgres))
}

// phases starts the migrations and switches the governor on and off. In the end
// it is on.
func (g *beside) phases(ctx context.Context) ([]phase, error) {
	for _, p := range g.products {
		if err := p.work(ctx, 1); err != nil {
			return nil, err
		}
	}
	for _, p := range g.products {
		if err := p.account.awaitTickets(ctx, 500, sourceStart); err != nil {
			return nil, err
		}
	}
	before, err := g.tickets(ctx, 0)
	if err != nil {
		return nil, err
	}
	var phases []phase
	for i := range 2 * sourceRounds {
		governed, long := true, sourceGoverned
		if i%2 == 1 {
			governed, long = false, sourceFree
		}
		if err := g.govern(ctx, governed); err != nil {
			return nil, err
		}
		from := time.Now()
		pause(ctx, long)
		after, err := g.tickets(ctx, i+1)
		if err != nil {
			return nil, err
		}
		say("governor %s: %d tickets in %s", onOff(governed), after-before, long)
		g.moved[governed] += after - before
		before = after
		phases = append(phases, phase{governed, from.Add(sourceSettle), time.Now()})
	}
	return phases, g.govern(ctx, true)
}

// govern switches the governor on or off.
func (g *beside) govern(ctx context.Context, on bool) error {
	_, err := g.products[0].Starter(ctx, "source", "set", "--governor", onOff(on))
	return err
}

func onOff(on bool) string {
	if on {
		return "on"
	}
	return "off"
}

// tickets are those that were moved so far. A migration that has none left
// would make the case a lighter one.
func (g *beside) tickets(ctx context.Context, phases int) (all int64, err error) {
	for _, p := range g.products {
		s, err := p.account.stats(ctx, time.Now())
		if err != nil {
			return 0, err
		}
		if s.Tickets >= sourceTickets {
			return 0, fmt.Errorf("a migration ended too soon, after %d phases: the case measures nothing, make it larger", phases)
		}
		all += s.Tickets
	}
	return all, nil
}

// finish waits for the migrations' ends.
func (g *beside) finish(ctx context.Context) error {
	for _, p := range g.products {
		progress, err := p.finish(ctx, finishWithin)
		if err == nil && progress.State != migration.StateCompleted {
			err = fmt.Errorf("the migration ended as %s", progress.State)
		}
		if err := errors.Join(err, p.account.EmptyAccount(ctx, p.account.Name)); err != nil {
			return err
		}
	}
	return nil
}

// rateOf is how many transactions there were a second.
func rateOf(all []transaction) float64 {
	first, last := math.Inf(1), 0.0
	for _, t := range all {
		first, last = min(first, t.ended), max(last, t.ended)
	}
	return float64(len(all)) / max(1, last-first)
}

// p95 is how long 95 of 100 transactions took at most, in milliseconds, of those
// that ended between two times.
func p95(all []transaction, from, until time.Time) float64 {
	var took []float64
	for _, t := range all {
		if t.ended > seconds(from) && t.ended < seconds(until) {
			took = append(took, t.took)
		}
	}
	if len(took) == 0 {
		return math.NaN()
	}
	slices.Sort(took)
	return took[int(math.Ceil(0.95*float64(len(took))))-1]
}

func seconds(t time.Time) float64 { return float64(t.UnixNano()) / 1e9 }

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
