package main

import (
	"context"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"farewell/migration"
)

func (a *app) reconcileCommand() *cobra.Command {
	var who choice
	var out format
	var reason string
	cmd := &cobra.Command{
		Use:     "reconcile CUSTOMER… | --all",
		GroupID: groupPrepare,
		Short:   "Rebuild a lost ledger from what is in the account",
		Long: `Rebuild a lost ledger from what is in the account, for accounts that carry our
tag while the ledger knows nothing of them. It creates nothing there; a later
start then finds every record already there.`,
		Example: examples(program + " reconcile --all --reason 'ledger restored from an old backup'"),
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := who.take(cmd, args); err != nil {
				return err
			}
			if err := out.check(); err != nil {
				return err
			}
			return a.within(cmd.Context(), func(s *session) error { return a.reconcile(cmd.Context(), s, who, reason, out) })
		},
	}
	who.flags(cmd)
	out.flag(cmd, "json")
	cmd.Flags().StringVar(&reason, "reason", "", "why, for your colleagues")
	return cmd
}

// reconciled is one migration's result.
type reconciled struct {
	Customer    string `json:"customer"`
	Destination string `json:"destination"`
	Account     string `json:"account"`
	migration.ReconcileOutcome
	Error string `json:"error,omitempty"`
}

func (a *app) reconcile(ctx context.Context, s *session, who choice, reason string, out format) error {
	of, err := who.among(migrationsTo(s.accounts))
	if err != nil {
		return err
	}
	if err := a.needWorker(ctx, s, "it reads the account"); err != nil {
		return err
	}
	var results []reconciled
	failures := 0
	for i, m := range of {
		r := reconciled{Customer: m.Customer, Destination: m.Destination, Account: m.Account}
		r.ReconcileOutcome, err = a.reconcileOne(ctx, s, m, reason, fmt.Sprintf("%d of %d", i+1, len(of)))
		if ctx.Err() != nil {
			a.warnf("waiting ended; the reconciliation of %s goes on. Come back with: %s", clean(m.Customer), s.again("reconcile", of...))
			return exit(exitInterrupted)
		}
		if err != nil {
			failures++
			r.Error = err.Error()
			a.warnf("%s: %v", clean(m.Customer), clean(r.Error))
		} else if !out.json() {
			a.printf("%s: found %s", clean(m.String()), foundWords(r.Found))
		}
		results = append(results, r)
	}
	if out.json() {
		if err := a.writeJSON(results); err != nil {
			return err
		}
	}
	if failures > 0 {
		return exit(exitError)
	}
	return nil
}

// sayEvery is how often a long wait says that it goes on.
const sayEvery = 10 * time.Second

func (a *app) reconcileOne(ctx context.Context, s *session, m migration.Migration, reason, place string) (migration.ReconcileOutcome, error) {
	done := make(chan struct{})
	defer close(done)
	began := a.now()
	go func() {
		tick := time.NewTicker(sayEvery)
		defer tick.Stop()
		for {
			select {
			case <-tick.C:
				a.warnf("reconciling %s (%s) for %s", clean(m.Customer), place, span(a.now().Sub(began)))
			case <-done:
				return
			}
		}
	}()
	return s.temporal.Reconcile(ctx, m, a.who(), reason)
}

func foundWords(found map[migration.Entity]int64) string {
	words := ""
	for i, e := range migration.Entities() {
		if i > 0 {
			words += ", "
		}
		words += number(found[e]) + " " + string(e)
	}
	return words
}
