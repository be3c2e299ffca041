package main

import (
	"context"
	"fmt"
	"io"
	"maps"
	"os"
	"slices"
	"strings"
	"time"

	"farewell/integration/chaos/judge"
)

// report is a line for each figure.
type report struct {
	lines  []string
	missed int
}

// check adds a figure with its aim.
func (r *report) check(name string, value int, unit, aim string, met bool) {
	word := "met"
	if !met {
		word, r.missed = "missed", r.missed+1
	}
	r.lines = append(r.lines, fmt.Sprintf("%s %d %s aim %s %s", name, value, unit, aim, word))
}

func (r *report) least(name string, value int, unit string, aim int) {
	r.check(name, value, unit, fmt.Sprintf(">=%d", aim), value >= aim)
}

func (r *report) none(name string, value int, unit string) {
	r.check(name, value, unit, "0", value == 0)
}

func (r *report) figure(name string, value int, unit string) {
	r.lines = append(r.lines, fmt.Sprintf("%s %d %s", name, value, unit))
}

// report puts everything together, prints it, and fails when an aim is missed.
func (w *world) report(ctx context.Context, v judge.Verdict, took time.Duration) error {
	struck := maps.Clone(w.fired)
	looked, err := w.lookups(ctx)
	if err != nil {
		return err
	}
	recovery, err := w.recovery(ctx)
	if err != nil {
		return err
	}
	var r report
	r.figure("seed", int(w.seed), "")
	r.figure("took", int(took.Seconds()), "s")
	w.reportFaults(&r, struck)
	w.reportDoubts(&r, looked)
	if err := w.reportEnds(ctx, &r); err != nil {
		return err
	}
	r.none("lost", v.Lost, "tickets")
	r.none("duplicated", v.Duplicated, "tickets")
	r.figure("duplicates_repaired", looked.repaired, "tickets")
	r.none("misreported", v.Misreported, "tickets")
	r.none("hung", 0, "migrations") // run fails before this when one is
	r.check("recovery_longest", int(recovery.longest.Seconds()), "s", "<=60", recovery.longest <= time.Minute)
	r.figure("recovery_measured", recovery.measured, "times")
	for _, example := range v.Examples {
		r.lines = append(r.lines, "# "+example)
	}
	text := strings.Join(r.lines, "\n") + "\n"
	if _, err := io.WriteString(w.out, text); err != nil {
		return err
	}
	if w.plan.report != "" {
		if err := os.WriteFile(w.plan.report, []byte(text), 0o644); err != nil {
			return err
		}
	}
	if r.missed > 0 {
		return fmt.Errorf("%d aims are missed", r.missed)
	}
	return nil
}

func (w *world) reportFaults(r *report, struck map[string]int) {
	w.mu.Lock()
	acts := map[string]int{}
	kills, stops := 0, 0
	for _, d := range w.done {
		acts[string(d.act)]++
		if d.act.kills() {
			kills++
		} else {
			stops++
		}
	}
	w.mu.Unlock()
	windows := map[moment]int{}
	for _, worker := range w.workers {
		worker.wire.mu.Lock()
		for at, n := range worker.wire.cuts {
			windows[at] += n
			struck["ledger_cut_"+string(at)] += n
		}
		for at, n := range worker.wire.kills {
			windows[at] += n
		}
		worker.wire.mu.Unlock()
	}
	all, kinds := 0, 0
	for _, kind := range slices.Sorted(maps.Keys(struck)) {
		all += struck[kind]
		if struck[kind] >= 20 {
			kinds++
		}
		r.figure("fault_"+kind, struck[kind], "times")
	}
	for _, kind := range slices.Sorted(maps.Keys(acts)) {
		r.figure("act_"+kind, acts[kind], "times")
	}
	accepted := 0
	for kind, n := range struck {
		if windowFaults[kind] {
			accepted += n
		}
	}
	aims := func(long, short int) int {
		if w.aims {
			return long
		}
		return short
	}
	r.least("faults", all+kills+stops, "times", aims(1000, 20))
	r.least("fault_kinds_of_20", kinds, "kinds", aims(15, 0))
	r.least("process_kills", kills, "times", aims(40, 1))
	r.least("process_stops", stops, "times", aims(10, 0))
	r.least("accepted_but_not_answered", accepted, "times", aims(50, 0))
	// A short run hits some window for certain, but not each.
	inWindows := accepted
	for _, at := range []moment{unrecorded, unsettled, unbeaten} {
		r.least(string(at), windows[at], "times", aims(50, 0))
		inWindows += windows[at]
	}
	r.least("in_critical_windows", inWindows, "times", aims(200, 3))
}

func (w *world) reportDoubts(r *report, l lookups) {
	long := func(n int) int {
		if w.aims {
			return n
		}
		return 0
	}
	r.least("batches_in_doubt", l.doubts, "batches", max(1, long(200)))
	for _, by := range []string{"job list", "export", "external id"} {
		r.least("settled_by_"+strings.ReplaceAll(by, " ", "_"), l.by[by], "batches", long(20))
	}
}

// reportEnds checks how every migration ended and which records it says have
// failed.
func (w *world) reportEnds(ctx context.Context, r *report) error {
	states, err := w.ended(ctx)
	if err != nil {
		return err
	}
	unfinished, planted, reported, wrong := 0, 0, 0, 0
	for _, c := range w.customers {
		want := "completed"
		if len(c.poison) > 0 {
			want = "completed_with_failures"
		}
		if states[c.name] != want {
			unfinished++
			w.say("%s is %s, not %s", c.name, states[c.name], want)
		}
		failed, err := w.failedTickets(ctx, c)
		if err != nil {
			return err
		}
		planted += len(c.poison)
		reported += len(failed)
		for id := range failed {
			if !c.poison[id] {
				wrong++
				w.say("%s: ticket %s failed without poison", c.name, id)
			}
		}
		for id := range c.poison {
			if !failed[id] {
				wrong++
				w.say("%s: poisoned ticket %s is not reported as failed", c.name, id)
			}
		}
	}
	r.figure("customers", len(w.customers), "migrations")
	r.none("not_completed", unfinished, "migrations")
	r.figure("poison_planted", planted, "tickets")
	r.figure("failures_reported", reported, "tickets")
	r.none("failures_wrong", wrong, "tickets")
	return nil
}
