// Command chaos migrates many customers while it kills, stops and cuts off
// whatever takes part, and then has a judge of its own look for what was lost,
// doubled or changed. `make chaos` gives it its servers.
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
	seed := flag.Uint64("seed", 1, "decides the faults, their order and their moments")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := long(*seed).run(ctx, os.Stdout)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "chaos:", err)
		os.Exit(1)
	}
}
