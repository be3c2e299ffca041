// Command files measures what the issue promises of attachments: 2,000 files
// arrive without a byte of difference, what the source cuts short is listed and
// never uploaded as whole, and with ten files of 50 MB on their way a worker
// needs little memory. It prints a line for each figure, and fails when an aim is missed.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"time"
)

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, "files:", err)
		os.Exit(1)
	}
}

var errMissed = errors.New("an aim is missed")

func run() error {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	ctx, cancel := context.WithTimeout(ctx, 10*time.Minute)
	defer cancel()
	memory, err := measureMemory(ctx)
	if err != nil {
		return err
	}
	moved, err := measureFiles(ctx)
	if err != nil {
		return err
	}
	met := true
	for _, f := range append(memory, moved...) {
		verdict := "met"
		if f.value > f.most || f.value < f.least {
			verdict, met = "missed", false
		}
		fmt.Printf("%s %.4g %s aim %s %s\n", f.name, f.value, f.unit, f.aim(), verdict)
	}
	if !met {
		return errMissed
	}
	return nil
}

// figure is a measured value and the bounds of its aim.
type figure struct {
	name        string
	value       float64
	unit        string
	least, most float64
}

func (f figure) aim() string {
	if f.least == f.most {
		return fmt.Sprintf("%.4g", f.most)
	}
	return fmt.Sprintf("<=%.4g", f.most)
}
