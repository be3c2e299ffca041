package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"farewell/ledger"
	"farewell/migration"
)

// order is a command to running migrations.
type order struct {
	who       choice
	reason    string
	partition string
	// word is the update's name; empty for cancel, which Temporal carries.
	word string
	// control is what the ledger tells all workers within a second; empty: nothing.
	control migration.Control
	// meant tells which migrations --all is about.
	meant func(r *migration.RunRecord) bool
	// gone says what to do when the migration does not run.
	gone func(ctx context.Context, s *session, m migration.Migration, r *migration.RunRecord) error
}

// command makes the cobra command that gives the order.
func (a *app) orderCommand(cmd *cobra.Command, o *order, partitions bool) *cobra.Command {
	cmd.GroupID = groupTell
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		if err := o.who.take(cmd, args); err != nil {
			return err
		}
		s, err := a.connect(cmd.Context())
		if err != nil {
			return err
		}
		defer s.close()
		return a.give(cmd.Context(), s, *o)
	}
	o.who.flags(cmd)
	cmd.Flags().StringVar(&o.reason, "reason", "", "why, for your colleagues; status shows it")
	if partitions {
		cmd.Flags().StringVar(&o.partition, "partition", "", "only this parked partition (default all; status shows them)")
	}
	return cmd
}

// give tells every chosen migration, and says how each took it. Those that
// could not be told do not keep it from the others.
func (a *app) give(ctx context.Context, s *session, o order) error {
	book := newObserver(s, a.now)
	of, err := book.choose(ctx, o.who)
	if err != nil {
		return err
	}
	if err := book.askLedger(ctx, of); err != nil {
		return err
	}
	failures := 0
	for _, m := range of {
		r := book.runs.of(m)
		if o.who.all && !o.meant(r) {
			continue
		}
		if err := a.giveOne(ctx, s, o, m, r); err != nil {
			if ctx.Err() != nil {
				return err
			}
			failures++
			a.warnf("%s: %v", clean(m.Customer), err)
		}
	}
	if failures > 0 {
		return exit(exitError)
	}
	return nil
}

// giveOne writes the word to the control channel first, which every worker
// hears within a second, and then tells the workflow, which decides.
func (a *app) giveOne(ctx context.Context, s *session, o order, m migration.Migration, r *migration.RunRecord) error {
	if err := o.contradicts(r); err != nil {
		return err
	}
	if o.control == migration.ControlPause && paused(r) {
		a.printf("%s: is paused already%s", clean(m.String()), said(r.ControlBy, r.ControlWhy))
		return nil
	}
	if r != nil && !r.State.Ended() && o.control != "" {
		// A run that ended meanwhile is no error here: the workflow says so.
		if err := s.memory.SetControl(ctx, m, r.Run, o.control, a.who(), o.reason); err != nil && !errors.Is(err, ledger.ErrNoRun) {
			return fmt.Errorf("tell the workers: %w", err)
		}
	}
	answer, err := a.tellWorkflow(ctx, s, o, m)
	var refused refusal
	switch {
	case errors.Is(err, errNotRunning):
		return o.gone(ctx, s, m, r)
	case errors.As(err, &refused):
		return errors.Join(fmt.Errorf("refused: %w", err), a.takeBack(ctx, s, o, m, r))
	case err != nil && o.control != "":
		return fmt.Errorf("the workers were told, the workflow was not: %w", err)
	case err != nil:
		return err
	}
	a.printf("%s: %s", clean(m.String()), answer)
	return nil
}

// contradicts refuses what would undo a cancellation in the control channel.
func (o order) contradicts(r *migration.RunRecord) error {
	if r != nil && !r.State.Ended() && o.control != "" && o.control != migration.ControlCancel && r.Control == migration.ControlCancel {
		return fmt.Errorf("it is being cancelled%s, and that cannot be taken back; start it again when it has ended", said(r.ControlBy, r.ControlWhy))
	}
	return nil
}

// takeBack restores the control channel when the workflow refused the word.
func (a *app) takeBack(ctx context.Context, s *session, o order, m migration.Migration, r *migration.RunRecord) error {
	if r == nil || r.State.Ended() || o.control == "" || r.Control == o.control || r.Control == "" {
		return nil
	}
	err := s.memory.SetControl(ctx, m, r.Run, r.Control, r.ControlBy, r.ControlWhy)
	if errors.Is(err, ledger.ErrNoRun) {
		return nil // it has ended, so that nobody listens
	}
	return err
}

// tellWorkflow sends the word as an update, which is answered, or leaves it as
// a signal when nobody is there to answer.
func (a *app) tellWorkflow(ctx context.Context, s *session, o order, m migration.Migration) (string, error) {
	if o.word == "" {
		return "is being cancelled: it sends nothing more and ends when its open jobs have ended", s.temporal.Cancel(ctx, m, o.reason)
	}
	c := migration.Command{By: a.who(), Reason: o.reason, Partition: o.partition}
	queues, err := s.temporal.Queues(ctx)
	if err != nil {
		return "", err
	}
	if queue := queues.missing(); queue != "" {
		return fmt.Sprintf("will %s as soon as a worker polls task queue %s: none does", o.word, queue), s.temporal.Leave(ctx, m, o.word, c)
	}
	p, err := s.temporal.Tell(ctx, m, o.word, c)
	return progressWords(p, a), err
}

// progressWords is a workflow's answer in one line.
func progressWords(p migration.Progress, a *app) string {
	line := stateWord(p.State)
	if !p.State.Ended() {
		line += fmt.Sprintf(", %d %%", p.Percent)
	}
	if p.Reason.Code != "" {
		line += ": " + reasonWords(p.Reason, a.now())
	}
	return line
}

// running is what --all means where ended migrations cannot be told anything.
func running(r *migration.RunRecord) bool { return r != nil && !r.State.Ended() }

func paused(r *migration.RunRecord) bool { return r != nil && r.State == migration.StatePaused }

// notRunning says what became of a migration that cannot be told anything.
func notRunning(_ context.Context, _ *session, m migration.Migration, r *migration.RunRecord) error {
	of := []migration.Migration{m}
	switch {
	case r == nil:
		return fmt.Errorf("it was never started: %s", again("start", of))
	case r.State.Ended():
		return fmt.Errorf("it has ended (%s); %s shows how", stateWord(r.State), again("status", of))
	}
	return fmt.Errorf("it does not run in Temporal any more; %s says why, %s goes on", again("status", of), again("start", of))
}
