// Command roundtrip migrates the sample CRM and a corpus of hostile records,
// reads every ticket and comment back through the account's public API, and
// compares each field with the sample's own tables. `make roundtrip` gives it
// its servers.
package main

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"syscall"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := run(ctx, os.Stdout)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "roundtrip:", err)
		os.Exit(1)
	}
}
