package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// process names one running process for ever: a process id alone is given to
// another program after a restart of the machine or of a container.
type process struct {
	PID      int    `json:"pid"`
	Identity string `json:"identity"`
}

func newProcess(pid int) process { return process{PID: pid, Identity: identityOf(pid)} }

// alive says whether this very process still runs.
func (p process) alive() bool {
	return p.PID > 0 && p.Identity != "" && identityOf(p.PID) == p.Identity
}

// signal sends nothing when the process has ended, even if its id is in use
// again.
func (p process) signal(s syscall.Signal) error {
	if !p.alive() {
		return nil
	}
	if err := syscall.Kill(p.PID, s); err != nil && err != syscall.ESRCH {
		return fmt.Errorf("send %v to process %d: %w", s, p.PID, err)
	}
	return nil
}

// end asks the process to stop, and kills it when it has not stopped in time.
func (p process) end(ctx context.Context, ask syscall.Signal, patience time.Duration) error {
	if err := p.signal(ask); err != nil {
		return err
	}
	if waitUntil(ctx, patience, func() bool { return !p.alive() }) == nil {
		return nil
	}
	if err := p.signal(syscall.SIGKILL); err != nil {
		return err
	}
	if err := waitUntil(ctx, 10*time.Second, func() bool { return !p.alive() }); err != nil {
		return fmt.Errorf("process %d does not end even after SIGKILL: %w", p.PID, err)
	}
	return nil
}

// identityOf is the boot and the time at which a process started, empty when
// there is no such process or only its unreaped remains.
func identityOf(pid int) string {
	if runtime.GOOS != "linux" {
		return identityFromPS(pid)
	}
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return ""
	}
	// The second field is the program's name in parentheses and may contain
	// spaces; see proc(5). Behind it, state is the 1st and starttime the 20th.
	fields := strings.Fields(string(stat[strings.LastIndexByte(string(stat), ')')+1:]))
	if len(fields) < 20 || fields[0] == "Z" || fields[0] == "X" {
		return ""
	}
	boot, err := os.ReadFile("/proc/sys/kernel/random/boot_id")
	if err != nil {
		return fields[19]
	}
	return strings.TrimSpace(string(boot)) + "/" + fields[19]
}

func identityFromPS(pid int) string {
	out, err := exec.Command("ps", "-o", "state=,lstart=", "-p", strconv.Itoa(pid)).Output()
	state, started, _ := strings.Cut(strings.TrimSpace(string(out)), " ")
	if err != nil || strings.HasPrefix(state, "Z") {
		return ""
	}
	return strings.TrimSpace(started)
}

// programOf is the name of the program that a process runs, empty when unknown.
func programOf(pid int) string {
	if comm, err := os.ReadFile(fmt.Sprintf("/proc/%d/comm", pid)); err == nil {
		return strings.TrimSpace(string(comm))
	}
	out, err := exec.Command("ps", "-o", "comm=", "-p", strconv.Itoa(pid)).Output()
	if err != nil {
		return ""
	}
	return filepath.Base(strings.TrimSpace(string(out)))
}

// waitUntil looks every 50 ms until done says so, for at most patience.
func waitUntil(ctx context.Context, patience time.Duration, done func() bool) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for !done() {
		select {
		case <-tick.C:
		case <-ctx.Done():
			return fmt.Errorf("waited %v: %w", patience, ctx.Err())
		}
	}
	return nil
}
