package main

import (
	"context"
	"fmt"
	"sync/atomic"
	"time"

	"github.com/spf13/cobra"

	"farewell/migration"
)

type watchOptions struct {
	who     choice
	out     format
	notices bool
}

func (a *app) watchCommand() *cobra.Command {
	var o watchOptions
	cmd := &cobra.Command{
		Use:     "watch CUSTOMER… | --all",
		GroupID: groupLook,
		Short:   "Follow migrations until none moves any more",
		Long: `Follow migrations until none moves any more: each has ended, or waits for an
operator. Ctrl-C ends the watching, never a migration.

Exits with 0, 3 (completed with failures), 4 (failed, or needs attention) or
5 (cancelled): the worst of the migrations watched; with 130 after Ctrl-C.`,
		Example: examples(program+" watch acme", program+" watch --all"),
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := o.who.take(cmd, args); err != nil {
				return err
			}
			if err := o.out.check(); err != nil {
				return err
			}
			return a.within(cmd.Context(), func(s *session) error {
				of, err := newObserver(s, a.now).choose(cmd.Context(), o.who)
				if err != nil {
					return err
				}
				return a.watch(cmd.Context(), s, of, o)
			})
		},
	}
	o.who.flags(cmd)
	o.out.flag(cmd, "json")
	cmd.Flags().BoolVar(&o.notices, "notices", false, "show the lines of the standard input above the bars")
	_ = cmd.Flags().MarkHidden("notices") // an error says that there is no such flag
	return cmd
}

const (
	lookEvery     = time.Second
	temporalEvery = 2 * time.Second
	// restsFor is how long migrations that wait for an operator must do so
	// before a watch ends: a command that was just given takes a moment.
	restsFor = 3 * time.Second
)

// watch follows the migrations to their end and prints how they ended.
func (a *app) watch(ctx context.Context, s *session, of []migration.Migration, o watchOptions) error {
	w := &watching{app: a, observer: newObserver(s, a.now), of: of}
	views, err := w.begin(ctx, o)
	if err != nil {
		return err
	}
	var d display = quiet{}
	if !o.out.json() {
		d = a.newDisplay(len(views))
	}
	if o.notices {
		go forward(a.in, d)
	}
	views, err = w.follow(ctx, d, views)
	d.close()
	if ctx.Err() != nil {
		a.warnf("watching ended; the migrations go on. Come back with: %s", w.comeBack(o))
		return exit(exitInterrupted)
	}
	if err != nil {
		return err
	}
	if o.out.json() {
		if err := a.writeJSON(views); err != nil {
			return err
		}
	} else {
		a.printSummary(s, views)
	}
	return worst(views)
}

// watching is one watch on its way.
type watching struct {
	app      *app
	observer *observer
	of       []migration.Migration

	temporalAt time.Time   // when Temporal was last asked
	asking     atomic.Bool // it has not answered yet
	restsSince time.Time   // zero: something moves
}

// begin takes the first look. Temporal is asked about each migration by name,
// since one that was accepted a moment ago is neither in the ledger nor, for
// certain, on Temporal's list.
func (w *watching) begin(ctx context.Context, o watchOptions) ([]view, error) {
	views, err := w.observer.look(ctx, w.of, true)
	if err != nil {
		return nil, err
	}
	w.temporalAt = w.app.now()
	w.app.warnTemporalSilent(w.observer)
	begun := begunOf(views)
	if len(begun) == 0 {
		return nil, fmt.Errorf("nothing to watch: none of them was ever started; %s", w.observer.session.again("start", w.of...))
	}
	if !o.who.all && len(begun) < len(views) {
		for _, v := range views {
			if v.State == stateNotStarted {
				w.app.warnf("%s was never started: %s", clean(v.Customer), w.observer.session.again("start", v.Migration))
			}
		}
	}
	return begun, nil
}

// begunOf leaves out what was never started.
func begunOf(views []view) []view {
	var begun []view
	for _, v := range views {
		if v.State != stateNotStarted {
			begun = append(begun, v)
		}
	}
	return begun
}

// follow shows the migrations every second until they rest. A ledger that does
// not answer for a while ends nothing: migrations go on without us.
func (w *watching) follow(ctx context.Context, d display, views []view) ([]view, error) {
	tick := time.NewTicker(lookEvery)
	defer tick.Stop()
	note := ""
	for {
		d.show(views, note)
		if note == "" && w.rest(views) {
			return views, nil
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return views, ctx.Err()
		}
		fresh, err := w.look(ctx)
		if ctx.Err() != nil {
			return views, ctx.Err()
		}
		if err != nil {
			note = clean(err.Error())
			continue
		}
		views, note = fresh, ""
	}
}

// look asks the ledger, and starts asking Temporal beside it when it is time:
// a silent Temporal must not make the bars stand still.
func (w *watching) look(ctx context.Context) ([]view, error) {
	if now := w.app.now(); now.Sub(w.temporalAt) >= temporalEvery && w.asking.CompareAndSwap(false, true) {
		w.temporalAt = now
		suspects := w.observer.suspects(w.of, false)
		go func() {
			defer w.asking.Store(false)
			w.observer.refreshTemporal(ctx, suspects)
		}()
	}
	if err := w.observer.askLedger(ctx, w.of); err != nil {
		return nil, err
	}
	return begunOf(w.observer.views(w.of)), nil
}

// rest tells that no migration moves any more without an operator.
func (w *watching) rest(views []view) bool {
	waits := false
	for _, v := range views {
		switch {
		case v.State.Ended():
		case needsOperator(v):
			waits = true
		default:
			w.restsSince = time.Time{}
			return false
		}
	}
	if !waits {
		return true
	}
	now := w.app.now()
	if w.restsSince.IsZero() {
		w.restsSince = now
	}
	return now.Sub(w.restsSince) >= restsFor
}

// needsOperator tells that only a command brings the migration further. A
// pause that ends by itself says until when.
func needsOperator(v view) bool {
	return v.State == migration.StateNeedsAttention || v.State == migration.StatePaused && v.Reason.Until.IsZero()
}

func (w *watching) comeBack(o watchOptions) string {
	if o.who.all {
		return program + " watch --all"
	}
	return w.observer.session.again("watch", w.of...)
}
