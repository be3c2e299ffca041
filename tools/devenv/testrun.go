package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os/exec"
	"slices"
	"strings"
	"time"
)

// test runs the tests against servers of their own, and ends with the line
// `N passed, N failed, N skipped`. args are packages and flags for go test; no
// packages means all, those of this tool included.
func (e environment) test(ctx context.Context, args []string) error {
	report := newTestReport(e.console)
	cli := e.startTemporalCLI(ctx)
	if err := e.build(ctx); err != nil {
		if ctx.Err() != nil {
			return err
		}
		report.fail("build", err.Error())
	}
	return e.onTestServers(ctx, cli, func(env []string) error { return e.runTests(ctx, report, env, args) })
}

func (e environment) runTests(ctx context.Context, report *testReport, env, args []string) error {
	given, namesPackages := goTestArguments(args)
	e.runGoTest(ctx, report, e.checkout.root, env, given)
	if !namesPackages && ctx.Err() == nil {
		e.runGoTest(ctx, report, e.checkout.tools("devenv"), env, given)
	}
	if ctx.Err() != nil {
		report.fail("the run", "interrupted; what did not end was not counted")
	}
	if !report.finish().clean() {
		return exitCode(exitError)
	}
	return nil
}

// goTestArguments adds what the caller left out, and says whether the caller
// named packages.
func goTestArguments(args []string) (complete []string, namesPackages bool) {
	flags, forTests := args, []string(nil)
	if i := slices.IndexFunc(args, func(a string) bool { return a == "-args" || a == "--args" }); i >= 0 {
		flags, forTests = args[:i], args[i:]
	}
	namesPackages = slices.ContainsFunc(flags, func(a string) bool {
		return a == "." || strings.HasPrefix(a, "./") || a == "farewell" || strings.HasPrefix(a, "farewell/")
	})
	complete = []string{"test", "-json"}
	// A cached result was got with other servers.
	complete = append(complete, defaultFlag(flags, "count", "1")...)
	complete = append(complete, defaultFlag(flags, "timeout", "20m")...)
	complete = append(complete, flags...)
	if !namesPackages {
		complete = append(complete, "./...")
	}
	return append(complete, forTests...), namesPackages
}

func defaultFlag(flags []string, name, value string) []string {
	given := slices.ContainsFunc(flags, func(a string) bool {
		a, _, _ = strings.Cut(strings.TrimLeft(a, "-"), "=")
		return a == name
	})
	if given {
		return nil
	}
	return []string{"-" + name + "=" + value}
}

// runGoTest runs the tests of one module.
func (e environment) runGoTest(ctx context.Context, report *testReport, module string, env, args []string) {
	cmd := exec.CommandContext(ctx, "go", args...)
	cmd.Dir, cmd.Env = module, env
	var complaints bytes.Buffer
	cmd.Stderr = &complaints
	inGroup(cmd)
	before := report.failures()
	err := e.followGoTest(cmd, report)
	endGroup(ctx, cmd)
	if err != nil && report.failures() == before && ctx.Err() == nil {
		report.fail("go test in "+module, fmt.Sprintf("%v\n%s", err, complaints.String()))
	}
}

func (e environment) followGoTest(cmd *exec.Cmd, report *testReport) error {
	events, err := cmd.StdoutPipe()
	if err != nil {
		return err
	}
	if err := cmd.Start(); err != nil {
		return err
	}
	stop := make(chan struct{})
	defer close(stop)
	go e.showProgress(report, stop)
	if err := report.read(events); err != nil {
		return errors.Join(err, cmd.Wait())
	}
	return cmd.Wait()
}

func (e environment) showProgress(report *testReport, stop <-chan struct{}) {
	every := plainEvery
	if e.console.live {
		every = liveEvery
	}
	tick := time.NewTicker(every)
	defer tick.Stop()
	for {
		select {
		case now := <-tick.C:
			e.console.show(report.progress(now))
		case <-stop:
			return
		}
	}
}
