package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"time"
)

const (
	// firstRestart is the wait before a server is started again; it doubles
	// while the server keeps failing.
	firstRestart = 500 * time.Millisecond
	lastRestart  = 15 * time.Second
	// steadyAfter is how long a server must have run for its failure to count
	// as the first one again.
	steadyAfter = 10 * time.Second
)

// child is one server under supervision.
type child struct {
	server server
	dir    string
	report func(serverState)
	cancel context.CancelFunc
	ended  chan struct{}
}

// startChild starts the server and returns; a server that cannot be started is
// tried again like one that ends.
func startChild(s server, dir string, report func(serverState)) (*child, error) {
	if err := os.MkdirAll(filepath.Join(dir, "log"), 0o755); err != nil {
		return nil, fmt.Errorf("make the folder for logs: %w", err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	c := &child{server: s, dir: dir, report: report, cancel: cancel, ended: make(chan struct{})}
	go c.keepRunning(ctx)
	return c, nil
}

// stop returns when the process has ended.
func (c *child) stop() {
	c.cancel()
	<-c.ended
}

func (c *child) keepRunning(ctx context.Context) {
	defer close(c.ended)
	status := c.server.initialState()
	wait := firstRestart
	for {
		status.Since = time.Now()
		err := c.runOnce(ctx, &status)
		if ctx.Err() != nil {
			return
		}
		if time.Since(status.Since) > steadyAfter {
			wait = firstRestart
		}
		status.Process, status.LastExit = process{}, describeExit(err)
		status.Restarts++
		c.report(status)
		fmt.Fprintf(os.Stderr, "%s %s ended (%s); starting it again in %v\n",
			time.Now().Format(time.RFC3339), c.server.Name, status.LastExit, wait)
		select {
		case <-time.After(wait):
		case <-ctx.Done():
			return
		}
		wait = min(2*wait, lastRestart)
	}
}

// runOnce returns when the process has ended, by itself or because the context
// did.
func (c *child) runOnce(ctx context.Context, status *serverState) error {
	cmd, err := c.command()
	if err != nil {
		return err
	}
	defer cmd.Stdout.(*os.File).Close()
	if err := cmd.Start(); err != nil {
		return err
	}
	status.Process = newProcess(cmd.Process.Pid)
	c.report(*status)
	var ending error
	exited := make(chan struct{})
	go func() {
		ending = cmd.Wait()
		close(exited)
	}()
	select {
	case <-exited:
		return ending
	case <-ctx.Done():
	}
	// Signals go to the process by its handle: it is our child, not yet waited
	// for, so its id cannot belong to another.
	_ = cmd.Process.Signal(c.server.StopSignal) // an error means that it has ended
	select {
	case <-exited:
	case <-time.After(c.server.StopTimeout):
		_ = cmd.Process.Kill() // as above
		<-exited
	}
	return ctx.Err()
}

func (c *child) command() (*exec.Cmd, error) {
	name := filepath.Join(c.dir, "log", c.server.Name+".log")
	log, err := os.OpenFile(name, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
	if err != nil {
		return nil, fmt.Errorf("open the log of %s: %w", c.server.Name, err)
	}
	cmd := exec.Command(c.server.Args[0], c.server.Args[1:]...)
	cmd.Dir = c.server.Dir
	cmd.Env = append(os.Environ(), c.server.Env...)
	cmd.Stdout, cmd.Stderr = log, log
	// A group of its own, so that a signal to the supervisor's group leaves the
	// order of stopping to the supervisor.
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Credential: c.server.RunAs.credential()}
	return cmd, nil
}

func describeExit(err error) string {
	if err == nil {
		return "exit status 0"
	}
	return err.Error()
}
