package main

import (
	"context"
	"fmt"
	"log/slog"
	"net"
	"net/url"
	"sync"

	"farewell/config"
	"farewell/destination"
	"farewell/destination/csvbundle"
	"farewell/destination/zendesk"
	"farewell/ledger"
	"farewell/migration"
)

// kinds is the list of destinations: a new one is a folder and a line here.
func (p *places) kinds() map[string]func(destination.Account) (destination.Destination, error) {
	return map[string]func(destination.Account) (destination.Destination, error){
		migration.DestinationZendesk: func(a destination.Account) (destination.Destination, error) {
			return zendesk.Open(zendesk.Options{Account: a, Timings: p.timings, Budget: p.budget, Kept: p.kept, Exit: p.exit, Logger: p.log})
		},
		migration.DestinationCSV: func(a destination.Account) (destination.Destination, error) {
			return csvbundle.Open(csvbundle.Options{Account: a})
		},
	}
}

// places opens accounts and keeps them open, one value for each, which all
// activities share.
type places struct {
	accounts *config.AccountsFile
	timings  migration.Timings
	budget   zendesk.Budget
	kept     string
	exit     *zendesk.Exit
	log      *slog.Logger

	mu   sync.Mutex
	open map[migration.Migration]place
}

type place struct {
	destination.Destination
	line string // the account's settings when it was opened
}

func newPlaces(c config.Config, accounts *config.AccountsFile, seat *ledger.Seat, log *slog.Logger) *places {
	return &places{
		accounts: accounts,
		timings:  timings(c),
		budget:   seat,
		kept:     c.Kept,
		exit:     zendesk.NewExit(seat, log),
		log:      log,
		open:     map[migration.Migration]place{},
	}
}

// timings are this worker's waits.
func timings(c config.Config) migration.Timings {
	return migration.DefaultTimings().Scaled(c.TimeFactor)
}

// Open implements activities.Destinations. An account whose line in the
// accounts file has changed is opened anew; who still uses the old one keeps
// it until the worker ends.
func (p *places) Open(_ context.Context, m migration.Migration) (destination.Destination, error) {
	account, ok := p.accounts.Accounts().Of(m)
	if !ok {
		return nil, &destination.Error{
			Op: "open account " + m.Account, Kind: destination.Misconfigured, Code: "unknown account",
			Fix: fmt.Sprintf("add a line for customer %s to the accounts file", m.Customer),
		}
	}
	line := settings(account)
	p.mu.Lock()
	defer p.mu.Unlock()
	if have, ok := p.open[m]; ok && have.line == line {
		return have.Destination, nil
	}
	open, ok := p.kinds()[account.Kind]
	if !ok {
		return nil, &destination.Error{
			Op: "open account " + m.Account, Kind: destination.Misconfigured, Code: "unknown destination",
			Fix: fmt.Sprintf("destination %q in the accounts file is none that this worker knows", account.Kind),
		}
	}
	if err := p.mayShorten(account); err != nil {
		return nil, err
	}
	d, err := open(account)
	if err != nil {
		return nil, err
	}
	p.open[m] = place{d, line}
	return d, nil
}

// mayShorten refuses to deal with a real account under shortened waits: the
// wait before a batch is declared absent is what prevents duplicates.
func (p *places) mayShorten(a destination.Account) error {
	if p.timings == migration.DefaultTimings() || a.Kind == migration.DestinationCSV {
		return nil
	}
	u, err := url.Parse(a.URL)
	if err == nil && (u.Hostname() == "localhost" || net.ParseIP(u.Hostname()).IsLoopback()) {
		return nil
	}
	return &destination.Error{
		Op: "open account " + a.Name, Kind: destination.Misconfigured, Code: "shortened waits",
		Fix: "unset FAREWELL_TIME_FACTOR: its shorter waits are for a sandbox on this machine only",
	}
}

// settings is what of an account's line makes it another account. Secrets are
// read at each use, so a new one does not.
func settings(a destination.Account) string {
	return fmt.Sprintf("%q %q %d %d %q", a.Kind, a.URL, a.PlanPerMinute, a.ReservedPercent, a.Auth)
}

func (p *places) close() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for m, d := range p.open {
		if err := d.Close(); err != nil {
			p.log.Warn("closing an account failed", "account", m.Account, "error", err)
		}
	}
}
