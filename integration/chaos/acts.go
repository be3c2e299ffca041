package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/jackc/pgx/v5"
)

// act is something that is done to a process.
type act string

const (
	killUnrecorded act = "SIGKILL_worker_job_not_recorded"
	killUnsettled  act = "SIGKILL_worker_job_not_settled"
	killUnbeaten   act = "SIGKILL_worker_settled_not_beaten"
	terminate      act = "SIGTERM_worker"
	freeze         act = "SIGSTOP_worker"
	killTemporal   act = "SIGKILL_temporal"
	killPostgres   act = "SIGKILL_postmaster"
)

// kills tells whether a process ends by the act.
func (a act) kills() bool { return a != freeze }

var momentOf = map[act]moment{killUnrecorded: unrecorded, killUnsettled: unsettled, killUnbeaten: unbeaten}

// happened is an act and its time.
type happened struct {
	act act
	at  time.Time
}

// armedFor is how long a worker may take to come to the moment of its end.
const armedFor = 20 * time.Second

// act does everything that was planned, in an order of the seed's, and ends
// early when nothing is left to disturb.
func (w *world) act(ctx context.Context, quiet <-chan struct{}) {
	defer w.thaws.Wait()
	var order []act
	for _, a := range []act{killUnrecorded, killUnsettled, killUnbeaten, terminate, freeze, killTemporal, killPostgres} {
		for range w.acts[a] {
			order = append(order, a)
		}
	}
	w.dice.Shuffle(len(order), func(i, j int) { order[i], order[j] = order[j], order[i] })
	for i := 0; i < len(order); i++ {
		// Seconds differ, so that no act keeps step with a beat.
		if wait(ctx, quiet, w.every/2+time.Duration(w.dice.Int64N(int64(w.every)))) {
			return
		}
		did, err := w.do(ctx, quiet, order[i])
		if err != nil {
			w.say("%s: %v", order[i], err)
		}
		if !did && i < len(order)-1 { // nobody came to that moment: later
			j := i + 1 + w.dice.IntN(len(order)-i-1)
			order = slices.Insert(order, j+1, order[i])
		}
	}
}

// wait tells whether there is an end before the time is over.
func wait(ctx context.Context, quiet <-chan struct{}, d time.Duration) (ended bool) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return false
	case <-quiet:
	case <-ctx.Done():
	}
	return true
}

func (w *world) do(ctx context.Context, quiet <-chan struct{}, a act) (did bool, err error) {
	victim := w.workers[w.dice.IntN(len(w.workers))]
	for victim.frozen.Load() {
		victim = w.workers[w.dice.IntN(len(w.workers))]
		if wait(ctx, quiet, 100*time.Millisecond) {
			return false, nil
		}
	}
	pause := time.Duration(500+w.dice.IntN(3000)) * time.Millisecond
	switch a {
	case killTemporal:
		err = w.killServer(ctx, w.temporalProcess)
	case killPostgres:
		err = w.killServer(ctx, w.postmaster)
	case freeze:
		p := victim.process()
		p.Signal(syscall.SIGSTOP)
		w.note(a)
		victim.frozen.Store(true)
		span := time.Duration(3+w.dice.IntN(37)) * time.Second
		w.thaws.Go(func() { // the others go on meanwhile
			wait(ctx, quiet, span)
			p.Signal(syscall.SIGCONT)
			victim.frozen.Store(false)
		})
		return true, nil
	case terminate:
		p := victim.process()
		p.Signal(syscall.SIGTERM)
		w.note(a)
		select {
		case <-p.Ended():
		case <-time.After(45 * time.Second):
			return true, fmt.Errorf("the worker does not end")
		}
		return true, w.restart(ctx, victim, pause)
	default:
		p := victim.process()
		struck := make(chan struct{})
		victim.wire.arm(momentOf[a], func() {
			p.Signal(syscall.SIGKILL)
			close(struck)
		})
		select {
		case <-struck:
		case <-quiet:
		case <-time.After(armedFor):
		}
		if !victim.wire.disarm() {
			return false, nil
		}
		w.note(a)
		<-p.Ended()
		return true, w.restart(ctx, victim, pause)
	}
	if err == nil {
		w.note(a)
	}
	return err == nil, err
}

func (w *world) note(a act) {
	w.say("%s", a)
	w.mu.Lock()
	defer w.mu.Unlock()
	w.done = append(w.done, happened{a, time.Now()})
}

func (w *world) restart(ctx context.Context, h *worker, after time.Duration) error {
	wait(ctx, nil, after)
	for try := 0; ; try++ {
		err := h.start(ctx)
		if err == nil || try == 20 || ctx.Err() != nil {
			return err
		}
		wait(ctx, nil, time.Second) // a server may be down
	}
}

// killServer kills a server of this run's own; its supervisor starts it again.
func (w *world) killServer(ctx context.Context, find func(context.Context) (int, error)) error {
	pid, err := find(ctx)
	if err != nil {
		return err
	}
	return syscall.Kill(pid, syscall.SIGKILL)
}

// postmaster reads the process id from the data folder that the server names.
func (w *world) postmaster(ctx context.Context) (int, error) {
	conn, err := pgx.Connect(ctx, w.Postgres)
	if err != nil {
		return 0, err
	}
	defer conn.Close(ctx)
	var folder string
	if err := conn.QueryRow(ctx, "show data_directory").Scan(&folder); err != nil {
		return 0, err
	}
	text, err := os.ReadFile(filepath.Join(folder, "postmaster.pid"))
	if err != nil {
		return 0, err
	}
	first, _, _ := strings.Cut(string(text), "\n")
	return strconv.Atoi(strings.TrimSpace(first))
}

// temporalProcess finds the server by the port in its arguments, which needs
// Linux.
func (w *world) temporalProcess(context.Context) (int, error) {
	_, port, _ := strings.Cut(w.Temporal, ":")
	found, err := filepath.Glob("/proc/[0-9]*/cmdline")
	if err != nil {
		return 0, err
	}
	for _, file := range found {
		text, err := os.ReadFile(file)
		if err != nil {
			continue // it has ended meanwhile
		}
		args := strings.Split(string(text), "\x00")
		i := slices.Index(args, "--port")
		if i >= 0 && i+1 < len(args) && args[i+1] == port && slices.Contains(args, "start-dev") {
			return strconv.Atoi(filepath.Base(filepath.Dir(file)))
		}
	}
	return 0, fmt.Errorf("no process serves Temporal at port %s", port)
}
