package main

import (
	"context"
	"fmt"
	"strconv"

	"github.com/spf13/cobra"

	"farewell/migration"
	"farewell/source"
)

func (a *app) sourceCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:     "source",
		GroupID: groupPace,
		Short:   "Bound and see what is read from the customers' database",
		Long: `The customers' database still serves the product. A governor bounds what all workers
read together: queries at a time and rows a second, little by little more, and at
once a good part less when a small query takes much longer than usual or many more
sessions of others are at work.`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(a.sourceStatusCommand(), a.sourceSetCommand())
	return cmd
}

func (a *app) sourceStatusCommand() *cobra.Command {
	var out format
	cmd := &cobra.Command{
		Use:   "status",
		Short: "Show what is taken of the source now, and by which signs",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := out.check(); err != nil {
				return err
			}
			return a.within(cmd.Context(), func(s *session) error { return a.sourceStatus(cmd.Context(), s, out) })
		},
	}
	out.flag(cmd, "json")
	return cmd
}

// sourceOptions are the flags of source set.
type sourceOptions struct {
	source   string
	maxRows  string
	governor string
	reason   string
}

func (a *app) sourceSetCommand() *cobra.Command {
	var o sourceOptions
	cmd := &cobra.Command{
		Use:   "set --max-rows-per-second N | --governor on|off",
		Short: "Bound the rows read per second, over all workers, at once",
		Example: examples(
			program+" source set --max-rows-per-second 500",
			program+" source set --max-rows-per-second none",
			program+" source set --governor off      # only on a database that serves nobody",
		),
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			maxRows, governed, err := o.read()
			if err != nil {
				return err
			}
			return a.within(cmd.Context(), func(s *session) error { return a.setSource(cmd.Context(), s, o, maxRows, governed) })
		},
	}
	cmd.Flags().StringVar(&o.maxRows, "max-rows-per-second", "", "rows of all views together, or none")
	cmd.Flags().StringVar(&o.governor, "governor", "", "on or off: whether the source's own signs count")
	cmd.Flags().StringVar(&o.source, "source", "", "the source's name as status shows it (default: the only one)")
	cmd.Flags().StringVar(&o.reason, "reason", "", "why, for your colleagues; status shows it")
	return cmd
}

func (o sourceOptions) read() (maxRows *float64, governed *bool, err error) {
	switch o.governor {
	case "":
	case "on", "off":
		on := o.governor == "on"
		governed = &on
	default:
		return nil, nil, usagef("--governor is %q: it must be on or off", clean(o.governor))
	}
	if o.maxRows != "" {
		rows, err := perSecond(o.maxRows)
		if err != nil {
			return nil, nil, usagef("--max-rows-per-second is %q: it must be a number of rows, for example 500, or none", clean(o.maxRows))
		}
		maxRows = &rows
	}
	if maxRows == nil && governed == nil {
		return nil, nil, usagef("say --max-rows-per-second N or --governor on|off")
	}
	return maxRows, governed, nil
}

func (a *app) setSource(ctx context.Context, s *session, o sourceOptions, maxRows *float64, governed *bool) error {
	ctx, cancel := context.WithTimeout(ctx, askWithin)
	defer cancel()
	name, err := s.sourceNamed(ctx, o.source)
	if err != nil {
		return err
	}
	if err := s.memory.SetSourcePace(ctx, name, maxRows, governed, a.who(), o.reason); err != nil {
		return err
	}
	if maxRows != nil {
		a.printf("source %s: %s", clean(name), rowsWords(*maxRows))
	}
	if governed != nil {
		a.printf("source %s: governor %s", clean(name), o.governor)
	}
	return nil
}

// sourceNamed is the source that is meant: the one that is named, the only one
// that workers know, or that of this environment.
func (s *session) sourceNamed(ctx context.Context, name string) (string, error) {
	if name != "" {
		return name, nil
	}
	if s.cfg.SourceURL != "" {
		return source.Name(s.cfg.SourceURL)
	}
	list, err := s.memory.Sources(ctx)
	switch {
	case err != nil:
		return "", err
	case len(list) == 1:
		return list[0].Source, nil
	case len(list) == 0:
		return "", usagef("no worker has read from a source yet: set FAREWELL_SOURCE_URL, or name it with --source host:port/database")
	}
	return "", usagef("there are %d sources: name one with --source, see %s source status", len(list), program)
}

func rowsWords(rows float64) string {
	if rows == 0 {
		return "no bound on rows"
	}
	return "at most " + strconv.FormatFloat(rows, 'f', -1, 64) + " rows a second"
}

func (a *app) sourceStatus(ctx context.Context, s *session, out format) error {
	ctx, cancel := context.WithTimeout(ctx, askWithin)
	defer cancel()
	list, err := s.memory.Sources(ctx)
	if err != nil {
		return err
	}
	if out.json() {
		if list == nil {
			list = []migration.SourcePace{}
		}
		return a.writeJSON(list)
	}
	if len(list) == 0 {
		a.printf("no worker has read from a source yet")
	}
	for _, p := range list {
		a.printSource(p)
	}
	return nil
}

func (a *app) printSource(p migration.SourcePace) {
	a.printf("%s", clean(p.Source))
	a.field("bound", rowsWords(p.MaxRows)+said(p.By, p.Why))
	switch {
	case !p.Governed:
		a.field("governor", a.out.paint(yellow, "off"))
		return
	case p.SeenAt.IsZero():
		a.field("governor", "on; the source was not looked at yet")
		return
	}
	a.field("governor", fmt.Sprintf("at most %.0f rows a second, %d queries at a time; %s so far",
		p.Rows, int(p.Queries), count(p.Less, "decrease", "decreases")))
	state := "at ease"
	if p.Pressed {
		state = a.out.paint(yellow, "strained")
	}
	a.field("source", fmt.Sprintf("%s at %s: a small query takes %.1f ms, usually %.1f ms; %d other sessions at work, usually %.1f",
		state, moment(p.SeenAt, a.now()), p.Canary.Seconds()*1000, p.Base.Seconds()*1000, p.Active, p.Usual))
}
