// Command sandbox stands in for Zendesk, serving package zendesktest on a port,
// and fills a Postgres with a sample CRM.
package main

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"syscall"

	"github.com/spf13/cobra"
)

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, "sandbox:", err)
		os.Exit(1)
	}
}

// run ends early on SIGTERM and SIGINT; what it stopped is then stopped cleanly.
func run() error {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, os.Interrupt)
	defer stop()
	return newRootCommand().ExecuteContext(ctx)
}

func newRootCommand() *cobra.Command {
	root := &cobra.Command{
		Use:           "sandbox",
		Short:         "A stand-in for Zendesk, and sample customers to move there",
		SilenceUsage:  true,
		SilenceErrors: true,
	}
	root.AddCommand(
		newServeCommand(),
		newFillCommand(),
	)
	return root
}
