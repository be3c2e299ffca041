// Command pace measures that Farewell uses all that it was granted, never more,
// and does not hurt the source. Every figure about requests comes from the
// sandbox's log of arrivals. `make bench-pace` gives it its servers.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"slices"
	"syscall"
	"time"

	"farewell/integration/programs"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if len(os.Args) > 2 && os.Args[1] == sendCommand {
		exit(sendMain(ctx, os.Args[2]))
	}
	exit(paceMain(ctx, os.Args[1:]))
}

func exit(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, "pace:", err)
		os.Exit(1)
	}
	os.Exit(0)
}

// measurement is one part of the bench, which may also be run alone.
type measurement struct {
	name string
	run  func(context.Context, *bench, *report) error
}

// measurements in the order in which they are run: budgets last, in pairs that
// share the time.
var measurements = []measurement{
	{"edge", measureEdge},
	{"egress", measureEgress},
	{"guest", measureGuest},
	{"jobs", measureJobs},
	{"source", measureSource},
	{"budget", measureBudgets},
}

// paceMain runs all measurements, or those that are named, prints one line for
// each figure and fails when an aim is missed. A single budget is named as in
// its figures.
func paceMain(ctx context.Context, names []string) error {
	for _, name := range names {
		if !slices.ContainsFunc(measurements, func(m measurement) bool { return m.name == name }) && !isBudget(name) {
			return fmt.Errorf("there is no measurement %q", name)
		}
	}
	ctx, cancel := context.WithTimeout(ctx, benchLimit)
	defer cancel()
	where, err := programs.GivenServers("bench-pace")
	if err != nil {
		return err
	}
	b, err := prepare(ctx, where)
	if err != nil {
		return err
	}
	defer b.close()
	b.only = names
	r := newReport()
	if err := r.NoteMachine(); err != nil {
		return err
	}
	var failures error
	for _, m := range measurements {
		if len(names) > 0 && !slices.Contains(names, m.name) && !(m.name == "budget" && slices.ContainsFunc(names, isBudget)) {
			continue
		}
		say("measuring: %s", m.name)
		if err := m.run(ctx, b, r); err != nil {
			failures = errors.Join(failures, fmt.Errorf("%s: %w", m.name, err))
			say("%s: %v", m.name, err)
		}
		if ctx.Err() != nil {
			break
		}
	}
	return errors.Join(failures, r.Write(os.Stdout, reportFile))
}

// say tells a person what goes on.
func say(format string, args ...any) {
	fmt.Printf("%s  %s\n", time.Now().Format(time.TimeOnly), fmt.Sprintf(format, args...))
}
