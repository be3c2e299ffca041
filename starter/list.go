package main

import (
	"fmt"

	"github.com/spf13/cobra"

	"farewell/migration"
)

func (a *app) listCommand() *cobra.Command {
	var out format
	cmd := &cobra.Command{
		Use:     "list",
		GroupID: groupLook,
		Short:   "Show every migration with its state and why it waits",
		Example: examples(program+" list", program+" list -o json"),
		Args:    noArguments,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := out.check(); err != nil {
				return err
			}
			return a.within(cmd.Context(), func(s *session) error { return a.list(cmd, s, out) })
		},
	}
	out.flag(cmd, "json")
	return cmd
}

func noArguments(cmd *cobra.Command, args []string) error {
	if len(args) > 0 {
		return usagef("%s takes no arguments; see %s --help", commandPath(cmd), commandPath(cmd))
	}
	return nil
}

func (a *app) list(cmd *cobra.Command, s *session, out format) error {
	o := newObserver(s, a.now)
	if err := o.askLedger(cmd.Context(), nil); err != nil {
		return err
	}
	of := o.known()
	views, err := o.look(cmd.Context(), of, false)
	if err != nil {
		return err
	}
	if out.json() {
		return a.writeJSON(views)
	}
	a.warnTemporalSilent(o)
	listTable(views, a).writeTo(a.out, "")
	return nil
}

// warnTemporalSilent says when states are only what the ledger knew last.
func (a *app) warnTemporalSilent(o *observer) {
	if silent := o.book().queues.Silent; silent != "" {
		a.warnf("%s; this is what the ledger knows", silent)
	}
}

func listTable(views []view, a *app) *table {
	t := &table{columns: []column{
		left("CUSTOMER"), left("DESTINATION"), left("ACCOUNT"), left("STATE"), right("%"), right("TICKETS"), right("FAILED"), left("REASON"),
	}}
	for _, v := range views {
		progress, failed := "", ""
		if v.State != stateNotStarted {
			progress = fmt.Sprint(v.Percent)
			failed = number(v.Run.Counts.Total().Failed)
		}
		t.add(v.Customer, v.Destination, v.Account, stateWord(v.State), progress, ticketsWords(v), failed, reasonWords(v.Reason, a.now()))
	}
	return t
}

// ticketsWords is how many of the planned tickets have their outcome.
func ticketsWords(v view) string {
	if v.State == stateNotStarted {
		return ""
	}
	settled := v.counts(migration.Tickets).Settled()
	if planned := v.Run.Planned[migration.Tickets].Read; planned > settled {
		return number(settled) + "/" + number(planned)
	}
	return number(settled)
}
