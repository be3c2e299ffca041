package main

import (
	"context"
	"errors"
	"fmt"
	"sync"

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
	meant func(v view) bool
	// gone is what to do when the migration does not run, and to say.
	gone func(ctx context.Context, s *session, m migration.Migration, r *migration.RunRecord) (string, error)
}

// command makes the cobra command that gives the order.
func (a *app) orderCommand(cmd *cobra.Command, o *order, partitions bool) *cobra.Command {
	cmd.GroupID = groupTell
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		if err := o.who.take(cmd, args); err != nil {
			return err
		}
		return a.within(cmd.Context(), func(s *session) error { return a.give(cmd.Context(), s, *o) })
	}
	o.who.flags(cmd)
	cmd.Flags().StringVar(&o.reason, "reason", "", "why, for your colleagues; status shows it")
	if partitions {
		cmd.Flags().StringVar(&o.partition, "partition", "", "only this parked partition (default all; status shows them)")
	}
	return cmd
}

// give tells every chosen migration, and says how each took it. Those that
// could not be told do not keep it from the others. The workers come first:
// they hear the control channel within a second, whatever Temporal does.
func (a *app) give(ctx context.Context, s *session, o order) error {
	book := newObserver(s, a.now)
	of, err := book.choose(ctx, o.who)
	if err != nil {
		return err
	}
	if err := book.askLedger(ctx, of); err != nil {
		return err
	}
	told := a.tellWorkers(ctx, s, o, book, of)
	if o.who.all {
		// Temporal also knows those that no worker has begun yet.
		book.askTemporal(ctx, of, false)
		of = o.meantAmong(book.views(of))
	}
	return a.giveAll(ctx, s, o, book, of, told)
}

// meantAmong picks what --all is about.
func (o order) meantAmong(views []view) []migration.Migration {
	var of []migration.Migration
	for _, v := range views {
		if o.meant(v) {
			of = append(of, v.Migration)
		}
	}
	return of
}

// tellsAtOnce bounds how many migrations are told at a time. Most of that time is
// waiting for an answer.
const tellsAtOnce = 32

// tellWorkers writes the word to the control channel of every run that it is
// meant for, and returns what went wrong, by migration.
func (a *app) tellWorkers(ctx context.Context, s *session, o order, book *observer, of []migration.Migration) map[migration.Migration]error {
	var mu sync.Mutex
	failures := map[migration.Migration]error{}
	if o.control == "" {
		return failures
	}
	inParallel(of, tellsAtOnce, func(m migration.Migration) {
		r := book.runs.of(m)
		if r == nil || r.State.Ended() || r.State == migration.StatePaused && o.control == migration.ControlPause {
			return
		}
		err := o.contradicts(r)
		if err == nil {
			err = s.memory.SetControl(ctx, m, r.Run, o.control, a.who(), o.reason)
		}
		if err != nil && !errors.Is(err, ledger.ErrNoRun) { // a run that ended meanwhile: the workflow will say so
			mu.Lock()
			defer mu.Unlock()
			failures[m] = err
		}
	})
	return failures
}

// giveAll tells the workflows and prints their answers in order.
func (a *app) giveAll(ctx context.Context, s *session, o order, book *observer, of []migration.Migration, untold map[migration.Migration]error) error {
	var mu sync.Mutex
	answers, failures := map[migration.Migration]string{}, untold
	inParallel(of, tellsAtOnce, func(m migration.Migration) {
		mu.Lock()
		_, failed := failures[m]
		mu.Unlock()
		if failed || ctx.Err() != nil {
			return
		}
		answer, err := a.giveOne(ctx, s, o, m, book.runs.of(m))
		mu.Lock()
		defer mu.Unlock()
		answers[m] = answer
		if err != nil {
			failures[m] = err
		}
	})
	if err := ctx.Err(); err != nil {
		return err
	}
	for _, m := range of {
		if err := failures[m]; err != nil {
			a.warnf("%s: %v", clean(m.Customer), err)
		} else {
			a.printf("%s: %s", clean(m.String()), answers[m])
		}
	}
	if len(failures) > 0 {
		return exit(exitError)
	}
	return nil
}

// giveOne tells the workflow, which decides and answers.
func (a *app) giveOne(ctx context.Context, s *session, o order, m migration.Migration, r *migration.RunRecord) (string, error) {
	if o.control == migration.ControlPause && r != nil && r.State == migration.StatePaused {
		return "is paused already" + said(r.ControlBy, r.ControlWhy), nil
	}
	answer, err := a.tellWorkflow(ctx, s, o, m)
	var refused refusal
	switch {
	case errors.Is(err, errNotRunning):
		return o.gone(ctx, s, m, r)
	case errors.As(err, &refused) && r != nil && r.State.Ended():
		return o.gone(ctx, s, m, r) // Temporal is about to close it
	case errors.As(err, &refused):
		return "", errors.Join(fmt.Errorf("refused: %w", err), a.takeBack(ctx, s, o, m, r))
	case err != nil && o.control != "":
		return "", fmt.Errorf("the workers were told, the workflow was not: %w", err)
	}
	return answer, err
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
func running(v view) bool { return v.State != stateNotStarted && !v.State.Ended() }

// notRunning says what became of a migration that cannot be told anything.
func notRunning(_ context.Context, s *session, m migration.Migration, r *migration.RunRecord) (string, error) {
	switch {
	case r == nil:
		return "", fmt.Errorf("it was never started: %s", s.again("start", m))
	case r.State.Ended():
		return "", fmt.Errorf("it has ended (%s); %s shows how", stateWord(r.State), s.again("status", m))
	}
	return "", fmt.Errorf("it does not run in Temporal any more; %s says why, %s goes on", s.again("status", m), s.again("start", m))
}
