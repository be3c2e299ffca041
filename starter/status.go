package main

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"

	"farewell/migration"
)

func (a *app) statusCommand() *cobra.Command {
	var who choice
	var out format
	cmd := &cobra.Command{
		Use:     "status CUSTOMER… | --all",
		GroupID: groupLook,
		Short:   "Show what a migration does, what it has brought, and why it waits",
		Long: `Show what a migration does, what it has brought, and why it waits.

Exits with 0, 3 (completed with failures), 4 (failed, or needs attention) or
5 (cancelled): the worst of the migrations shown.`,
		Example: examples(program+" status acme", program+" status acme -o json"),
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := who.take(cmd, args); err != nil {
				return err
			}
			if err := out.check(); err != nil {
				return err
			}
			return a.within(cmd.Context(), func(s *session) error { return a.status(cmd.Context(), s, who, out) })
		},
	}
	who.flags(cmd)
	out.flag(cmd, "json")
	return cmd
}

func (a *app) status(ctx context.Context, s *session, who choice, out format) error {
	o := newObserver(s, a.now)
	of, err := o.choose(ctx, who)
	if err != nil {
		return err
	}
	views, err := o.look(ctx, of, true)
	if err != nil {
		return err
	}
	if err := s.countChanges(ctx, views); err != nil {
		return err
	}
	switch {
	case out.json() && len(views) == 1 && !who.all:
		err = a.writeJSON(views[0])
	case out.json():
		err = a.writeJSON(views)
	default:
		a.warnTemporalSilent(o)
		for i, v := range views {
			if i > 0 {
				a.printf("")
			}
			a.printStatus(s, v)
		}
	}
	if err != nil {
		return err
	}
	return worst(views)
}

// countChanges is for status alone: over all migrations it would take long.
func (s *session) countChanges(ctx context.Context, views []view) error {
	ctx, cancel := context.WithTimeout(ctx, askWithin)
	defer cancel()
	for i := range views {
		counts, err := s.memory.ChangeCounts(ctx, views[i].Migration)
		if err != nil {
			return ledgerDown(fmt.Errorf("count the changes: %w", err))
		}
		for _, c := range counts {
			views[i].Changes += c.Count
		}
	}
	return nil
}

// choose picks among the accounts file and, for customers that left it,
// the ledger.
func (o *observer) choose(ctx context.Context, who choice) ([]migration.Migration, error) {
	of, err := who.among(migrationsTo(o.session.accounts))
	if err == nil {
		return of, nil
	}
	if ledgerErr := o.askLedger(ctx, nil); ledgerErr != nil {
		return nil, ledgerErr
	}
	return who.among(o.known())
}
