package main

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"

	"farewell/migration"
)

func (a *app) retryCommand() *cobra.Command {
	o := &order{word: migration.UpdateRetry, meant: unsettled}
	o.gone = func(ctx context.Context, s *session, m migration.Migration, r *migration.RunRecord) error {
		return a.retryEnded(ctx, s, *o, m, r)
	}
	cmd := a.orderCommand(&cobra.Command{
		Use:   "retry CUSTOMER… | --all",
		Short: "Try again what failed or is unsettled, and only that",
		Long: `Try again what failed or is unsettled, and only that: in a migration that waits
for an operator, its parked partitions; one that has ended is started again.`,
		Example: examples(program+" retry acme", program+" retry acme --partition tickets-0007"),
	}, o, true)
	cmd.GroupID = groupMigrate
	return cmd
}

// unsettled tells that a retry has something to do.
func unsettled(r *migration.RunRecord) bool {
	if r == nil {
		return false
	}
	total := r.Counts.Total()
	return waitsForOperator(r) || r.State.Ended() && (r.State != migration.StateCompleted || total.Failed > 0 || total.InDoubt > 0)
}

// retryEnded starts an ended migration again, with the limit of its last run:
// a retry brings nothing that was not asked for then.
func (a *app) retryEnded(ctx context.Context, s *session, o order, m migration.Migration, r *migration.RunRecord) error {
	if r == nil {
		return notRunning(ctx, s, m, r)
	}
	if r.State.Ended() && !unsettled(r) {
		a.printf("%s: nothing to retry: %s", clean(m.String()), stateWord(r.State))
		return nil
	}
	if o.partition != "" {
		return fmt.Errorf("it has ended (%s), so that no partition waits: say retry without --partition", stateWord(r.State))
	}
	_, running, err := s.temporal.Start(ctx, m, migration.Options{
		Limit: r.Limit, RetryFailed: true, By: a.who(), Reason: o.reason,
	})
	if err != nil {
		return err
	}
	if running {
		a.printf("%s runs already", clean(m.String()))
		return nil
	}
	a.printf("%s: had ended (%s); started again for what failed or is unsettled", clean(m.String()), stateWord(r.State))
	a.warnNobodyPolls(ctx, s)
	return nil
}
