package main

import (
	"context"
	"strings"

	"github.com/spf13/cobra"

	"farewell/ledger"
)

func (a *app) setupCommand() *cobra.Command {
	return &cobra.Command{
		Use:     "setup",
		GroupID: groupPrepare,
		Short:   "Prepare Temporal and the ledger; may be run again",
		Long: `Prepare Temporal (search attributes) and the ledger (its schema in the Postgres
of FAREWELL_LEDGER_URL). Workers refuse to start without it. It may be run again,
and must be after an update of Farewell.`,
		Example: examples(program + " setup"),
		Args:    noArguments,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return a.setup(cmd.Context())
		},
	}
}

// setup stands on its own connections: the ledger cannot be opened before.
func (a *app) setup(ctx context.Context) error {
	cfg, err := a.load()
	if err != nil {
		return err
	}
	if err := ledger.Migrate(ctx, cfg.LedgerURL); err != nil {
		return err
	}
	a.printf("ledger: ready")
	t, err := openTemporal(cfg)
	if err != nil {
		return err
	}
	defer t.client.Close()
	added, err := t.registerAttributes(ctx)
	if err != nil {
		return err
	}
	if len(added) == 0 {
		a.printf("Temporal: ready")
	} else {
		a.printf("Temporal: ready; registered %s", strings.Join(added, ", "))
	}
	return nil
}
