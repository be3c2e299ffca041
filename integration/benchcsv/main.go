// Command benchcsv measures a CSV bundle, from `starter start` to completed,
// beside one psql process that runs \copy of the same statements to plain
// files, and compares what it finds with the project's aims. `make bench-csv`
// gives it its servers.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"strings"
	"syscall"

	"farewell/integration/figures"
	"farewell/integration/programs"
)

func main() {
	steps := flag.String("steps", allSteps, "what is measured")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := benchMain(ctx, *steps)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "bench-csv:", err)
		os.Exit(1)
	}
}

// benchMain prints one line for each figure and fails when an aim is missed.
func benchMain(ctx context.Context, steps string) error {
	ctx, cancel := context.WithTimeout(ctx, benchLimit)
	defer cancel()
	where, err := programs.GivenServers("bench-csv")
	if err != nil {
		return err
	}
	b, err := prepare(ctx, where, strings.Split(steps, ","))
	if err != nil {
		return err
	}
	defer b.close()
	var r figures.Report
	if err := b.measure(ctx, &r); err != nil {
		return err
	}
	return r.Write(os.Stdout, reportFile)
}
