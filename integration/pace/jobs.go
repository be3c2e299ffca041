package main

import (
	"context"
	"time"

	"farewell/integration/figures"
)

const (
	jobSeconds = 0.15 // for each ticket, as recorded
	openJobs   = 25
	jobTickets = 24_000
)

// measureJobs lets jobs be the limit: how much of what 25 open jobs allow does
// a migration move, with two workers that share them?
func measureJobs(ctx context.Context, b *bench, r *report) error {
	source, err := b.fill(ctx, b.Postgres, jobTickets, 1)
	if err != nil {
		return err
	}
	a, err := b.sandbox.open(ctx, b.name("jobs"), 700, 1, map[string]any{"seconds_per_ticket": jobSeconds})
	if err != nil {
		return err
	}
	p, err := b.newProduct(ctx, source, a, 1, 0)
	if err != nil {
		return err
	}
	defer p.end()
	// Source, ledger, account and workers share the machine here: the governor
	// would spare the source for load that is not its own.
	if _, err := p.Starter(ctx, "source", "set", "--governor", "off"); err != nil {
		return err
	}
	if err := p.work(ctx, 2); err != nil {
		return err
	}
	const most = openJobs * 100 / (105 * jobSeconds) // tickets a second: a job waits as long as five tickets take
	if err := a.awaitTickets(ctx, 4_000, 10*time.Minute); err != nil {
		return err
	}
	const during = 90 * time.Second
	before, err := a.stats(ctx, time.Now())
	if err != nil {
		return err
	}
	began := time.Now()
	pause(ctx, during)
	after, err := a.stats(ctx, time.Now())
	if err != nil {
		return err
	}
	speed := float64(after.Tickets-before.Tickets) / time.Since(began).Seconds()
	r.Check("jobs_tickets_per_second_of_what_25_jobs_allow", 100*speed/most, "%", figures.AtLeast(90))
	r.Check("jobs_most_open", float64(after.PeakJobs), "jobs", figures.AtMost(openJobs))
	r.Check("jobs_answers_429", float64(after.Refused), "answers", figures.AtMost(0))
	return ctx.Err()
}

// awaitTickets waits until the account holds so many.
func (a account) awaitTickets(ctx context.Context, n int64, within time.Duration) error {
	ctx, cancel := context.WithTimeout(ctx, within)
	defer cancel()
	for {
		s, err := a.stats(ctx, time.Now())
		if err != nil || s.Tickets >= n {
			return err
		}
		pause(ctx, time.Second)
	}
}
