// Command devenv is what temporal-dev.sh runs: it brings Farewell's
// development environment up and down without Docker, and runs the tests
// against servers of their own.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"syscall"
)

const usage = `Farewell's development environment: Temporal with its Web UI, Postgres, the
Zendesk sandbox and a worker, on this machine, without Docker.

Usage: ./temporal-dev.sh COMMAND

  up       start everything, fill in the sample customers; returns when all is ready
  demo     up, then migrate the 12 sample customers with live progress
  status   what runs, where, since when
  down     stop what up started; the data stays
  reset    down, and delete the data
  test     run the tests against a Postgres and a Temporal of their own
  with-servers -- COMMAND
           build, then run the command with servers of its own, as test does;
           FAREWELL_TEST_… in its environment say where they are

Examples:
  ./temporal-dev.sh demo
  ./temporal-dev.sh test                                # all tests
  ./temporal-dev.sh test ./ledger/... -run TestFence    # flags and packages as for go test
  FAREWELL_POSTGRES_PORT=54481 ./temporal-dev.sh up     # when a port is taken

Ports: FAREWELL_TEMPORAL_PORT (7480), FAREWELL_UI_PORT (8480),
FAREWELL_POSTGRES_PORT (54480), FAREWELL_SANDBOX_PORT (4480).

To use servers that exist already, set FAREWELL_SOURCE_URL, FAREWELL_LEDGER_URL
or TEMPORAL_ADDRESS; those are then neither started nor stopped.

Logs are in .dev/log, the settings for bin/starter and bin/worker in .dev/env.
`

// Exit codes, the same as bin/starter's where they mean the same.
const (
	exitError       = 1
	exitUsage       = 2
	exitInterrupted = 130
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	code := run(ctx, os.Args[1:])
	stop()
	os.Exit(code)
}

func run(ctx context.Context, args []string) int {
	err := dispatch(ctx, args)
	var exit exitCode
	switch {
	case err == nil:
		return 0
	case errors.As(err, &exit):
		return int(exit)
	case ctx.Err() != nil:
		fmt.Fprintln(os.Stderr, "interrupted")
		return exitInterrupted
	default:
		fmt.Fprintln(os.Stderr, "error:", err)
		return exitError
	}
}

func dispatch(ctx context.Context, args []string) error {
	if len(args) == 0 {
		fmt.Print(usage)
		return nil
	}
	command, rest := args[0], args[1:]
	switch command {
	case "help", "-h", "--help":
		fmt.Print(usage)
		return nil
	case "supervise":
		return superviseCommand(ctx, rest)
	case "test":
		return withEnvironment(func(e environment) error { return e.test(ctx, rest) })
	case "with-servers":
		return withEnvironment(func(e environment) error { return e.withServersCommand(ctx, rest) })
	}
	commands := map[string]func(environment) error{
		"up":     func(e environment) error { return e.upCommand(ctx) },
		"demo":   func(e environment) error { return e.demo(ctx) },
		"down":   func(e environment) error { return e.downCommand(ctx) },
		"reset":  func(e environment) error { return e.resetCommand(ctx) },
		"status": func(e environment) error { return e.status() },
	}
	do, known := commands[command]
	if !known {
		fmt.Fprintf(os.Stderr, "unknown command %q; ./temporal-dev.sh help lists them\n", command)
		return exitCode(exitUsage)
	}
	if len(rest) > 0 {
		fmt.Fprintf(os.Stderr, "%s takes no arguments, got %q; ./temporal-dev.sh help shows examples\n", command, rest)
		return exitCode(exitUsage)
	}
	return withEnvironment(do)
}

// exitCode ends the program with that code and prints nothing more.
type exitCode int

func (c exitCode) Error() string { return fmt.Sprintf("exit code %d", int(c)) }

func withEnvironment(do func(environment) error) error {
	settings, err := readSettings(os.Getenv)
	if err != nil {
		return err
	}
	root, err := os.Getwd()
	if err != nil {
		return fmt.Errorf("find the checkout: %w", err)
	}
	return do(environment{checkout: checkout{root: root}, settings: settings, console: newConsole(os.Stdout)})
}

// environment is the development environment of one checkout.
type environment struct {
	checkout checkout
	settings settings
	console  *console
}
