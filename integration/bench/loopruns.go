package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"strconv"
	"time"

	"farewell/integration/database"
	"farewell/integration/programs"
)

// loopRun is what one run of the bare loop took.
type loopRun struct {
	looped
	speed float64
	cpu   time.Duration
}

// loop runs the bare loop into an account of its own.
func (b *bench) loop(ctx context.Context, s crm, lanes int) (r loopRun, err error) {
	a, err := b.open(ctx, b.name("loop"), noDelay, 0)
	if err != nil {
		return r, err
	}
	self, err := os.Executable()
	if err != nil {
		return r, err
	}
	out, cpu, err := programs.Run(ctx, []string{"BENCH_TOKEN=" + a.token}, self, loopCommand,
		"-source", s.url, "-customer", s.customer, "-account", a.url, "-lanes", strconv.Itoa(lanes))
	if err != nil {
		return r, err
	}
	if err := json.Unmarshal([]byte(out), &r.looped); err != nil {
		return r, err
	}
	r.speed, r.cpu = float64(s.tickets)/r.Seconds, cpu
	got, err := b.stats(ctx, a)
	if err == nil && got.Tickets != int64(s.tickets) {
		err = fmt.Errorf("the loop left %d tickets in the account, not %d", got.Tickets, s.tickets)
	}
	return r, errors.Join(err, b.sandbox.EmptyAccount(ctx, a.name), database.Flush(ctx, b.Postgres))
}
