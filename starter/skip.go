package main

import (
	"github.com/spf13/cobra"

	"farewell/migration"
)

func (a *app) skipCommand() *cobra.Command {
	return a.orderCommand(&cobra.Command{
		Use:   "skip CUSTOMER… | --all",
		Short: "Give parked partitions up, and go on without them",
		Long: `Give parked partitions up, and go on without them. The migration then ends as
completed with failures. What was skipped is tried again by the next start.`,
		Example: examples(program + " skip acme --partition tickets-0007 --reason 'agreed with the customer'"),
	}, &order{word: migration.UpdateSkip, meant: waitsForOperator, gone: notRunning}, true)
}

func waitsForOperator(v view) bool { return v.State == migration.StateNeedsAttention }
