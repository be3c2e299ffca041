package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
)

func (e environment) downCommand(ctx context.Context) error {
	return e.withLock(ctx, func() error { return e.down(ctx) })
}

func (e environment) down(ctx context.Context) error {
	found, err := e.stopServers(ctx)
	switch {
	case err != nil:
		return err
	case found:
		e.console.say("down; the data stays, ./temporal-dev.sh reset deletes it")
	default:
		e.console.say("nothing was running")
	}
	return nil
}

// stopServers ends what up started, and nothing else.
func (e environment) stopServers(ctx context.Context) (found bool, err error) {
	err = e.console.during("stopping; the worker finishes its open jobs first", "", func() (err error) {
		found, err = stopSupervisor(ctx, e.checkout.dev())
		return err
	})
	return found, err
}

func (e environment) resetCommand(ctx context.Context) error {
	return e.withLock(ctx, func() error { return e.reset(ctx) })
}

// reset stops all and deletes the data. Built programs and logs stay.
func (e environment) reset(ctx context.Context) error {
	if _, err := e.stopServers(ctx); err != nil {
		return err
	}
	data := []string{stateFile(e.checkout.dev()), planFile(e.checkout.dev()), e.checkout.dev("postgres"), e.checkout.dev("postgres.new"), e.checkout.dev("sandbox"),
		e.bundles(), e.sampleAccounts(), e.checkout.dev("secrets"), e.checkout.dev("env"),
		filepath.Join(e.checkout.outsidePostgresParent(), "postgres"), filepath.Join(e.checkout.outsidePostgresParent(), "postgres.new")}
	store, err := filepath.Glob(e.checkout.dev("temporal.db*"))
	if err != nil {
		return fmt.Errorf("look for Temporal's store: %w", err)
	}
	for _, path := range append(data, store...) {
		if err := os.RemoveAll(path); err != nil {
			return fmt.Errorf("delete the data: %w", err)
		}
	}
	// Fails when nothing was there, or downloaded programs are.
	_ = os.Remove(e.checkout.outsidePostgresParent())
	e.console.say("down, and the data is deleted")
	if e.settings.givenSource != "" || e.settings.givenLedger != "" || e.settings.givenTemporal != "" {
		e.console.say("servers of your own (FAREWELL_SOURCE_URL, FAREWELL_LEDGER_URL, TEMPORAL_ADDRESS) are left as they are")
	}
	return nil
}
