package main

import (
	"context"
	"time"

	"farewell/integration/figures"
	"farewell/ledger"
)

const edgeAccounts = 10

// measureEdge lets the edge refuse one odd account, and then the whole address.
func measureEdge(ctx context.Context, b *bench, r *report) error {
	c, err := b.crewOfMany(ctx, edgeAccounts, 700)
	if err != nil {
		return err
	}
	defer c.end()
	c.flight = 2
	// Late in a minute, all of its budget goes out at once: then there is nothing
	// left to send that could meet the edge.
	pause(ctx, time.Until(time.Now().Truncate(time.Minute).Add(time.Minute)))
	if err := c.addMany(ctx, 3); err != nil {
		return err
	}
	pause(ctx, 5*time.Second)
	if err := c.oddAccount(ctx, r); err != nil {
		return err
	}
	if err := c.tell(ctx, (*ledger.Ledger).OpenEgress); err != nil {
		return err
	}
	pause(ctx, 5*time.Second)
	return c.wholeEgress(ctx, r)
}

// oddAccount judges a block of one account alone.
func (c *crew) oddAccount(ctx context.Context, r *report) error {
	odd := c.accounts[0]
	began := time.Now()
	if err := odd.blockAtEdge(ctx, true); err != nil {
		return err
	}
	pause(ctx, 8*time.Second)
	s, err := c.b.sandbox.stats(ctx, began.Add(-3*time.Second))
	if err != nil {
		return err
	}
	all := log(s.Arrivals)
	blocked := all.of(func(a arrival) bool { return a.Edge })
	if len(blocked) == 0 {
		r.Check("edge_odd_account_met_the_block", 0, "requests", figures.AtLeast(1))
		return odd.blockAtEdge(ctx, false)
	}
	first := blocked[0].at()
	others := all.of(func(a arrival) bool { return a.Account != odd.Name })
	before := others.between(first.Add(-2*time.Second), first)
	again := others.between(first.Add(time.Second), first.Add(8*time.Second))
	var reopened time.Duration
	for i := range again { // the first is the probe
		if i > 0 {
			reopened = again[i].at().Sub(first)
			break
		}
	}
	r.Figure("edge_odd_account_others_before", float64(len(before))/2, "requests/s")
	stopped := others.between(first.Add(time.Second), first.Add(reopened))
	r.Check("edge_odd_account_requests_later_than_1s", float64(len(stopped)), "requests (a probe)", figures.AtMost(1))
	r.Check("edge_odd_account_others_go_on_after", reopened.Seconds(), "s", figures.AtMost(5))
	rest := others.between(first.Add(reopened+time.Second), first.Add(7*time.Second))
	served := map[string]bool{}
	for _, a := range rest {
		served[a.Account] = true
	}
	r.Check("edge_odd_account_others_served", float64(len(served)), "accounts", figures.AtLeast(edgeAccounts-1))
	probes := all.of(func(a arrival) bool { return a.Account == odd.Name }).between(first.Add(time.Second), first.Add(8*time.Second))
	r.Check("edge_odd_account_its_own_requests_later_than_1s", float64(len(probes)), "requests", figures.AtMost(0))
	return odd.blockAtEdge(ctx, false)
}

// wholeEgress judges a block of the address.
func (c *crew) wholeEgress(ctx context.Context, r *report) error {
	const blockedFor = 25 * time.Second
	began := time.Now()
	if err := c.b.sandbox.blockAtEdge(ctx, true); err != nil {
		return err
	}
	pause(ctx, blockedFor)
	lifted := time.Now()
	if err := c.b.sandbox.blockAtEdge(ctx, false); err != nil {
		return err
	}
	pause(ctx, 30*time.Second)
	s, err := c.b.sandbox.stats(ctx, began)
	if err != nil {
		return err
	}
	all := log(s.Arrivals)
	blocked := all.of(func(a arrival) bool { return a.Edge })
	first := blocked[0].at()
	during := all.between(first.Add(time.Second), lifted)
	r.Check("edge_block_requests_later_than_1s", float64(len(during)), "probes in 24 s", figures.AtMost(3))
	r.Check("edge_block_two_probes_within_a_second", float64(max(0, during.mostWithin(time.Second)-1)), "times", figures.AtMost(0))
	after := all.between(lifted, lifted.Add(30*time.Second))
	if len(after) < 2 {
		r.Check("edge_block_reopened", 0, "times", figures.AtLeast(1))
		return nil
	}
	probe, second := after[0].at(), after[1].at()
	r.Check("edge_block_open_after_probe", second.Sub(probe).Seconds(), "s", figures.AtMost(1))
	r.Check("edge_block_probe_after_lifting", probe.Sub(lifted).Seconds(), "s", figures.AtMost(25))
	served := map[string]bool{}
	for _, a := range after.between(second, second.Add(5*time.Second)) {
		served[a.Account] = true
	}
	r.Check("edge_block_served_again", float64(len(served)), "accounts", figures.AtLeast(edgeAccounts))
	return nil
}
