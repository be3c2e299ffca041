package main

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/spf13/cobra"

	"farewell/migration"
)

func (a *app) checkCommand() *cobra.Command {
	var who choice
	var out format
	var override []string
	cmd := &cobra.Command{
		Use:     "check CUSTOMER… | --all",
		GroupID: groupPrepare,
		Short:   "Check source and account, and estimate the work; writes nothing",
		Long: `Check source and account with every check that a start makes, count what there is
to move, and estimate requests and time. It runs on a worker, which alone reads
the account's secret, and writes nothing anywhere.

Exits with 0, or 4 when a start would be refused.`,
		Example: examples(program+" check acme", program+" check --all"),
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := who.take(cmd, args); err != nil {
				return err
			}
			if err := out.check(); err != nil {
				return err
			}
			return a.within(cmd.Context(), func(s *session) error { return a.check(cmd.Context(), s, who, override, out) })
		},
	}
	who.flags(cmd)
	out.flag(cmd, "json")
	cmd.Flags().StringSliceVar(&override, "override", nil, "take this check as overridden, as start would")
	return cmd
}

// checked is one migration's report.
type checked struct {
	Customer    string `json:"customer"`
	Destination string `json:"destination"`
	Account     string `json:"account"`
	migration.CheckOutcome
	Error string `json:"error,omitempty"`
	of    migration.Migration
	err   error
}

// checksAtOnce bounds how many checks run at a time: each reads the source.
const checksAtOnce = 4

func (a *app) check(ctx context.Context, s *session, who choice, override []string, out format) error {
	of, err := who.among(migrationsTo(s.accounts))
	if err != nil {
		return err
	}
	if err := a.needWorker(ctx, s, "the check runs on one, since it alone reads secrets"); err != nil {
		return err
	}
	reports := a.checkAll(ctx, s, of, migration.Options{Override: override, By: a.who()}, out)
	if err := ctx.Err(); err != nil {
		return err
	}
	if out.json() {
		if err := a.writeJSON(reports); err != nil {
			return err
		}
	}
	return checkResult(reports)
}

// checkAll runs the checks some at a time and prints each report when it is
// its turn.
func (a *app) checkAll(ctx context.Context, s *session, of []migration.Migration, o migration.Options, out format) []checked {
	reports := make([]checked, len(of))
	places := make([]int, len(of))
	ready := make([]chan struct{}, len(of))
	for i := range of {
		places[i], ready[i] = i, make(chan struct{})
	}
	var printing sync.WaitGroup
	printing.Go(func() {
		for i := range of {
			<-ready[i]
			if !out.json() && ctx.Err() == nil {
				a.printCheck(reports[i])
			}
		}
	})
	inParallel(places, checksAtOnce, func(i int) {
		defer close(ready[i])
		m := of[i]
		r := checked{Customer: m.Customer, Destination: m.Destination, Account: m.Account, of: m}
		r.CheckOutcome, r.err = s.temporal.Check(ctx, m, o)
		if r.err != nil {
			r.Error = r.err.Error()
		}
		reports[i] = r
	})
	printing.Wait()
	return reports
}

func checkResult(reports []checked) error {
	code := exitOK
	for _, r := range reports {
		switch {
		case r.Fatal:
			return exit(exitAttention)
		case r.err != nil:
			code = exitError
		}
	}
	if code != exitOK {
		return exit(code)
	}
	return nil
}

func (a *app) printCheck(r checked) {
	a.printf("%s", clean(r.of.String()))
	if r.err != nil {
		a.printf("  %s %s", a.out.paint(red, "✗"), clean(r.err.Error()))
		return
	}
	for _, f := range r.Findings {
		a.printFinding(f)
	}
	rows := ""
	for _, e := range migration.Entities() {
		rows += fmt.Sprintf("%s %s, ", number(r.Rows[e]), e)
	}
	if len(r.Rows) > 0 {
		a.printf("  to move: %sabout %s, about %s at what was granted", rows,
			count(r.Requests, "request", "requests"), span(time.Duration(r.Seconds)*time.Second))
	}
	if r.Fatal {
		a.printf("  %s", a.out.paint(red, "a start would be refused"))
	}
}

func (a *app) printFinding(f migration.CheckFinding) {
	mark := a.out.paint(green, "✓")
	switch {
	case f.OK:
	case f.Overridden:
		mark = a.out.paint(yellow, "!")
	case f.Fatal:
		mark = a.out.paint(red, "✗")
	default:
		mark = a.out.paint(yellow, "!")
	}
	a.printf("  %s %s: %s", mark, clean(f.Name), clean(f.Text))
	if f.OK {
		return
	}
	if f.Fix != "" {
		a.printf("      %s", clean(f.Fix))
	}
	switch {
	case f.Overridden:
		a.printf("      overridden")
	case f.Override != "":
		a.printf("      or start with --override %s", clean(f.Override))
	}
}

// needWorker refuses at once what only a worker can do when there is none.
func (a *app) needWorker(ctx context.Context, s *session, why string) error {
	ctx, cancel := context.WithTimeout(ctx, askWithin)
	defer cancel()
	queues, err := s.temporal.Queues(ctx)
	if err != nil {
		return err
	}
	if queue := queues.missing(); queue != "" {
		return fmt.Errorf("no worker polls task queue %s: start one with bin/worker (%s)", queue, why)
	}
	return nil
}
