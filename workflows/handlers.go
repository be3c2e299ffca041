package workflows

import (
	"fmt"
	"time"

	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/workflow"

	"farewell/migration"
)

// How long the workflow waits for the update or the cancellation that belongs
// to a word which an activity heard on the control channel first.
const (
	pauseArrives        = 5 * time.Second
	cancellationArrives = 30 * time.Second
)

// command is one thing that an operator can tell a running migration.
type command struct {
	name        string
	description string
	validate    func(r *run, c migration.Command) error
	apply       func(r *run, ctx workflow.Context, c migration.Command) error
}

func commands() []command {
	return []command{
		{migration.UpdatePause, "stop sending, let open jobs end, wait", (*run).mayPause, (*run).pause},
		{migration.UpdateResume, "go on after a pause", (*run).mayResume, (*run).resume},
		{migration.UpdateRetry, "try parked partitions again", (*run).hasParked, (*run).retry},
		{migration.UpdateSkip, "give parked partitions up", (*run).hasParked, (*run).skip},
	}
}

// listen registers the query, the updates and their signal twins, before the
// first step, so that none can arrive too early.
func (r *run) listen(ctx workflow.Context) error {
	if err := workflow.SetQueryHandlerWithOptions(ctx, migration.QueryProgress, func() (migration.Progress, error) {
		return r.progress(), nil
	}, workflow.QueryHandlerOptions{Description: "state, counts and the reason for waiting"}); err != nil {
		return err
	}
	for _, c := range commands() {
		if err := r.listenTo(ctx, c); err != nil {
			return err
		}
	}
	return nil
}

func (r *run) listenTo(ctx workflow.Context, c command) error {
	workflow.GoNamed(ctx, "signal "+c.name, func(ctx workflow.Context) {
		signals := workflow.GetSignalChannel(ctx, c.name)
		for {
			var word migration.Command
			if !signals.Receive(ctx, &word) {
				return
			}
			if err := c.validate(r, word); err != nil {
				workflow.GetLogger(ctx).Warn("signal refused", "signal", c.name, "error", err)
				continue
			}
			if err := c.apply(r, ctx, word); err != nil {
				return // only a cancelled run fails here
			}
		}
	})
	return workflow.SetUpdateHandlerWithOptions(ctx, c.name,
		func(ctx workflow.Context, word migration.Command) (migration.Progress, error) {
			err := c.apply(r, ctx, word)
			return r.progress(), err
		},
		workflow.UpdateHandlerOptions{
			Description: c.description,
			Validator:   func(word migration.Command) error { return c.validate(r, word) },
		})
}

func (r *run) mayPause(migration.Command) error {
	if r.paused != nil {
		return fmt.Errorf("already paused by %s", r.paused.By)
	}
	if r.state == migration.StateCancelling || r.state.Ended() {
		return fmt.Errorf("cannot pause a migration that is %s", r.state)
	}
	return nil
}

func (r *run) mayResume(migration.Command) error {
	if r.paused == nil {
		return fmt.Errorf("not paused; the state is %s", r.state)
	}
	return nil
}

func (r *run) hasParked(c migration.Command) error {
	if len(r.parked) == 0 {
		return fmt.Errorf("nothing is parked; the state is %s", r.state)
	}
	if c.Partition != "" {
		if _, ok := r.parked[c.Partition]; !ok {
			return fmt.Errorf("partition %s is not parked; parked: %v", c.Partition, workflow.DeterministicKeys(r.parked))
		}
	}
	return nil
}

func (r *run) pause(ctx workflow.Context, c migration.Command) error {
	r.paused = &c
	if !r.asking || !r.hidden(ctx) {
		r.resting = r.state
	}
	r.state = migration.StatePaused
	r.reason = migration.Reason{Code: "paused", Text: said("paused", c), Since: workflow.Now(ctx)}
	return r.announce(ctx, migration.ControlPause, c)
}

// resume tells the workers before it lets the lanes go on: a lane that still
// heard the old word would stop again at once.
func (r *run) resume(ctx workflow.Context, c migration.Command) error {
	r.state = r.resting
	r.reason = migration.Reason{}
	if r.asking && r.hidden(ctx) {
		r.ask()
	}
	if err := r.announce(ctx, migration.ControlRun, c); err != nil {
		return err
	}
	r.paused = nil
	return nil
}

// said is an operator's word in one line.
func said(what string, c migration.Command) string {
	s := what + " by " + c.By
	if c.Reason != "" {
		s += ": " + c.Reason
	}
	return s
}

func (r *run) retry(_ workflow.Context, c migration.Command) error {
	r.decide(c, r.retried)
	return nil
}

func (r *run) skip(_ workflow.Context, c migration.Command) error {
	r.decide(c, r.skipped)
	return nil
}

// decide moves parked partitions to those with a verdict.
func (r *run) decide(c migration.Command, verdict map[string]bool) {
	for _, id := range workflow.DeterministicKeys(r.parked) {
		if c.Partition == "" || c.Partition == id {
			verdict[id] = true
			delete(r.parked, id)
		}
	}
}

// announce writes the run's state, and its word to all workers, to the ledger.
func (r *run) announce(ctx workflow.Context, word migration.Control, c migration.Command) error {
	in := r.record(word, false)
	in.By, in.Why = c.By, c.Reason
	if _, err := execute(ctx, controls(r.try("state"), "state: "+string(r.state)), migration.RecordState, in); err != nil {
		return err
	}
	return r.show(ctx)
}

// announceCancellation tells every worker through the ledger, which is faster
// than the next heartbeat, that a run is being cancelled.
func (r *run) announceCancellation(ctx workflow.Context) {
	_ = ctx.Done().Receive(ctx, nil) // closed, never sent to
	if r.state.Ended() || r.ending {
		return
	}
	r.state = migration.StateCancelling
	r.paused = nil
	detached, _ := workflow.NewDisconnectedContext(ctx)
	if err := r.announce(detached, migration.ControlCancel, migration.Command{}); err != nil {
		workflow.GetLogger(ctx).Error("the cancellation could not be announced", "error", err)
	}
	r.announced = true
}

// park sets a partition aside until an operator decides about it; the others
// go on.
func (r *run) park(ctx workflow.Context, p migration.Parked) {
	p.Since = workflow.Now(ctx)
	r.parked[p.Partition] = p
}

// awaitVerdicts keeps the run in needs_attention while anything is parked, or
// has resume bring it there.
func (r *run) awaitVerdicts(ctx workflow.Context) error {
	if len(r.parked) == 0 {
		return nil
	}
	r.asking = true
	if !r.hidden(ctx) {
		r.ask()
	}
	if err := r.announce(ctx, unchanged, migration.Command{}); err != nil {
		return err
	}
	if err := workflow.Await(ctx, func() bool { return len(r.parked) == 0 }); err != nil {
		return err
	}
	r.asking = false
	if r.state == migration.StateNeedsAttention || !r.hidden(ctx) {
		r.state = r.resting
		r.reason = migration.Reason{}
	}
	return r.announce(ctx, unchanged, migration.Command{})
}

// ask shows what an operator is to decide about first.
func (r *run) ask() {
	if len(r.parked) == 0 {
		return // the verdict has come, and awaitVerdicts is about to see it
	}
	r.state = migration.StateNeedsAttention
	first := r.parked[workflow.DeterministicKeys(r.parked)[0]]
	r.reason = migration.Reason{Code: first.Code, Text: first.Partition + ": " + first.Text, Since: first.Since}
}

// hidden tells whether a pause is shown in place of what goes on behind it. A
// run of an earlier program showed whichever came last, and after the pause
// what had been before it, which may be over by then.
func (r *run) hidden(ctx workflow.Context) bool {
	return r.paused != nil && workflow.GetVersion(ctx, "pause shown first", workflow.DefaultVersion, 1) == 1
}

// awaitPause waits for the update that belongs to a pause which an activity
// heard first. Where none comes, the word was an old one, or its update failed
// and the operator was told so: the workers hear that the run goes on.
func (r *run) awaitPause(ctx workflow.Context) error {
	came, err := workflow.AwaitWithTimeout(ctx, pauseArrives, func() bool { return r.paused != nil })
	if err != nil || came {
		return err
	}
	return r.announce(ctx, migration.ControlRun, migration.Command{})
}

// awaitCancellation does the same for a cancellation.
func (r *run) awaitCancellation(ctx workflow.Context) error {
	if _, err := workflow.AwaitWithTimeout(ctx, cancellationArrives, func() bool { return false }); err != nil {
		return err
	}
	return temporal.NewCanceledError()
}
