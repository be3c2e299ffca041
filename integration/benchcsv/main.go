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
	"syscall"
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
	where, err := readPlaces(steps)
	if err != nil {
		return err
	}
	b, err := prepare(ctx, where)
	if err != nil {
		return err
	}
	defer b.close()
	var r report
	if err := b.measure(ctx, &r); err != nil {
		return err
	}
	return r.write(os.Stdout, reportFile)
}
