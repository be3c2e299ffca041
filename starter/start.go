package main

import (
	"context"
	"strings"
	"sync"

	"github.com/spf13/cobra"

	"farewell/migration"
)

// startOptions are start's flags.
type startOptions struct {
	who         choice
	out         format
	limit       int64
	override    []string
	maxFailures percentage
	reason      string
	wait        bool
}

func (a *app) startCommand() *cobra.Command {
	var o startOptions
	cmd := &cobra.Command{
		Use:     "start CUSTOMER… | --all",
		GroupID: groupMigrate,
		Short:   "Start migrations, or go on where an ended one stopped",
		Long: `Start migrations. It returns when Temporal has accepted them; what they do is
shown by watch, list and status. Starting one that runs already changes nothing.

A migration that has ended can be started again: it brings what is new or
unsettled and writes nothing twice.

With --wait it watches them to their end and exits with 0, 3 (completed with
failures), 4 (failed, or needs attention) or 5 (cancelled): the worst of them.`,
		Example: examples(
			program+" start acme --limit 50      # a trial: at most 50 tickets",
			program+" start acme --wait",
			program+" start --all --reason 'wave 3, agreed with support'",
		),
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := o.check(cmd, args); err != nil {
				return err
			}
			return a.within(cmd.Context(), func(s *session) error { return a.start(cmd.Context(), s, o) })
		},
	}
	o.flags(cmd)
	return cmd
}

func (o *startOptions) flags(cmd *cobra.Command) {
	o.who.flags(cmd)
	o.out.flag(cmd, "json")
	cmd.Flags().Int64Var(&o.limit, "limit", 0, "take at most this many tickets (0: all)")
	cmd.Flags().StringSliceVar(&o.override, "override", nil, "start although this preflight check fails; check shows its word")
	cmd.Flags().Var(&o.maxFailures, "max-failures", "wait for an operator when more of a partition's records fail (default 1%)")
	cmd.Flags().StringVar(&o.reason, "reason", "", "why, for your colleagues; status shows it")
	cmd.Flags().BoolVar(&o.wait, "wait", false, "watch until all have ended")
}

func (o *startOptions) check(cmd *cobra.Command, args []string) error {
	if o.limit < 0 {
		return usagef("--limit is %d: it must be a number of tickets, or 0 for all", o.limit)
	}
	if err := o.who.take(cmd, args); err != nil {
		return err
	}
	return o.out.check()
}

func (a *app) start(ctx context.Context, s *session, o startOptions) error {
	of, err := o.who.among(migrationsTo(s.accounts))
	if err != nil {
		return err
	}
	if err := o.who.refuseRehearsals(of); err != nil {
		return err
	}
	started, err := a.startAll(ctx, s, of, migration.Options{
		Limit: o.limit, Override: o.override, MaxFailures: migration.Tolerance{Percent: float64(o.maxFailures)},
		By: a.who(), Reason: o.reason,
	})
	if err != nil {
		return err
	}
	a.warnNobodyPolls(ctx, s)
	if !o.wait {
		return a.sayStarted(s, started, o.out)
	}
	if !o.out.json() {
		a.sayStartedShort(started)
	}
	return a.watch(ctx, s, of, watchOptions{out: o.out})
}

// refuseRehearsals keeps --all from starting a customer's rehearsal and its
// real migration together.
func (c *choice) refuseRehearsals(of []migration.Migration) error {
	type place struct{ customer, destination string }
	seen := map[place]migration.Migration{}
	for _, m := range of {
		p := place{m.Customer, m.Destination}
		if other, ok := seen[p]; ok && c.all {
			return usagef("customer %s has two %s accounts, %s and %s, and --all would start both: say --account NAME, or start customers by name",
				quoted(m.Customer), m.Destination, other.Account, m.Account)
		}
		seen[p] = m
	}
	return nil
}

// started is one accepted start, for people and scripts.
type started struct {
	Customer       string `json:"customer"`
	Destination    string `json:"destination"`
	Account        string `json:"account"`
	WorkflowID     string `json:"workflow_id"`
	RunID          string `json:"run_id"`
	AlreadyRunning bool   `json:"already_running"`
	of             migration.Migration
}

// startsAtOnce bounds how many starts are on their way at a time: enough to
// start 300 customers in a second or two, too few to trouble Temporal.
const startsAtOnce = 16

// startAll starts them all, in parallel, and returns them in order. The first
// error ends it; those started until then go on, and starting again is safe.
func (a *app) startAll(ctx context.Context, s *session, of []migration.Migration, o migration.Options) ([]started, error) {
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	all := make([]started, len(of))
	places := make([]int, len(of))
	for i := range places {
		places[i] = i
	}
	var failure error
	var once sync.Once
	inParallel(places, startsAtOnce, func(i int) {
		if ctx.Err() != nil {
			return
		}
		m := of[i]
		run, running, err := startRun(ctx, s, m, o)
		if err != nil {
			once.Do(func() { failure = err; stop() })
			return
		}
		all[i] = started{m.Customer, m.Destination, m.Account, m.WorkflowID(), run, running, m}
	})
	if failure == nil {
		failure = ctx.Err()
	}
	return all, failure
}

func (a *app) sayStarted(s *session, all []started, out format) error {
	if out.json() {
		return a.writeJSON(all)
	}
	var of []migration.Migration
	for _, one := range all {
		of = append(of, one.of)
		if one.AlreadyRunning {
			a.printf("%s runs already", clean(one.of.String()))
		} else {
			a.printf("%s started", clean(one.of.String()))
		}
	}
	a.printf("watch: %s", s.again("watch", of...))
	return nil
}

// sayStartedShort leaves the names to the bars that follow.
func (a *app) sayStartedShort(all []started) {
	var running []string
	for _, s := range all {
		if s.AlreadyRunning {
			running = append(running, clean(s.Customer))
		}
	}
	if n := len(all) - len(running); n > 0 {
		a.printf("started %s", count(int64(n), "migration", "migrations"))
	}
	if len(running) > 0 {
		a.printf("running already: %s", strings.Join(running, ", "))
	}
}

// warnNobodyPolls says at once what would otherwise be a long silence. That
// Temporal cannot be asked is told by the commands that need the answer.
func (a *app) warnNobodyPolls(ctx context.Context, s *session) {
	ctx, cancel := context.WithTimeout(ctx, askWithin)
	defer cancel()
	queues, err := s.temporal.Queues(ctx)
	if err != nil {
		return
	}
	if queue := queues.missing(); queue != "" {
		a.warnf("no worker polls task queue %s: start one with bin/worker", queue)
	}
}
