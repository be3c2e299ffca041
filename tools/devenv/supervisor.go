package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/signal"
	"slices"
	"sync"
	"syscall"
)

// superviseCommand is the detached process behind `up`: it keeps the servers
// of the plan in DIR running until SIGTERM, and reads the plan again on SIGHUP.
// With --leash it also ends when its standard input closes, that is when the
// process that started it is gone, and then deletes DIR.
func superviseCommand(ctx context.Context, args []string) error {
	leash := len(args) > 0 && args[0] == "--leash"
	if leash {
		args = args[1:]
	}
	if len(args) != 1 {
		return fmt.Errorf("supervise [--leash] DIR is started by the other commands only")
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	if leash {
		defer os.RemoveAll(args[0])
		go func() {
			// Any end of the input, also by an error, means that the holder is gone.
			_, _ = io.Copy(io.Discard, os.Stdin)
			cancel()
		}()
	}
	reload := make(chan os.Signal, 1)
	signal.Notify(reload, syscall.SIGHUP)
	return newSupervisor(args[0]).run(ctx, reload)
}

// supervisor keeps servers running: a server that ends is started again.
type supervisor struct {
	dir      string
	children []*child // in the order of the plan

	mu    sync.Mutex
	state state
}

func newSupervisor(dir string) *supervisor {
	return &supervisor{dir: dir, state: state{Supervisor: newProcess(os.Getpid())}}
}

// run returns after the context has ended and every server has stopped.
func (s *supervisor) run(ctx context.Context, reload <-chan os.Signal) error {
	defer s.stopAll()
	for {
		next, err := readPlan(s.dir)
		if err != nil {
			return err
		}
		if err := s.apply(next); err != nil {
			return err
		}
		select {
		case <-ctx.Done():
			return nil
		case <-reload:
		}
	}
}

// apply stops what is no longer planned or has changed, then starts the rest.
func (s *supervisor) apply(next plan) error {
	s.stop(func(c *child) bool {
		planned, found := next.find(c.server.Name)
		return !found || planned.digest() != c.server.digest()
	})
	kept := s.children
	s.children = nil
	for _, planned := range next.Servers {
		i := slices.IndexFunc(kept, func(c *child) bool { return c.server.Name == planned.Name })
		if i >= 0 {
			s.children = append(s.children, kept[i])
			continue
		}
		s.report(planned.initialState()) // here, to keep the plan's order
		started, err := startChild(planned, s.dir, s.report)
		if err != nil {
			return err
		}
		s.children = append(s.children, started)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.state.Plan = next.digest()
	return s.state.write(s.dir)
}

func (s *supervisor) stopAll() { s.stop(func(*child) bool { return true }) }

// stop ends the chosen servers, the last started first.
func (s *supervisor) stop(chosen func(*child) bool) {
	for i := len(s.children) - 1; i >= 0; i-- {
		c := s.children[i]
		if !chosen(c) {
			continue
		}
		c.stop()
		s.children = slices.Delete(s.children, i, i+1)
		s.forget(c.server.Name)
	}
}

// report stores what a child says about itself.
func (s *supervisor) report(of serverState) {
	s.mu.Lock()
	defer s.mu.Unlock()
	i := slices.IndexFunc(s.state.Servers, func(o serverState) bool { return o.Name == of.Name })
	if i < 0 {
		s.state.Servers = append(s.state.Servers, of)
	} else {
		s.state.Servers[i] = of
	}
	s.save()
}

func (s *supervisor) forget(name string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.state.Servers = slices.DeleteFunc(s.state.Servers, func(o serverState) bool { return o.Name == name })
	s.save()
}

// save must not end the servers when the disk is full, so it only complains;
// standard error is the supervisor's log.
func (s *supervisor) save() {
	if err := s.state.write(s.dir); err != nil {
		fmt.Fprintln(os.Stderr, err)
	}
}
