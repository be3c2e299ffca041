package workflows

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/workflow"

	"farewell/migration"
)

// MigrateCustomer moves one customer to one account. It ends as completed only
// when every record that was read is accounted for; what cannot succeed without
// an operator keeps it open, in the state needs_attention.
func MigrateCustomer(ctx workflow.Context, in migration.MigrateCustomerInput) (migration.Progress, error) {
	r, err := setup(ctx, in)
	if err != nil {
		return migration.Progress{}, err
	}
	return r.finish(ctx, r.steps(ctx))
}

// run is the state of one execution.
type run struct {
	in    migration.MigrateCustomerInput
	id    string
	state migration.State
	// resting is the state to return to after a pause or an operator's verdict.
	resting migration.State
	reason  migration.Reason
	paused  *migration.Command

	rows    map[migration.Entity]int64
	streams bool
	last    []migration.PlannedPartition // what comes when the last ticket is there
	// suspendsLast: it does. A run of an earlier program did not see to that.
	suspendsLast bool
	counts       map[string]migration.Counts // by partition id
	entityOf     map[string]migration.Entity
	exact        migration.EntityCounts // set when the ledger has added up
	comparison   migration.Comparison
	compared     migration.Comparison // of what comes last
	sweep        migration.SweepOutcome
	readBack     migration.ReadBackOutcome
	bundle       string
	published    migration.EntityCounts // the ledger's sums when it was published

	parked  map[string]migration.Parked
	retried map[string]bool // an operator wants the partition tried again
	skipped map[string]bool // an operator gave the partition up
	// tolerated holds when an operator last wanted a partition tried again,
	// its failures notwithstanding.
	tolerated map[string]time.Time
	began     time.Time
	tries     map[string]int // activities scheduled, by partition or step
	told      int64          // times that the ledger was told of the state
	shown     shown
	asking    bool // an operator is waited for, to decide about what is parked
	ending    bool // the end is being written down
	announced bool // every worker knows of the cancellation
}

// shown is what the search attributes say now.
type shown struct {
	state     migration.State
	attention bool
	percent   int
	failed    int64
}

func setup(ctx workflow.Context, in migration.MigrateCustomerInput) (*run, error) {
	r := &run{
		in:        in,
		id:        workflow.GetInfo(ctx).WorkflowExecution.RunID,
		state:     migration.StateWaiting,
		counts:    map[string]migration.Counts{},
		entityOf:  map[string]migration.Entity{},
		parked:    map[string]migration.Parked{},
		retried:   map[string]bool{},
		skipped:   map[string]bool{},
		tolerated: map[string]time.Time{},
		began:     workflow.Now(ctx),
		tries:     map[string]int{},
	}
	if err := r.listen(ctx); err != nil {
		return nil, err
	}
	return r, nil
}

// steps is the table of contents of a migration.
func (r *run) steps(ctx workflow.Context) error {
	ctx, stop := workflow.WithCancel(ctx)
	defer stop()
	workflow.GoNamed(ctx, "announce cancellation", r.announceCancellation)

	if err := r.preflight(ctx); err != nil {
		return err
	}
	partitions, err := r.makePlan(ctx)
	if err != nil {
		return err
	}
	workflow.GoNamed(ctx, "watchdog", r.watchdog)
	if err := r.export(ctx, partitions); err != nil {
		return err
	}
	if err := r.catchUp(ctx); err != nil {
		return err
	}
	return r.verify(ctx)
}

// preflight looks at source and account before anything is written.
func (r *run) preflight(ctx workflow.Context) error {
	if err := r.enter(ctx, migration.StatePreflight); err != nil {
		return err
	}
	out, err := execute(ctx, looks("preflight", "check source and account"), migration.Preflight, migration.PreflightInput{
		Migration: r.in.Migration,
		Run:       r.id,
		Options:   r.in.Options,
	})
	if err != nil {
		return err
	}
	if out.Fatal {
		return temporal.NewNonRetryableApplicationError(refusal(out.Findings), "PreflightRefused", nil)
	}
	return nil
}

// refusal says what a preflight refused, in one line.
func refusal(findings []migration.CheckFinding) string {
	var lines []string
	for _, f := range findings {
		if f.Fatal && !f.OK && !f.Overridden {
			line := f.Name + ": " + f.Text
			if f.Fix != "" {
				line += " (" + f.Fix + ")"
			}
			lines = append(lines, line)
		}
	}
	return strings.Join(lines, "; ")
}

// makePlan fixes the partitions, or takes up those of an earlier run.
func (r *run) makePlan(ctx workflow.Context) ([]migration.Partition, error) {
	if err := r.enter(ctx, migration.StatePlanning); err != nil {
		return nil, err
	}
	out, err := execute(ctx, looks("plan", "cut the source into partitions"), migration.MakePlan, migration.MakePlanInput{
		Migration: r.in.Migration,
		Run:       r.id,
		Options:   r.in.Options,
	})
	if err != nil {
		return nil, err
	}
	r.rows, r.streams = out.Rows, out.Streams
	r.suspendsLast = !r.streams && workflow.GetVersion(ctx, "suspensions last", workflow.DefaultVersion, 1) == 1
	var todo []migration.Partition
	for _, p := range out.Partitions {
		switch {
		case r.suspendsLast && p.Partition.Entity == migration.Suspensions:
			r.last = append(r.last, p)
		case p.Work:
			todo = append(todo, p.Partition)
		}
	}
	return todo, nil
}

// verify proves that the sum is right before the run may call itself completed.
func (r *run) verify(ctx workflow.Context) error {
	if err := r.enter(ctx, migration.StateVerifying); err != nil {
		return err
	}
	for {
		if err := r.gatherProofs(ctx); err != nil {
			return err
		}
		fault := r.fault()
		if fault == "" {
			return nil
		}
		r.park(ctx, migration.Parked{
			Partition: verification,
			Code:      "not_conserved",
			Text:      fault,
			Fix:       "look at `starter failures`, then retry to check again or skip to accept it",
		})
		if err := r.awaitVerdicts(ctx); err != nil {
			return err
		}
		if r.skipped[verification] {
			return nil
		}
		delete(r.retried, verification)
		if err := r.catchUpAgain(ctx); err != nil {
			return err
		}
	}
}

// verification stands for the last step where partitions are parked by id.
const verification = "verification"

// gatherProofs publishes a bundle, or looks at what an account has, and adds up
// the ledger. Nothing of it waits for another part of it, and each has waits of
// its own.
func (r *run) gatherProofs(ctx workflow.Context) error {
	proofs := []func(workflow.Context) error{r.sweepDuplicates, r.readSampleBack}
	if r.streams {
		proofs = []func(workflow.Context) error{r.publish}
	}
	if r.suspendsLast {
		return sideBySide(ctx, append(proofs, func(ctx workflow.Context) error {
			if err := r.exportLast(ctx); err != nil {
				return err
			}
			return r.addUp(ctx)
		})...)
	}
	if workflow.GetVersion(ctx, "proofs side by side", workflow.DefaultVersion, 1) == workflow.DefaultVersion {
		for _, proof := range append(proofs, r.addUp) {
			if err := proof(ctx); err != nil {
				return err
			}
		}
		return nil
	}
	if err := sideBySide(ctx, append(proofs, r.addUp)...); err != nil {
		return err
	}
	if r.streams && !r.exact.Equal(r.published) {
		return r.addUp(ctx) // publishing has brought people since
	}
	return nil
}

// sideBySide takes several steps at once and returns when all have ended. The
// first that fails cancels the others.
func sideBySide(ctx workflow.Context, steps ...func(workflow.Context) error) error {
	ctx, stop := workflow.WithCancel(ctx)
	defer stop()
	var failure error
	done := workflow.NewWaitGroup(ctx)
	for _, step := range steps {
		done.Add(1)
		workflow.GoNamed(ctx, "step", func(ctx workflow.Context) {
			defer done.Done()
			if err := step(ctx); err != nil && failure == nil {
				failure = err
				stop()
			}
		})
	}
	done.Wait(ctx)
	return failure
}

// addUp has the ledger count every record, each once.
func (r *run) addUp(ctx workflow.Context) error {
	in := r.record(unchanged, false)
	in.AddUp = true
	out, err := execute(ctx, controls(r.try("audit"), "add up the ledger"), migration.RecordState, in)
	if err != nil {
		return err
	}
	r.exact = out.Counts
	return nil
}

// fault is what is wrong with the sum, if anything.
func (r *run) fault() string {
	total, missing := r.exact.Total(), r.comparison.Add(r.compared).Missing
	skippedSome := len(r.skipped) > 0
	switch {
	case total.InDoubt > 0 && !skippedSome:
		return strconv.FormatInt(total.InDoubt, 10) + " records are in doubt"
	case !total.Conserved() && !skippedSome:
		return "read " + strconv.FormatInt(total.Read, 10) + " records but settled " + strconv.FormatInt(total.Settled(), 10)
	case missing > 0 && !skippedSome:
		return strconv.FormatInt(missing, 10) + " records of the source have no outcome"
	case r.sweep.Unresolved > 0:
		return strconv.FormatInt(r.sweep.Unresolved, 10) + " records are in the account more than once and it is not clear which copy to keep"
	case r.sweep.Missing > 0:
		return strconv.FormatInt(r.sweep.Missing, 10) + " records that were created are not in the account"
	case r.readBack.Differing > 0:
		return fmt.Sprintf("%d of %d tickets that were read back are not as they were sent: %s",
			r.readBack.Differing, r.readBack.Compared, strings.Join(r.readBack.Examples, ", "))
	}
	return ""
}

func (r *run) sweepDuplicates(ctx workflow.Context) error {
	if r.total().Created == 0 {
		return nil // nothing was written, so nothing can be there twice because of us
	}
	out, err := execute(ctx, looks(r.try("sweep"), "look for duplicates in the account"), migration.SweepDuplicates, migration.SweepInput{
		Migration: r.in.Migration,
		Run:       r.id,
		Repair:    true,
	})
	if err != nil {
		return err
	}
	out.Repaired += r.sweep.Repaired
	r.sweep = out
	return nil
}

// readSampleBack compares a sample of what was created with what was sent.
func (r *run) readSampleBack(ctx workflow.Context) error {
	if r.total().Created == 0 {
		return nil
	}
	if !r.suspendsLast && workflow.GetVersion(ctx, "read back", workflow.DefaultVersion, 1) == workflow.DefaultVersion {
		return nil // the run began before there was a read-back
	}
	out, err := execute(ctx, looks(r.try("read-back"), "read a sample back from the account"), migration.ReadBack, migration.ReadBackInput{
		Migration: r.in.Migration,
		Run:       r.id,
	})
	if err != nil {
		return err
	}
	r.readBack = out
	return nil
}

func (r *run) publish(ctx workflow.Context) error {
	out, err := execute(ctx, looks(r.try("publish"), "publish the bundle"), migration.PublishBundle, migration.PublishInput{
		Migration: r.in.Migration,
		Run:       r.id,
	})
	if err != nil {
		return err
	}
	r.bundle, r.published = out.Path, out.Counts
	return nil
}

// try numbers the activities of a step, so that each has an id that comes from
// the data.
func (r *run) try(step string) string {
	r.tries[step]++
	return step + "/" + strconv.Itoa(r.tries[step])
}

// enter waits while the run is paused, then goes on to a state.
func (r *run) enter(ctx workflow.Context, s migration.State) error {
	r.resting = s
	if err := r.unpaused(ctx); err != nil {
		return err
	}
	r.state = s
	r.reason = migration.Reason{}
	return r.show(ctx)
}

func (r *run) unpaused(ctx workflow.Context) error {
	return workflow.Await(ctx, func() bool { return r.paused == nil })
}

// watchdog asks the ledger now and then whether anything still moves: a lane
// that hangs in a way that no timeout catches shows here.
func (r *run) watchdog(ctx workflow.Context) {
	for {
		// Who waits for an operator needs no watching, and a run that is
		// forgotten for weeks must not fill its history with timers.
		if workflow.Await(ctx, func() bool { return !r.rests() }) != nil {
			return
		}
		timer := workflow.NewTimerWithOptions(ctx, r.in.Timings.Watchdog, workflow.TimerOptions{Summary: "watchdog"})
		if timer.Get(ctx, nil) != nil {
			return // the run has ended or is being cancelled
		}
		if r.rests() {
			continue
		}
		out, err := execute(ctx, controls(r.try("progress"), "is anything still moving?"), migration.CheckProgress, migration.CheckProgressInput{
			Migration: r.in.Migration,
			Run:       r.id,
			Timings:   r.in.Timings,
		})
		if err != nil {
			return // cancelled; anything else is retried for a week
		}
		r.stall(ctx, out)
	}
}

// rests tells whether nothing moves before an operator says so.
func (r *run) rests() bool { return r.paused != nil || r.state == migration.StateNeedsAttention }

func (r *run) stall(ctx workflow.Context, out migration.CheckProgressOutcome) {
	if r.rests() && workflow.GetVersion(ctx, "late word of the watchdog", workflow.DefaultVersion, 1) == 1 {
		return // an operator's turn has come meanwhile, and its reason stays
	}
	r.reason = out.Reason
	if err := r.showAttention(ctx, out.Stalled); err != nil {
		workflow.GetLogger(ctx).Warn("search attributes could not be updated", "error", err)
	}
}

// until is how long to wait for a moment, at least a second: a wait that is
// over must not become a loop without a pause.
func until(ctx workflow.Context, t time.Time) time.Duration {
	return max(time.Second, t.Sub(workflow.Now(ctx)))
}
