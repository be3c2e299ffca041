package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"slices"
	"strings"
	"syscall"
	"time"
)

// withServersCommand runs a command of the caller's against servers of its own,
// with the product's programs built, and ends with that command's exit code.
func (e environment) withServersCommand(ctx context.Context, args []string) error {
	if len(args) > 0 && args[0] == "--" {
		args = args[1:]
	}
	if len(args) == 0 {
		fmt.Fprintln(os.Stderr, "with-servers needs a command, for example: ./temporal-dev.sh with-servers -- bin/bench")
		return exitCode(exitUsage)
	}
	cli := e.startTemporalCLI(ctx)
	if err := e.build(ctx); err != nil {
		return err
	}
	return e.onTestServers(ctx, cli, func(env []string) error { return runCommand(ctx, env, args) })
}

// onTestServers starts a Postgres and a Temporal that only do uses, and stops
// them when it returns. env is the environment that points there.
func (e environment) onTestServers(ctx context.Context, cli temporalCLI, do func(env []string) error) (err error) {
	var servers *testServers
	err = e.console.during("starting a Postgres and a Temporal for this run alone", "", func() (err error) {
		servers, err = e.startTestServers(ctx, cli)
		return err
	})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, servers.stop()) }()
	return do(e.testVariables(servers, os.Environ()))
}

// testVariables leave out what points at servers of the caller's own: no test
// may ever write there.
func (e environment) testVariables(s *testServers, inherited []string) []string {
	env := slices.DeleteFunc(slices.Clone(inherited), func(v string) bool {
		return strings.HasPrefix(v, "FAREWELL_") || strings.HasPrefix(v, "TEMPORAL_")
	})
	return append(env,
		"FAREWELL_TEST_POSTGRES_URL="+s.postgresURL,
		"FAREWELL_TEST_TEMPORAL_ADDRESS="+s.temporalAddress,
		"FAREWELL_TEST_TEMPORAL_METRICS="+s.temporalMetrics,
		"FAREWELL_TEST_BIN="+e.checkout.root+"/bin")
}

func runCommand(ctx context.Context, env, args []string) error {
	cmd := exec.CommandContext(ctx, args[0], args[1:]...)
	cmd.Env, cmd.Stdout, cmd.Stderr = env, os.Stdout, os.Stderr
	inGroup(cmd)
	err := cmd.Run()
	endGroup(ctx, cmd)
	var exit *exec.ExitError
	if errors.As(err, &exit) && exit.Exited() {
		return exitCode(exit.ExitCode())
	}
	if err != nil {
		return fmt.Errorf("run %s: %w", args[0], err)
	}
	return nil
}

// inGroup gives the command a group of its own, so that an interrupt reaches
// the command's own processes too.
func inGroup(cmd *exec.Cmd) {
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGTERM) }
	cmd.WaitDelay = 20 * time.Second
}

// endGroup ends what did not listen to the interrupt.
func endGroup(ctx context.Context, cmd *exec.Cmd) {
	if ctx.Err() != nil && cmd.Process != nil {
		_ = syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) // no such group is fine
	}
}
