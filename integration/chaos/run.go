package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"sync"
	"time"

	"farewell/integration/chaos/judge"
	"farewell/integration/programs"
)

// run does everything and fails when an aim is missed.
func (p plan) run(ctx context.Context, out io.Writer) (err error) {
	ctx, cancel := context.WithTimeout(ctx, p.limit)
	defer cancel()
	where, err := programs.GivenServers("chaos")
	if err != nil {
		return err
	}
	w, err := build(ctx, p, where, out)
	if err != nil {
		return err
	}
	defer w.close()
	began := time.Now()
	if err := w.migrate(ctx); err != nil {
		return err
	}
	w.say("every migration has ended after %s", time.Since(began).Round(time.Second))
	if err := w.settleDown(ctx); err != nil {
		return err
	}
	verdict, err := w.judge(ctx)
	if err != nil {
		return err
	}
	w.say("the judge: %d lost, %d duplicated, %d misreported of %d tickets", verdict.Lost, verdict.Duplicated, verdict.Misreported, verdict.Tickets)
	return w.report(ctx, verdict, time.Since(began))
}

// migrate starts every customer and disturbs them until the last has ended.
func (w *world) migrate(ctx context.Context) error {
	var beside sync.WaitGroup
	quiet := make(chan struct{})
	beside.Go(func() { w.act(ctx, quiet) })
	beside.Go(func() { w.meddle(ctx, quiet) })
	beside.Go(func() { w.operate(ctx, quiet) })
	beside.Go(func() { w.listen(ctx, quiet) })
	err := w.startAll(ctx)
	close(quiet)
	beside.Wait()
	return err
}

// startAll keeps so many migrations under way until all have ended.
func (w *world) startAll(ctx context.Context) error {
	started := 0
	for {
		resting, err := w.resting(ctx)
		if err != nil && ctx.Err() == nil {
			wait(ctx, nil, time.Second) // the server was killed a moment ago
			continue
		}
		ended, err := w.ended(ctx)
		if err != nil {
			if ctx.Err() == nil {
				wait(ctx, nil, time.Second) // the server was killed a moment ago
				continue
			}
			return w.hung()
		}
		if len(ended) == len(w.customers) {
			return nil
		}
		if started < len(w.customers) && started-len(ended)-resting < w.atOnce {
			if _, err := w.starter(ctx, "start", w.customers[started].name); err == nil || strings.Contains(err.Error(), "already") {
				started++
				w.say("started %s; %d have ended", w.customers[started-1].name, len(ended))
				continue
			}
		}
		if wait(ctx, nil, time.Second) {
			return w.hung()
		}
	}
}

// hung names who has not ended in time.
func (w *world) hung() error {
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	ended, err := w.ended(ctx)
	if err != nil {
		return fmt.Errorf("time is over: %w", err)
	}
	var names []string
	for _, c := range w.customers {
		if ended[c.name] == "" {
			names = append(names, c.name)
		}
	}
	said, err := w.starter(ctx, "list")
	return errors.Join(fmt.Errorf("hung %d: %s\n%s", len(names), strings.Join(names, " "), said), err)
}

// ended are the customers whose first run has ended, with their states.
func (w *world) ended(ctx context.Context) (map[string]string, error) {
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	rows, err := w.db.Query(ctx, `
		select m.customer, r.state from farewell_ledger.migrations m join farewell_ledger.runs r on r.id = m.current_run
		where r.ended_at is not null`)
	if err != nil {
		return nil, err
	}
	states := map[string]string{}
	for rows.Next() {
		var customer, state string
		if err := rows.Scan(&customer, &state); err != nil {
			return nil, err
		}
		states[customer] = state
	}
	return states, rows.Err()
}

// resting counts the migrations that wait for an operator.
func (w *world) resting(ctx context.Context) (n int, err error) {
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	err = w.db.QueryRow(ctx, "select count(*) from farewell_ledger.runs where ended_at is null and state = 'needs_attention'").Scan(&n)
	return n, err
}

// operateEvery is how soon an operator answers.
const operateEvery = 20 * time.Second

// operate does what an operator does: whoever needs attention is tried again.
func (w *world) operate(ctx context.Context, quiet <-chan struct{}) {
	for !wait(ctx, quiet, operateEvery) {
		for _, customer := range w.needAttention(ctx) {
			if _, err := w.starter(ctx, "retry", customer, "--reason", "chaos"); err != nil {
				w.say("retry %s: %v", customer, err)
			}
		}
	}
}

func (w *world) needAttention(ctx context.Context) []string {
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	rows, err := w.db.Query(ctx, `
		select m.customer, coalesce(r.parked::text, '') from farewell_ledger.migrations m join farewell_ledger.runs r on r.id = m.current_run
		where r.ended_at is null and r.state = 'needs_attention'`)
	if err != nil {
		return nil // the server is down; the next look is soon
	}
	defer rows.Close()
	var names []string
	for rows.Next() {
		var name, parked string
		if rows.Scan(&name, &parked) == nil {
			names = append(names, name)
			w.say("%s needs attention: %.300s", name, parked)
		}
	}
	return names
}

// settleDown starts those again whose records changed meanwhile, which brings
// what came last, and has every account verified.
func (w *world) settleDown(ctx context.Context) error {
	for _, c := range w.customers {
		if err := w.countFaults(ctx, c); err != nil {
			return err
		}
		if err := w.settings(ctx, c.account, map[string]any{"faults": []any{}}); err != nil {
			return err
		}
	}
	for _, c := range w.customers {
		if c.meddled {
			if _, err := w.starter(ctx, "start", c.name, "--wait"); err != nil {
				w.say("second start of %s: %v", c.name, err) // reportEnds counts it, unless poison is the reason
				w.explain(ctx, c)
			}
		}
	}
	for _, c := range w.customers {
		if _, err := w.starter(ctx, "verify", c.name, "--repair"); err != nil {
			w.say("%v", err) // the judge decides
		}
	}
	return nil
}

// explain prints what the product says of a customer.
func (w *world) explain(ctx context.Context, c *customer) {
	for _, ask := range []string{"status", "failures"} {
		said, err := w.starter(ctx, ask, c.name)
		if err != nil && said == "" {
			said = err.Error()
		}
		w.say("starter %s %s:\n%s", ask, c.name, said)
	}
}

// judge lets the judge prove itself on the last account, after that one was
// judged, and then goes through the others.
func (w *world) judge(ctx context.Context) (judge.Verdict, error) {
	last := len(w.customers) - 1
	sum, err := judge.Judge(ctx, w.caseOf(w.customers[last]))
	if err != nil {
		return sum, err
	}
	if err := judge.Plant(ctx, w.caseOf(w.customers[last])); err != nil {
		return sum, fmt.Errorf("plant faults for the judge: %w", err)
	}
	planted, err := judge.Judge(ctx, w.caseOf(w.customers[last]))
	if err != nil {
		return sum, err
	}
	lost, doubled, changed := planted.Lost-sum.Lost, planted.Duplicated-sum.Duplicated, planted.Misreported-sum.Misreported
	w.say("planted one loss, one duplicate and one swap; the judge reports %d, %d, %d", lost, doubled, changed)
	if lost != 1 || doubled != 1 || changed != 1 {
		return sum, errors.New("the judge cannot be trusted")
	}
	for _, c := range w.customers[:last] {
		v, err := judge.Judge(ctx, w.caseOf(c))
		if err != nil {
			return sum, err
		}
		sum.Add(v)
	}
	return sum, nil
}

func (w *world) caseOf(c *customer) judge.Case {
	return judge.Case{Source: w.Source, Client: c.name, Sandbox: w.Sandbox.URL, Account: c.account, Failing: c.poison}
}

// failedTickets are those that the product says it could not bring.
func (w *world) failedTickets(ctx context.Context, c *customer) (map[string]bool, error) {
	said, err := w.starter(ctx, "failures", c.name, "-o", "json")
	if err != nil && said == "" {
		return nil, err
	}
	var list []struct {
		Entity   string `json:"entity"`
		SourceID string `json:"source_id"`
		Outcome  string `json:"outcome"`
	}
	if err := json.Unmarshal([]byte(said), &list); err != nil {
		return nil, fmt.Errorf("read the failures of %s: %w", c.name, err)
	}
	failed := map[string]bool{}
	for _, f := range list {
		if f.Entity == "tickets" && f.Outcome == "failed" {
			failed[f.SourceID] = true
		}
	}
	return failed, nil
}
