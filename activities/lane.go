package activities

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"go.temporal.io/sdk/activity"
	"golang.org/x/sync/errgroup"

	"farewell/destination"
	"farewell/mapping"
	"farewell/migration"
)

const (
	// laneFlight is how many batches of a lane may be on their way. Two lanes
	// fill the account's 25 job slots, while the third comes to its end.
	laneFlight = 13

	// peopleFlight is the same for people, whose one lane fills the job slots.
	peopleFlight = 25

	// controlEvery is how often a lane looks at the control channel's last
	// word, which is in memory.
	controlEvery = 100 * time.Millisecond
)

// lane works on one partition: it reads, sends and settles batch by batch.
// Sending stops at the first word to halt; what is on its way is brought to its
// end all the same.
type lane struct {
	a          *Activities
	dest       destination.Batches
	in         migration.ExportInput
	hold       migration.Hold
	settleOnly bool
	mapping    *mapping.Mapping // the run's; nil: none
	ended      bool             // an earlier attempt has read the range to its end
	pulse      *pulse
	reason     *laneReason
	people     *directory // shared with the run's other lanes

	// A batch is sent anew while the one after it is made ready; who asks for
	// people holds meeting.
	meeting       sync.Mutex
	standIns      map[string]bool  // users whom the source does not know,
	standInTarget migration.Target // and who stands in
	loners        map[string]bool  // requesters of ours whose organizations could not be settled: not asked again, though they may join one yet

	feedCtx  context.Context // for reading and sending; ends with the word to halt
	restCtx  context.Context // for what is on its way; ends when a drain takes too long
	stopFeed context.CancelFunc
	leave    []func()
	flight   errgroup.Group // batches that this lane sent
	seats    chan struct{}  // one is taken by each of them, before its intent is written
	resumed  errgroup.Group // batches that an earlier attempt left open

	mu        sync.Mutex
	known     map[string]bool // source ids that have an outcome or are on their way
	stayed    int             // how many of them were left behind
	cursor    string
	again     []task
	sent      map[string]int // how many batches of the same records and level there were, by the first one's id
	failures  tally
	outcome   *migration.ExportOutcome // why the lane halted; nil while it has not
	undecided *migration.Parked        // a batch that stays in doubt
	slowUp    backoff

	fileFailures tally // of attachments
}

// task is a list of records to be read by id and sent at a level.
type task struct {
	ids   []string
	level int
}

// What a lane is started for.
const (
	exportAll  = false
	settleOnly = true // open jobs are polled; nothing is looked up or sent
)

// flightOf is how many batches of an entity's lane may be on their way.
func flightOf(e migration.Entity) int {
	if e == migration.Tickets {
		return laneFlight
	}
	return peopleFlight
}

// startLane takes the partition over. end must be called.
func (a *Activities) startLane(ctx context.Context, dest destination.Batches, in migration.ExportInput, settleOnly bool) (*lane, error) {
	l := &lane{a: a, dest: dest, in: in, settleOnly: settleOnly,
		known:    map[string]bool{},
		standIns: map[string]bool{},
		loners:   map[string]bool{},
		sent:     map[string]int{},
		seats:    make(chan struct{}, flightOf(in.Partition.Entity)),
	}
	var leave func()
	l.reason, leave = a.Reasons.join(in.Migration, dest.WaitingFor)
	l.pulse = startPulse(ctx, func() migration.Reason { return a.Reasons.of(l.reason) })
	l.leave = []func(){leave, l.pulse.stopBeating}
	people, leavePeople := a.directories.join(in.Migration, in.Run)
	l.people = people
	a.lanes.Add(1)
	l.leave = append(l.leave, leavePeople, func() { a.lanes.Add(-1) })

	var cancelFeed, cancelRest context.CancelFunc
	l.feedCtx, cancelFeed = context.WithCancel(ctx)
	l.restCtx, cancelRest = context.WithCancel(context.WithoutCancel(ctx))
	l.stopFeed = cancelFeed
	watched := make(chan struct{})
	go func() {
		defer close(watched)
		l.watch(ctx, cancelRest)
	}()
	l.leave = append(l.leave, func() { <-watched }, cancelRest, cancelFeed)

	state, err := a.Ledger.TakeOver(ctx, in.Migration, in.Partition, in.Run)
	if err != nil {
		l.end()
		return nil, fmt.Errorf("take over %s: %w", in.Partition.ID, err)
	}
	l.hold, l.ended = state.Hold, state.Ended
	if l.mapping, err = a.mappingOf(ctx, in.Migration, in.Run); err != nil {
		l.end()
		return nil, err
	}
	l.recall(state)
	return l, nil
}

// end lets go of everything that the lane started.
func (l *lane) end() {
	l.stopFeed()
	for i := len(l.leave) - 1; i >= 0; i-- {
		l.leave[i]()
	}
}

// wait returns when everything on its way has ended.
func (l *lane) wait() error { return errors.Join(l.flight.Wait(), l.resumed.Wait()) }

// watch halts the lane at an operator's word, at Temporal's cancellation and
// when the worker stops. What is on its way then has a limited time to end.
func (l *lane) watch(ctx context.Context, cancelRest context.CancelFunc) {
	l.awaitHalt(ctx)
	l.drain(activity.GetWorkerStopChannel(ctx))
	cancelRest()
}

func (l *lane) awaitHalt(ctx context.Context) {
	ticker := time.NewTicker(controlEvery)
	defer ticker.Stop()
	stopping := activity.GetWorkerStopChannel(ctx)
	for {
		select {
		case <-l.feedCtx.Done():
			if ctx.Err() != nil {
				l.halt(migration.ExportOutcome{Stopped: migration.ControlCancel})
			}
			return
		case <-stopping:
			l.halt(migration.ExportOutcome{Waiting: &migration.Reason{
				Code: "worker_stopping", Text: "the worker is being stopped", Since: time.Now(), Until: time.Now(),
			}})
			return
		case <-ticker.C:
			if word := l.a.Controls.Control(l.in.Migration, l.in.Run); word == migration.ControlPause || word == migration.ControlCancel {
				l.halt(migration.ExportOutcome{Stopped: word})
				return
			}
		}
	}
}

// drain returns when what was on its way when the sending stopped should have
// ended. A job that takes longer is left to the next attempt, or to the next
// run: who pauses or cancels need not wait for a job that stays queued.
func (l *lane) drain(stopping <-chan struct{}) {
	until := time.Now().Add(l.in.Timings.LaneWait)
	l.a.Reasons.set(l.reason, "draining", "what was sent is brought to its end, or left to the next attempt at "+until.UTC().Format("15:04:05")+" UTC", until)
	timer := time.NewTimer(l.in.Timings.LaneWait)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-l.restCtx.Done():
	case <-stopping:
		_ = pause(l.restCtx, l.in.Timings.DrainWithin) // a shorter time, or the lane's own end
	}
}

// halt stops the sending. The first word counts.
func (l *lane) halt(out migration.ExportOutcome) {
	l.mu.Lock()
	if l.outcome == nil {
		l.outcome = &out
	}
	l.mu.Unlock()
	l.stopFeed()
}

func (l *lane) halted() *migration.ExportOutcome {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.outcome
}

// recall rebuilds from the ledger what the partition's earlier attempts did:
// which records are decided or on their way, where the cursor stands, what is
// to be sent again.
func (l *lane) recall(state migration.PartitionState) {
	last := map[string]migration.Outcome{}
	failedAt := map[string]time.Time{}
	level := map[string]int{}
	var order []string
	for _, b := range state.Batches {
		l.sent[l.batchID(b.Level, 0, b.SourceIDs)]++
		if b.InOrder {
			l.cursor = b.SourceIDs[len(b.SourceIDs)-1]
		}
		for i, id := range b.SourceIDs {
			if _, seen := last[id]; !seen {
				order = append(order, id)
			}
			l.known[id] = true
			last[id] = 0
			if b.Settled {
				last[id] = b.Outcomes[i]
				failedAt[id] = b.SettledAt
			}
			level[id] = b.Level
			if b.Settled && b.Verdict == verdictSplit {
				level[id] = min(b.Level+1, migration.SingleLevel)
			}
		}
	}
	again := map[int][]string{}
	for _, id := range order {
		retried := last[id] == migration.Failed && failedAt[id].Before(l.in.RetryBefore)
		if last[id] == migration.NotSent || retried {
			again[level[id]] = append(again[level[id]], id)
		}
		if last[id] == migration.Skipped {
			l.stayed++
		}
		if last[id] == migration.Failed && !retried {
			l.failures.failed++
		}
	}
	for lvl := range migration.SingleLevel + 1 {
		l.requeue(again[lvl], lvl)
	}
	for _, b := range state.Batches {
		if !b.Settled {
			l.resumed.Go(func() error { return l.stopOn(l.resume(b)) })
		}
	}
}

// requeue puts records up for sending again, in groups of the level's size.
func (l *lane) requeue(ids []string, level int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	size := l.groupSize(level)
	for len(ids) > 0 {
		n := min(size, len(ids))
		l.again = append(l.again, task{ids: ids[:n:n], level: level})
		ids = ids[n:]
	}
}

// groupSize is how many records a batch of a level holds: all, half, a quarter, one.
func (l *lane) groupSize(level int) int {
	if level >= migration.SingleLevel {
		return 1
	}
	return max(1, l.dest.BatchSize(l.kind())>>level)
}

// nextAgain takes a group off the queue.
func (l *lane) nextAgain() (task, bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.again) == 0 {
		return task{}, false
	}
	t := l.again[0]
	l.again = l.again[1:]
	return t, true
}

// batch makes the next batch of these records.
func (l *lane) batch(ids []string, level int, inOrder bool, readAt time.Time) migration.Batch {
	l.mu.Lock()
	defer l.mu.Unlock()
	batchID := l.batchID(level, 0, ids)
	generation := l.sent[batchID]
	l.sent[batchID]++
	if generation > 0 {
		batchID = l.batchID(level, generation, ids)
	}
	for _, id := range ids {
		l.known[id] = true
	}
	return migration.Batch{
		ID:         batchID,
		Entity:     l.in.Partition.Entity,
		Partition:  l.in.Partition.ID,
		SourceIDs:  ids,
		Level:      level,
		Generation: generation,
		InOrder:    inOrder,
		ReadAt:     readAt,
	}
}

func (l *lane) batchID(level, generation int, ids []string) string {
	return migration.BatchID(l.in.Migration, l.in.Partition.ID, level, generation, ids)
}
