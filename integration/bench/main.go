// Command bench measures a migration of 100,000 tickets into the sandbox beside
// a bare loop that reads the same rows and posts the same bodies, and compares
// what it finds with the project's aims. `make bench` gives it its servers.
package main

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"syscall"

	"farewell/integration/figures"
	"farewell/integration/programs"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if len(os.Args) > 1 && os.Args[1] == loopCommand {
		exit(loopMain(ctx, os.Args[2:]))
	}
	exit(benchMain(ctx))
}

func exit(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
	os.Exit(0)
}

// benchMain prints one line for each figure and fails when an aim is missed.
func benchMain(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, benchLimit)
	defer cancel()
	where, err := programs.GivenServers("bench")
	if err != nil {
		return err
	}
	b, err := prepare(ctx, where)
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
