package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"time"
)

// applyPlan makes the supervisor of that folder run the plan, and starts it if
// there is none. It returns when the processes have been started; whether they
// answer is another question.
func applyPlan(ctx context.Context, dir string, p plan) error {
	current, err := readState(dir)
	if err != nil {
		return err
	}
	if current.Supervisor.alive() {
		if err := p.write(dir); err != nil {
			return err
		}
		if err := current.Supervisor.signal(syscall.SIGHUP); err != nil {
			return err
		}
		return awaitPlan(ctx, dir, p)
	}
	if err := endOrphans(ctx, current); err != nil {
		return err
	}
	if err := p.write(dir); err != nil {
		return err
	}
	if _, err := startSupervisor(dir); err != nil {
		return err
	}
	return awaitPlan(ctx, dir, p)
}

// startSupervisor detaches a process that outlives this one. Its input is a
// pipe whose other end is returned when a leash is asked for.
func startSupervisor(dir string, leash ...string) (io.WriteCloser, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, fmt.Errorf("find this program: %w", err)
	}
	if err := os.MkdirAll(filepath.Join(dir, "log"), 0o755); err != nil {
		return nil, fmt.Errorf("make the folder for logs: %w", err)
	}
	log, err := os.OpenFile(filepath.Join(dir, "log", "supervisor.log"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
	if err != nil {
		return nil, fmt.Errorf("open the supervisor's log: %w", err)
	}
	defer log.Close()
	cmd := exec.Command(self, append(append([]string{"supervise"}, leash...), dir)...)
	cmd.Stdout, cmd.Stderr = log, log
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	var held io.WriteCloser
	if len(leash) > 0 {
		if held, err = cmd.StdinPipe(); err != nil {
			return nil, fmt.Errorf("hold the supervisor: %w", err)
		}
	}
	if err := cmd.Start(); err != nil {
		return nil, fmt.Errorf("start the supervisor: %w", err)
	}
	// Reaped here while this program lives, by the system afterwards.
	go func() { _ = cmd.Wait() }()
	return held, nil
}

// awaitPlan allows for a worker that finishes its jobs before it stops.
func awaitPlan(ctx context.Context, dir string, p plan) error {
	err := waitUntil(ctx, time.Minute, func() bool {
		current, err := readState(dir)
		return err == nil && current.Supervisor.alive() && current.Plan == p.digest()
	})
	if err != nil {
		return fmt.Errorf("the supervisor does not take over its plan, see %s: %w", filepath.Join(dir, "log", "supervisor.log"), err)
	}
	return nil
}

// stopSupervisor ends the supervisor and all that it started, and nothing else.
// It says whether there was anything to stop.
func stopSupervisor(ctx context.Context, dir string) (bool, error) {
	current, err := readState(dir)
	if err != nil {
		return false, err
	}
	found := current.Supervisor.alive()
	if found {
		if err := current.Supervisor.end(ctx, syscall.SIGTERM, stopPatience(current)); err != nil {
			return found, fmt.Errorf("stop the supervisor: %w", err)
		}
	}
	for _, s := range current.Servers {
		found = found || s.Process.alive()
	}
	return found, endOrphans(ctx, current)
}

func stopPatience(s state) time.Duration {
	patience := 5 * time.Second
	for _, one := range s.Servers {
		patience += one.StopTimeout
	}
	return patience
}

// endOrphans ends servers whose supervisor was killed.
func endOrphans(ctx context.Context, s state) error {
	var all error
	for i := len(s.Servers) - 1; i >= 0; i-- {
		one := s.Servers[i]
		if err := one.Process.end(ctx, one.StopSignal, one.StopTimeout); err != nil {
			all = errors.Join(all, fmt.Errorf("stop %s: %w", one.Name, err))
		}
	}
	return all
}
