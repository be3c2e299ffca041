package workflows

import (
	"errors"
	"strconv"
	"time"

	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/workflow"

	"farewell/migration"
)

// export works through the partitions, entity by entity: whoever a ticket names
// is there before it. A bundle's are worked through side by side, since whom
// they name and do not hold is brought when the bundle is published.
func (r *run) export(ctx workflow.Context, partitions []migration.Partition) error {
	if err := r.enter(ctx, migration.StateExporting); err != nil {
		return err
	}
	left := r.in.Options.Limit
	if r.streams {
		return r.exportAll(ctx, partitions, exportLanes, &left)
	}
	for _, e := range migration.Work() {
		work := of(e, partitions)
		if r.in.Options.Limit > 0 && e != migration.Tickets {
			continue // a trial takes the people whom its tickets name, on demand
		}
		lanes := peopleLanes
		if e == migration.Tickets {
			lanes = exportLanes
		}
		if err := r.exportAll(ctx, work, lanes, &left); err != nil {
			return err
		}
	}
	return nil
}

func of(e migration.Entity, partitions []migration.Partition) []migration.Partition {
	var of []migration.Partition
	for _, p := range partitions {
		if p.Entity == e {
			of = append(of, p)
		}
	}
	return of
}

// exportAll brings every partition to its end. Those that are parked keep it
// here until an operator has decided about them.
func (r *run) exportAll(ctx workflow.Context, queue []migration.Partition, lanes int, left *int64) error {
	byID := map[string]migration.Partition{}
	for _, p := range queue {
		byID[p.ID] = p
		r.entityOf[p.ID] = p.Entity
	}
	for len(queue) > 0 {
		if err := r.drain(ctx, queue, lanes, left); err != nil {
			return err
		}
		if err := r.awaitVerdicts(ctx); err != nil {
			return err
		}
		again := r.takeRetried(ctx)
		queue = queue[:0:0]
		for _, id := range again {
			queue = append(queue, byID[id])
		}
	}
	return nil
}

// drain runs the queue dry with a number of lanes.
func (r *run) drain(ctx workflow.Context, queue []migration.Partition, lanes int, left *int64) error {
	var failure error
	done := workflow.NewWaitGroup(ctx)
	for range min(lanes, len(queue)) {
		done.Add(1)
		workflow.GoNamed(ctx, "lane", func(ctx workflow.Context) {
			defer done.Done()
			for len(queue) > 0 && failure == nil {
				p := queue[0]
				queue = queue[1:]
				limit, ok := r.allot(p, left)
				if !ok {
					return
				}
				if err := r.exportPartition(ctx, p, limit); err != nil && failure == nil {
					failure = err
				}
			}
		})
	}
	done.Wait(ctx)
	return failure
}

// allot gives a partition its share of a trial's limit; false when the limit
// is used up.
func (r *run) allot(p migration.Partition, left *int64) (limit int64, ok bool) {
	if r.in.Options.Limit == 0 || p.Entity != migration.Tickets {
		return 0, true
	}
	if *left <= 0 {
		return 0, false
	}
	limit = min(*left, max(p.Rows, 1))
	*left -= limit
	return limit, true
}

// exportPartition schedules the partition's activity until it is done or parked.
func (r *run) exportPartition(ctx workflow.Context, p migration.Partition, limit int64) error {
	for {
		if err := r.unpaused(ctx); err != nil {
			return err
		}
		r.tries[p.ID]++
		out, err := execute(ctx, exports(r.in, p, strconv.Itoa(r.tries[p.ID])), migration.ExportPartition, migration.ExportInput{
			Migration:   r.in.Migration,
			Run:         r.id,
			Partition:   p,
			Timings:     r.in.Timings,
			Limit:       limit,
			RetryBefore: r.retryBefore(p),
			Tolerance:   r.in.Options.MaxFailures.OrDefault(),
			Tolerated:   !r.tolerated[p.ID].IsZero(),
		})
		switch {
		case ctx.Err() != nil:
			return ctx.Err()
		case err != nil:
			r.park(ctx, parkedBy(p, err))
			return nil
		}
		r.counts[p.ID] = out.Counts
		switch {
		case out.Done:
			return r.show(ctx)
		case out.Parked != nil:
			r.park(ctx, *out.Parked)
			return nil
		case out.Stopped == migration.ControlCancel:
			// The word came through the control channel before Temporal's own
			// cancellation, or an operator wrote it without one.
			return r.awaitCancellation(ctx)
		case out.Stopped == migration.ControlPause:
			// The word is on its way to us as an update too.
			if err := r.awaitPause(ctx); err != nil {
				return err
			}
		case out.Waiting != nil:
			if err := r.wait(ctx, p, *out.Waiting); err != nil {
				return err
			}
		}
	}
}

// parkedBy turns an activity that Temporal gave up into a parked partition.
func parkedBy(p migration.Partition, err error) migration.Parked {
	parked := migration.Parked{
		Partition: p.ID,
		Code:      "activity_failed",
		Text:      "the export activity failed for good",
		Fix:       "look at the activity's failure in the Web UI, then retry or skip the partition",
	}
	var app *temporal.ApplicationError
	if errors.As(err, &app) {
		parked.Code, parked.Text = app.Type(), app.Message()
	}
	return parked
}

// wait sleeps out a wait that is too long for an activity: no slot is held.
func (r *run) wait(ctx workflow.Context, p migration.Partition, why migration.Reason) error {
	r.because(why)
	defer r.because(migration.Reason{})
	timer := workflow.NewTimerWithOptions(ctx, until(ctx, why.Until), workflow.TimerOptions{
		Summary: p.ID + " waits: " + why.Text,
	})
	return timer.Get(ctx, nil)
}

// because says why a lane waits, unless the reason for all is a pause.
func (r *run) because(why migration.Reason) {
	if r.paused == nil {
		r.reason = why
	}
}

// retryBefore is the moment before which the partition's failures are to be
// tried again: that of the operator's word.
func (r *run) retryBefore(p migration.Partition) time.Time {
	if at := r.tolerated[p.ID]; !at.IsZero() {
		return at
	}
	if r.in.Options.RetryFailed {
		return r.began
	}
	return time.Time{}
}

// takeRetried returns the partitions that an operator wants tried again.
func (r *run) takeRetried(ctx workflow.Context) []string {
	var again []string
	for _, id := range workflow.DeterministicKeys(r.retried) {
		if id != verification {
			again = append(again, id)
			r.tolerated[id] = workflow.Now(ctx)
			delete(r.retried, id)
		}
	}
	return again
}
