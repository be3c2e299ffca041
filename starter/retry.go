package main

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"

	"farewell/migration"
)

func (a *app) retryCommand() *cobra.Command {
	o := &order{word: migration.UpdateRetry, meant: unsettled}
	o.gone = func(ctx context.Context, s *session, m migration.Migration, r *migration.RunRecord) (string, error) {
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
func unsettled(v view) bool {
	total := v.Run.Counts.Total()
	return waitsForOperator(v) || v.State.Ended() && (v.State != migration.StateCompleted || total.Failed > 0 || total.InDoubt > 0)
}

// retryEnded starts an ended migration again, with the limit of its last run:
// a retry brings nothing that was not asked for then.
func (a *app) retryEnded(ctx context.Context, s *session, o order, m migration.Migration, r *migration.RunRecord) (string, error) {
	switch {
	case r == nil:
		return notRunning(ctx, s, m, r)
	case r.State.Ended() && !unsettled(view{State: r.State, Run: *r}):
		return "nothing to retry: " + stateWord(r.State), nil
	case o.partition != "":
		return "", fmt.Errorf("it has ended, so that no partition waits: say retry without --partition")
	}
	_, running, err := startRun(ctx, s, m, migration.Options{
		Limit: r.Limit, RetryFailed: true, By: a.who(), Reason: o.reason,
	})
	switch {
	case err != nil:
		return "", err
	case running:
		return "runs already", nil
	}
	return "did not run any more; started again for what failed or is unsettled", nil
}
