package main

import (
	"context"
	"fmt"
	"os"
	"strings"
	"time"

	"go.temporal.io/sdk/client"

	"farewell/integration/database"
	"farewell/integration/figures"
	"farewell/integration/programs"
)

// bench holds what all measurements share.
type bench struct {
	programs.Servers
	dir      string // logs and accounts files
	sandbox  *programs.Sandbox
	temporal client.Client
	large    crm
	small    crm
	runs     int // products and loops run so far, for names
}

// crm is a filled database with one customer.
type crm struct {
	url      string
	customer string
	tickets  int
	filled   string // what `sandbox fill` says of it
}

// customer is what `sandbox fill` calls its only customer.
const customer = "customer-0001"

func prepare(ctx context.Context, where programs.Servers) (b *bench, err error) {
	dir, err := os.MkdirTemp("", "farewell-bench-")
	if err != nil {
		return nil, err
	}
	made := &bench{Servers: where, dir: dir}
	b = made
	defer func() {
		if err != nil {
			made.close()
		}
	}()
	if b.temporal, err = client.Dial(client.Options{HostPort: where.Temporal, Logger: quiet()}); err != nil {
		return nil, fmt.Errorf("connect to Temporal: %w", err)
	}
	if b.sandbox, err = where.StartSandbox(ctx, dir+"/sandbox.log"); err != nil {
		return nil, err
	}
	if b.small, err = b.fill(ctx, "crm_small", fewTickets); err != nil {
		return nil, err
	}
	b.large, err = b.fill(ctx, "crm_large", tickets)
	return b, err
}

// fill makes a database with one customer.
func (b *bench) fill(ctx context.Context, name string, n int) (crm, error) {
	say("filling in a customer of %d tickets", n)
	url, err := database.Create(ctx, b.Postgres, name)
	if err != nil {
		return crm{}, err
	}
	out, _, err := programs.Run(ctx, nil, b.Programs+"/sandbox", "fill", "--source", url,
		"--customers", "1", "--tickets", fmt.Sprint(n), "--comments", fmt.Sprint(commentsPerTicket))
	if err != nil {
		return crm{}, err
	}
	if err := database.Execute(ctx, url, "vacuum analyze"); err != nil {
		return crm{}, err
	}
	lines := strings.Split(strings.TrimSpace(out), "\n")
	return crm{url: url, customer: customer, tickets: n, filled: lines[len(lines)-1]}, nil
}

func (b *bench) close() {
	if b.sandbox != nil {
		if err := b.sandbox.Stop(); err != nil {
			say("%v", err)
		}
	}
	if b.temporal != nil {
		b.temporal.Close()
	}
	if err := os.RemoveAll(b.dir); err != nil {
		say("%v", err)
	}
}

// name is a fresh one for an account and a database.
func (b *bench) name(what string) string {
	b.runs++
	return fmt.Sprintf("%s-%d", what, b.runs)
}

// measure does everything that the report speaks of.
func (b *bench) measure(ctx context.Context, r *figures.Report) error {
	if err := b.conditions(r); err != nil {
		return err
	}
	if err := b.measureSpeed(ctx, r); err != nil {
		return err
	}
	return b.measureActions(ctx, r)
}

// say tells a person what goes on.
func say(format string, args ...any) {
	fmt.Printf("%s  %s\n", time.Now().Format(time.TimeOnly), fmt.Sprintf(format, args...))
}
