package main

import (
	"context"
	"time"

	"farewell/integration/figures"
	"farewell/ledger"
)

const (
	egressAccounts = 50
	egressCap      = 40 // requests a second
	egressTime     = 60 * time.Second
)

// measureEgress bounds many accounts together, while one worker is killed and
// another comes.
func measureEgress(ctx context.Context, b *bench, r *report) error {
	c, err := b.crewOfMany(ctx, egressAccounts, 2500)
	if err != nil {
		return err
	}
	defer c.end()
	c.flight = 1
	if err := c.capAt(ctx, egressCap); err != nil {
		return err
	}
	began := time.Now()
	if err := c.addMany(ctx, 3); err != nil {
		return err
	}
	pause(ctx, 3*time.Second) // all have begun
	from := time.Now().Truncate(time.Second).Add(time.Second)
	until := from.Add(egressTime)
	pause(ctx, time.Until(from.Add(egressTime/3)))
	c.kill()
	pause(ctx, time.Until(from.Add(egressTime/2)))
	if err := c.add(ctx); err != nil {
		return err
	}
	pause(ctx, time.Until(until.Add(time.Second)))
	c.end()
	s, err := b.sandbox.stats(ctx, began)
	if err != nil {
		return err
	}
	all := log(s.Arrivals).of(func(a arrival) bool { return c.has(a.Account) })
	inTime := all.between(from, until)
	r.Check("egress_fullest_second", most(all.perWindow(time.Second, began, until)), "requests", figures.AtMost(egressCap*1.1))
	r.Check("egress_fullest_10_seconds", float64(all.mostWithin(10*time.Second)), "requests", figures.AtMost(10*egressCap))
	r.Check("egress_mean", float64(len(inTime))/egressTime.Seconds(), "requests/s", figures.AtLeast(0.9*egressCap))
	seen := map[string]bool{}
	for _, a := range inTime {
		seen[a.Account] = true
	}
	r.Check("egress_accounts_served", float64(len(seen)), "accounts", figures.AtLeast(egressAccounts))
	return nil
}

func (c *crew) has(name string) bool {
	for _, a := range c.accounts {
		if a.Name == name {
			return true
		}
	}
	return false
}

// capAt sets the cap as `starter egress set` does.
func (c *crew) capAt(ctx context.Context, perSecond float64) error {
	return c.tell(ctx, func(l *ledger.Ledger, ctx context.Context, egress, by, why string) error {
		return l.SetEgressCap(ctx, egress, perSecond, by, why)
	})
}

// tell does something to the crew's egress as an operator does.
func (c *crew) tell(ctx context.Context, do func(l *ledger.Ledger, ctx context.Context, egress, by, why string) error) error {
	l, err := ledger.Open(ctx, c.ledger, ledger.Options{MaxConns: 1})
	if err != nil {
		return err
	}
	defer l.Close()
	return do(l, ctx, c.egress, "pace", "")
}
