package main

import (
	"context"
	"encoding/json"
	"os"

	"farewell/integration/programs"
)

// crew is a group of workers behind one egress, on a ledger of their own.
type crew struct {
	b        *bench
	ledger   string
	egress   string
	accounts []account
	reserved int // percent
	scale    float64
	flight   int
	bulk     int
	workers  []*programs.Process
}

// newCrew has no worker yet.
func (b *bench) newCrew(ctx context.Context, scale float64, accounts ...account) (*crew, error) {
	url, err := b.newLedger(ctx)
	return &crew{b: b, ledger: url, egress: b.name("egress"), accounts: accounts, scale: scale, flight: 8}, err
}

// crewOfMany has so many accounts, which live at Zendesk's pace.
func (b *bench) crewOfMany(ctx context.Context, accounts, plan int) (*crew, error) {
	var all []account
	for range accounts {
		a, err := b.sandbox.open(ctx, b.name("many"), plan, 1, nil)
		if err != nil {
			return nil, err
		}
		all = append(all, a)
	}
	return b.newCrew(ctx, 1, all...)
}

// add starts one more worker.
func (c *crew) add(ctx context.Context) error {
	s := sending{
		Worker: c.b.name("worker"), Egress: c.egress, Ledger: c.ledger, Scale: c.scale,
		Accounts: c.accounts, Reserved: c.reserved, Flight: c.flight, Bulk: c.bulk,
	}
	text, err := json.Marshal(s)
	if err != nil {
		return err
	}
	file := c.b.dir + "/" + s.Worker + ".json"
	if err := os.WriteFile(file, text, 0o600); err != nil {
		return err
	}
	program, err := os.Executable()
	if err != nil {
		return err
	}
	p, _, err := programs.Start(ctx, c.b.dir+"/"+s.Worker+".log", "sending", nil, program, sendCommand, file)
	if err == nil {
		c.workers = append(c.workers, p)
	}
	return err
}

func (c *crew) addMany(ctx context.Context, n int) error {
	for range n {
		if err := c.add(ctx); err != nil {
			return err
		}
	}
	return nil
}

// kill ends the first worker as kill -9 does.
func (c *crew) kill() {
	c.workers[0].Kill()
	c.workers = c.workers[1:]
}

// end lets go of all workers.
func (c *crew) end() {
	for _, p := range c.workers {
		if err := p.Stop(); err != nil {
			say("%v", err)
		}
	}
	c.workers = nil
}
