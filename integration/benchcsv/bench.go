package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"slices"
	"time"

	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/log"

	"farewell/integration/database"
	"farewell/integration/figures"
	"farewell/integration/programs"
	"farewell/sandbox/samplecrm"
	"farewell/source"
)

// bench holds what all measurements share.
type bench struct {
	programs.Servers
	steps    []string
	dir      string // bundles, logs and accounts files
	temporal client.Client
	runs     int // so far, for names
}

// crm is a filled database with one customer.
type crm struct {
	url     string
	selects map[string]string // the statements of a bundle, by view
}

const customer = "customer-0001"

// longer makes the sample's short messages as long as those of real help desks,
// which quote what they answer to: about 600 bytes.
const longer = `update crm.messages set content = content || E'\n\n> ' || replace(content, E'\n', E'\n> ') || E'\n\n>> ' || replace(content, E'\n', E'\n>> ') || E'\n\n-- \nSent from the help desk of a company that is about to close its doors'`

func prepare(ctx context.Context, where programs.Servers, steps []string) (b *bench, err error) {
	dir, err := os.MkdirTemp("", "farewell-bench-csv-")
	if err != nil {
		return nil, err
	}
	b = &bench{Servers: where, steps: steps, dir: dir}
	if b.temporal, err = client.Dial(client.Options{HostPort: where.Temporal, Logger: quiet()}); err != nil {
		return nil, errors.Join(fmt.Errorf("connect to Temporal: %w", err), os.RemoveAll(dir))
	}
	return b, nil
}

func (b *bench) close() {
	b.temporal.Close()
	if err := os.RemoveAll(b.dir); err != nil {
		say("%v", err)
	}
}

// fill makes a database with one customer.
func (b *bench) fill(ctx context.Context, n int) (c crm, err error) {
	say("filling in a customer of %d tickets", n)
	if c.url, err = database.Create(ctx, b.Postgres, fmt.Sprintf("crm_%d", n)); err != nil {
		return c, err
	}
	spec := samplecrm.Spec{Seed: 1, Customers: []samplecrm.CustomerSpec{{
		ID: customer, Name: "Customer 1 Ltd", Organizations: 1000, Users: users, Tickets: n,
		CommentsPerTicket: commentsPerTicket, Destination: "csv",
	}}}
	if _, err := samplecrm.Fill(ctx, c.url, spec, func(int, int) {}); err != nil {
		return c, err
	}
	if err := database.Execute(ctx, c.url, longer); err != nil {
		return c, err
	}
	if err := database.Execute(ctx, c.url, "vacuum full analyze"); err != nil {
		return c, err
	}
	s, err := source.Open(ctx, source.Options{URL: c.url})
	if err != nil {
		return c, err
	}
	defer s.Close()
	c.selects, err = s.Selects(ctx, customer)
	return c, err
}

// measure does everything that the report speaks of.
func (b *bench) measure(ctx context.Context, r *figures.Report) error {
	if err := r.NoteMachine(); err != nil {
		return err
	}
	if err := b.measureSpeed(ctx, r); err != nil {
		return err
	}
	if slices.Contains(b.steps, "gigabyte") {
		if err := b.measureGigabyte(ctx, r); err != nil {
			return err
		}
	}
	if slices.Contains(b.steps, "memory") {
		return b.measureMemory(ctx, r)
	}
	return nil
}

// measureSpeed has ours, ours compressed and psql take turns.
func (b *bench) measureSpeed(ctx context.Context, r *figures.Report) error {
	if !slices.Contains(b.steps, "speed") && !slices.Contains(b.steps, "gzip") {
		return nil
	}
	c, err := b.fill(ctx, tickets)
	if err != nil {
		return err
	}
	for _, view := range views() {
		r.Note("%s: %s", view, c.selects[view])
	}
	var ours, packed, psql []float64
	var bytes int64
	for i := range pairs {
		p, err := b.psql(ctx, c)
		if err != nil {
			return err
		}
		o, err := b.bundle(ctx, c, "")
		if err != nil {
			return err
		}
		psql, ours, bytes = append(psql, p), append(ours, o.seconds), o.bytes
		r.Note("pair %d: psql %.2f s, ours %.2f s with %.2f s of the worker's CPU: %s", i+1, p, o.seconds, o.cpu.Seconds(), o.phases)
		say("pair %d: psql %.2f s, ours %.2f s, %.0f MB, peak %.0f MB: %s", i+1, p, o.seconds, float64(o.bytes)/1e6, o.peak, o.phases)
		if slices.Contains(b.steps, "gzip") {
			z, err := b.bundle(ctx, c, "?compress=gzip")
			if err != nil {
				return err
			}
			packed = append(packed, z.seconds)
			say("pair %d: gzip %.2f s", i+1, z.seconds)
		}
	}
	r.Check("csv_bytes", float64(bytes)/1e6, "MB", figures.AtLeast(250))
	r.Figure("psql_seconds", figures.Median(psql), "s")
	r.Figure("bundle_seconds", figures.Median(ours), "s")
	r.Figure("bundle_ratio", figures.Median(ours)/figures.Median(psql), "times psql")
	r.Check("bundle_seconds_less_allowance_ratio", (figures.Median(ours)-allowance.Seconds())/figures.Median(psql), "times psql", figures.AtMost(1))
	if packed != nil {
		r.Figure("gzip_seconds", figures.Median(packed), "s")
		r.Check("gzip_ratio", figures.Median(packed)/figures.Median(psql), "times psql", figures.AtMost(1.2))
	}
	return nil
}

func (b *bench) measureGigabyte(ctx context.Context, r *figures.Report) error {
	c, err := b.fill(ctx, gigabyteTickets)
	if err != nil {
		return err
	}
	var ours, psql []float64
	var bytes int64
	for range gigabytePairs {
		p, err := b.psql(ctx, c)
		if err != nil {
			return err
		}
		o, err := b.bundle(ctx, c, "")
		if err != nil {
			return err
		}
		psql, ours, bytes = append(psql, p), append(ours, o.seconds), o.bytes
		say("psql %.2f s, ours %.2f s, %.0f MB, peak %.0f MB: %s", p, o.seconds, float64(o.bytes)/1e6, o.peak, o.phases)
	}
	r.Check("gigabyte_csv_bytes", float64(bytes)/1e6, "MB", figures.AtLeast(1000))
	r.Check("gigabyte_ratio", figures.Median(ours)/figures.Median(psql), "times psql", figures.AtMost(1))
	return nil
}

func (b *bench) measureMemory(ctx context.Context, r *figures.Report) error {
	var peaks []float64
	for _, n := range []int{fewTickets, manyTickets} {
		c, err := b.fill(ctx, n)
		if err != nil {
			return err
		}
		o, err := b.bundle(ctx, c, "")
		if err != nil {
			return err
		}
		say("%d tickets: %.1f s, peak %.0f MB", n, o.seconds, o.peak)
		r.Check(fmt.Sprintf("worker_peak_%d_tickets", n), o.peak, "MB", figures.AtMost(100))
		peaks = append(peaks, o.peak)
	}
	r.Check("worker_peak_growth", peaks[1]/peaks[0], "times", figures.AtMost(1.2))
	return nil
}

// say tells a person what goes on.
func say(format string, args ...any) {
	fmt.Printf("%s  %s\n", time.Now().Format(time.TimeOnly), fmt.Sprintf(format, args...))
}

// quiet keeps the client's log out of the report.
func quiet() log.Logger { return log.NewStructuredLogger(slog.New(slog.DiscardHandler)) }
