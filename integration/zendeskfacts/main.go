// Command zendeskfacts asks a real Zendesk account, best a trial, what the
// sandbox and the client assume of it: it runs the tests of the facts in
// destination/zendesk/zendesktest there, one after the other, and prints for
// each assumption whether it held, differs or could not be tested. The tests
// delete what they made.
//
// The account is a line of the accounts file (FAREWELL_ACCOUNTS), with its
// credentials, as for a migration.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"syscall"

	"farewell/config"
	"farewell/destination"
	"farewell/migration"
)

func main() {
	name := flag.String("account", "", "the account's name in the accounts file")
	flag.Parse()
	if err := run(*name); err != nil {
		fmt.Fprintln(os.Stderr, "zendeskfacts:", err)
		os.Exit(1)
	}
}

func run(name string) (err error) {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	account, err := choose(name)
	if err != nil {
		return err
	}
	dir, err := os.MkdirTemp("", "zendeskfacts-")
	if err != nil {
		return fmt.Errorf("make a folder for the tests: %w", err)
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }() // it holds the credentials
	tests, err := build(ctx, dir, account)
	if err != nil {
		return err
	}
	report, err := tests.runAll(ctx)
	if err != nil {
		return err
	}
	return report.print(os.Stdout, account.Name)
}

func choose(name string) (destination.Account, error) {
	if name == "" {
		return destination.Account{}, errors.New("which account? make zendesk-facts ACCOUNT=its name in the accounts file")
	}
	accounts, err := config.LoadAccounts()
	if err != nil {
		return destination.Account{}, err
	}
	for _, a := range accounts {
		if a.Name == name && a.Kind == migration.DestinationZendesk {
			return a, nil
		}
	}
	return destination.Account{}, fmt.Errorf("the accounts file has no Zendesk account %q", name)
}
