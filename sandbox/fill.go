package main

import (
	"context"
	"fmt"
	"io"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"farewell/sandbox/samplecrm"
)

// progressEvery is how often a long fill says how far it is.
const progressEvery = 2 * time.Second

// fillOptions are the flags of `sandbox fill`.
type fillOptions struct {
	source    string
	seed      uint64
	customers int
	tickets   int
	comments  int
	files     string
	accounts  accountsOptions
}

func newFillCommand() *cobra.Command {
	var o fillOptions
	fill := &cobra.Command{
		Use:   "fill",
		Short: "Fill Postgres with a sample CRM and the views that map it",
		Long: `Fill Postgres with a sample CRM: the 12 customers of the demo, or as many as
the flags say, each of the same size. The same flags give the same rows; a
second call does nothing.

With --accounts it also creates a sandbox account or names a bundle for each
customer and writes the accounts file that the worker reads.`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			spec := samplecrm.Spec{Customers: samplecrm.DefaultCustomers(), Seed: o.seed}
			if f := cmd.Flags(); f.Changed("customers") || f.Changed("tickets") || f.Changed("comments") {
				spec.Customers = samplecrm.Customers(o.customers, o.tickets, o.comments)
			}
			if o.files != "" {
				folder, err := filepath.Abs(o.files)
				if err != nil {
					return fmt.Errorf("find the folder for files: %w", err)
				}
				spec.Files = samplecrm.Files{Server: strings.TrimSuffix(o.accounts.sandbox, "/") + sampleFiles, Folder: folder}
			}
			return o.run(cmd.Context(), spec, cmd.OutOrStdout())
		},
	}
	f := fill.Flags()
	f.StringVar(&o.source, "source", "", "connection URL of the database to fill; needs the right to create schemas")
	f.Uint64Var(&o.seed, "seed", 1, "decides every row")
	f.IntVar(&o.customers, "customers", 1, "customers, instead of the demo's")
	f.IntVar(&o.tickets, "tickets", 100, "tickets of each customer, instead of the demo's")
	f.IntVar(&o.comments, "comments", 4, "comments of a ticket on average, instead of the demo's")
	f.StringVar(&o.files, "files", "", "folder for a third of the files at messages, the others lie in the database and on the sandbox's file server (default: no files)")
	f.StringVar(&o.accounts.file, "accounts", "", "accounts file to write; secrets go to a folder beside it")
	f.StringVar(&o.accounts.sandbox, "sandbox", "http://127.0.0.1:4480", "address of the running sandbox, for --accounts")
	f.StringVar(&o.accounts.bundles, "bundles", "bundles", "folder for the customers' CSV bundles, for --accounts")
	f.Float64Var(&o.accounts.timeScale, "time-scale", 20, "how many times faster than Zendesk the accounts are, for --accounts")
	if err := fill.MarkFlagRequired("source"); err != nil {
		panic(err) // the flag is defined above
	}
	return fill
}

func (o fillOptions) run(ctx context.Context, spec samplecrm.Spec, out io.Writer) error {
	begin := time.Now()
	filled, err := samplecrm.Fill(ctx, o.source, spec, progressTo(out, begin))
	if err != nil {
		return err
	}
	holds := fmt.Sprintf("%d customers, %d people, %d tickets, %d comments (seed %d)",
		filled.Customers, filled.People, filled.Tickets, filled.Comments, spec.Seed)
	if filled.AlreadyThere {
		fmt.Fprintf(out, "nothing to do: the sample is there: %s\n", holds)
	} else {
		fmt.Fprintf(out, "filled in %s in %.1f s\n", holds, time.Since(begin).Seconds())
	}
	if o.accounts.file == "" {
		return nil
	}
	return o.accounts.write(ctx, spec.Customers, out)
}

// progressTo prints a line now and then, and none for what is quickly done.
func progressTo(out io.Writer, begin time.Time) samplecrm.Progress {
	last := begin
	return func(done, total int) {
		if now := time.Now(); now.Sub(last) >= progressEvery {
			last = now
			fmt.Fprintf(out, "%d of %d tickets\n", done, total)
		}
	}
}
