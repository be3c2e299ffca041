package workflows

import (
	"errors"

	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/workflow"

	"farewell/migration"
)

// finish brings open batches to their end and writes down how the run ended,
// whether it succeeded, failed or was cancelled.
func (r *run) finish(ctx workflow.Context, failure error) (migration.Progress, error) {
	cancelled := temporal.IsCanceledError(failure) || ctx.Err() != nil
	detached, _ := workflow.NewDisconnectedContext(ctx)
	if cancelled {
		if err := workflow.Await(detached, func() bool { return r.announced || ctx.Err() == nil }); err != nil {
			return r.progress(), err
		}
	}
	r.ending = true
	if failure != nil {
		if err := r.settleOpen(detached); err != nil {
			return r.progress(), err
		}
	}

	r.paused = nil
	r.state = r.endState(failure, cancelled)
	r.reason = migration.Reason{}
	in := r.record(unchanged, true)
	in.AddUp = failure != nil || r.exact == nil // else nothing was written since the audit
	if failure != nil && !cancelled {
		in.Reason = migration.Reason{Code: "failed", Text: message(failure), Since: workflow.Now(ctx)}
	}
	out, err := execute(detached, controls(r.try("state"), "ended: "+string(r.state)), migration.RecordState, in)
	if err != nil {
		return r.progress(), err
	}
	if in.AddUp {
		r.exact = out.Counts
	}
	if err := r.show(detached); err != nil {
		return r.progress(), err
	}
	if err := workflow.Await(detached, func() bool { return workflow.AllHandlersFinished(detached) }); err != nil {
		return r.progress(), err
	}
	if cancelled {
		return r.progress(), temporal.NewCanceledError()
	}
	return r.progress(), failure
}

// settleOpen polls what is still open in the account, so that nothing is left
// behind that nobody watches. What it cannot settle stays in doubt, and the
// next run resolves it first.
func (r *run) settleOpen(ctx workflow.Context) error {
	if r.rows == nil {
		return nil // nothing was planned, so nothing was sent
	}
	_, err := execute(ctx, looks(r.try("settle"), "settle open batches"), migration.SettleOpen, migration.SettleOpenInput{
		Migration: r.in.Migration,
		Run:       r.id,
		Timings:   r.in.Timings,
	})
	return err
}

func (r *run) endState(failure error, cancelled bool) migration.State {
	switch {
	case cancelled:
		return migration.StateCancelled
	case failure != nil:
		return migration.StateFailed
	case r.total().Failed > 0 || len(r.skipped) > 0:
		return migration.StateCompletedWithFailures
	}
	return migration.StateCompleted
}

// message is the text of the innermost application error: what Temporal wraps
// around it says where, not why.
func message(err error) string {
	var app *temporal.ApplicationError
	if errors.As(err, &app) {
		return app.Message()
	}
	return err.Error()
}

// unchanged leaves the word on the control channel as it is, with who said it.
const unchanged migration.Control = ""

// record is what the ledger is told about the run.
func (r *run) record(word migration.Control, ended bool) migration.RecordStateInput {
	r.told++
	return migration.RecordStateInput{
		Migration:  r.in.Migration,
		Run:        r.id,
		Number:     r.told,
		State:      r.state,
		Control:    word,
		Reason:     r.reason,
		Limit:      r.in.Options.Limit,
		Comparison: r.comparison.Add(r.compared),
		Duplicates: r.sweep.Repaired,
		Parked:     r.parkedList(),
		Ended:      ended,
	}
}
