package main

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"farewell/migration"
)

// egressOptions are the flags of the egress commands.
type egressOptions struct {
	name   string
	reason string
	out    format
}

func (o *egressOptions) flags(cmd *cobra.Command) {
	cmd.Flags().StringVar(&o.name, "egress", "", "the egress's name (default: that of this environment, FAREWELL_EGRESS)")
	cmd.Flags().StringVar(&o.reason, "reason", "", "why, for your colleagues; status shows it")
}

func (a *app) egressCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:     "egress",
		GroupID: groupPace,
		Short:   "Bound, stop and see all requests that leave under one address",
		Long: `Workers with the same FAREWELL_EGRESS are seen from outside under one address. The
edge in front of Zendesk counts requests by address, over all accounts: a cap
bounds them over all workers, and when the edge refuses a request, nothing leaves
until a probe through another account was well.`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(a.egressSetCommand(), a.egressStatusCommand(), a.egressOpenCommand(), a.egressCloseCommand())
	return cmd
}

func (a *app) egressSetCommand() *cobra.Command {
	var o egressOptions
	cmd := &cobra.Command{
		Use:   "set RATE",
		Short: "Bound the requests per second, over all accounts and workers, at once",
		Long: `Bound the requests per second, over all accounts and workers. Running workers
follow within a second. 0 or "none" takes the bound away.`,
		Example: examples(program+" egress set 40/s", program+" egress set none"),
		Args:    oneArgument("a rate, for example 40/s"),
		RunE: func(cmd *cobra.Command, args []string) error {
			rate, err := perSecond(args[0])
			if err != nil {
				return err
			}
			return a.onEgress(cmd.Context(), o, func(ctx context.Context, s *session, name string) error {
				if err := s.memory.SetEgressCap(ctx, name, rate, a.who(), o.reason); err != nil {
					return err
				}
				a.printf("egress %s: %s", clean(name), capWords(rate))
				return nil
			})
		},
	}
	o.flags(cmd)
	return cmd
}

func (a *app) egressOpenCommand() *cobra.Command {
	var o egressOptions
	cmd := &cobra.Command{
		Use:   "open",
		Short: "Let requests leave again, also those of accounts that the edge refused",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return a.onEgress(cmd.Context(), o, func(ctx context.Context, s *session, name string) error {
				if err := s.memory.OpenEgress(ctx, name, a.who(), o.reason); err != nil {
					return err
				}
				a.printf("egress %s is open", clean(name))
				return nil
			})
		},
	}
	o.flags(cmd)
	return cmd
}

func (a *app) egressCloseCommand() *cobra.Command {
	var o egressOptions
	cmd := &cobra.Command{
		Use:   "close",
		Short: "Let no request leave, within a second, until open",
		Long: `Let no request leave, within a second, until open. Jobs that are open in the
accounts go on there and are asked for when the egress is open again.`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return a.onEgress(cmd.Context(), o, func(ctx context.Context, s *session, name string) error {
				if err := s.memory.CloseEgress(ctx, name, a.who(), o.reason); err != nil {
					return err
				}
				a.printf("egress %s is closed: %s egress open lets requests leave again", clean(name), program)
				return nil
			})
		},
	}
	o.flags(cmd)
	return cmd
}

func (a *app) egressStatusCommand() *cobra.Command {
	var o egressOptions
	cmd := &cobra.Command{
		Use:   "status",
		Short: "Show every egress: its cap, whether requests leave, and the evidence when not",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := o.out.check(); err != nil {
				return err
			}
			return a.within(cmd.Context(), func(s *session) error { return a.egressStatus(cmd.Context(), s, o.out) })
		},
	}
	o.out.flag(cmd, "json")
	return cmd
}

// onEgress connects and does something to the egress that is meant.
func (a *app) onEgress(ctx context.Context, o egressOptions, do func(ctx context.Context, s *session, name string) error) error {
	return a.within(ctx, func(s *session) error {
		ctx, cancel := context.WithTimeout(ctx, askWithin)
		defer cancel()
		name := o.name
		if name == "" {
			name = s.cfg.Egress
		}
		return do(ctx, s, name)
	})
}

func (a *app) egressStatus(ctx context.Context, s *session, out format) error {
	ctx, cancel := context.WithTimeout(ctx, askWithin)
	defer cancel()
	list, err := s.memory.Egresses(ctx)
	if err != nil {
		return err
	}
	workers, err := s.memory.Workers(ctx)
	if err != nil {
		return err
	}
	if out.json() {
		if list == nil {
			list = []migration.Egress{}
		}
		return a.writeJSON(list)
	}
	if len(list) == 0 {
		a.printf("no worker has run yet, and no cap is set")
	}
	for _, e := range list {
		a.printEgress(e, workers)
	}
	return nil
}

func (a *app) printEgress(e migration.Egress, workers []migration.Presence) {
	now := a.now()
	a.printf("%s", clean(e.Name))
	state := string(e.State)
	if e.State != migration.EgressOpen {
		state = a.out.paint(red, state) + " since " + moment(e.Since, now)
	}
	a.field("state", state)
	a.field("cap", capWords(e.PerSecond)+said(e.By, e.Why))
	live := 0
	for _, w := range workers {
		if w.Egress == e.Name && now.Sub(w.Seen) < workerSilent {
			live++
		}
	}
	a.field("workers", strconv.Itoa(live))
	if e.State == migration.EgressBlocked {
		a.field("evidence", "account "+clean(e.Account)+": "+clean(e.Evidence))
		probe := "next probe " + moment(latest(e.ProbeAt, now), now)
		if e.Failed > 0 {
			probe += fmt.Sprintf(", after %s that the edge refused", count(int64(e.Failed), "probe", "probes"))
		}
		a.field("probe", probe)
		a.field("next", program+" egress open, when the edge is known to be well")
	}
	for _, b := range e.Accounts {
		a.field("account", fmt.Sprintf("%s is refused by the edge until %s, for the %s time in a row: %s",
			clean(b.Account), moment(b.Until, now), ordinal(b.Times), clean(b.Evidence)))
	}
}

func latest(a, b time.Time) time.Time {
	if a.Before(b) {
		return b
	}
	return a
}

func ordinal(n int) string {
	suffix := "th"
	switch {
	case n%100 >= 11 && n%100 <= 13:
	case n%10 == 1:
		suffix = "st"
	case n%10 == 2:
		suffix = "nd"
	case n%10 == 3:
		suffix = "rd"
	}
	return strconv.Itoa(n) + suffix
}

func capWords(perSecond float64) string {
	if perSecond == 0 {
		return "no cap"
	}
	return "at most " + strconv.FormatFloat(perSecond, 'f', -1, 64) + " requests a second"
}

// perSecond reads 40/s, 40 or none.
func perSecond(text string) (float64, error) {
	if text == "none" {
		return 0, nil
	}
	rate, err := strconv.ParseFloat(strings.TrimSuffix(text, "/s"), 64)
	if err != nil || !(rate >= 0 && rate <= 100_000) {
		return 0, usagef("%q is not a rate: say for example 40/s, or none", clean(text))
	}
	return rate, nil
}

// oneArgument refuses anything but one argument, which is what.
func oneArgument(what string) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		if len(args) != 1 {
			return usagef("%s needs %s; see %s --help", cmd.Name(), what, commandPath(cmd))
		}
		return nil
	}
}
