// Command starter is the operator's tool: it starts migrations, shows what they
// do and why they wait, and tells them to pause, go on or stop. It never reads
// a customer's data nor an account's secret; only workers do.
package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	code := newApp(os.Stdin, os.Stdout, os.Stderr).run(ctx, os.Args[1:])
	stop()
	os.Exit(code)
}
