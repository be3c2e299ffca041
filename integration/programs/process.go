// Package programs runs programs beside a bench, the product's own above all:
// worker, starter and sandbox, on the servers that it was given.
package programs

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// Process is a program that runs beside its caller, who ends it with Stop or
// Kill.
type Process struct {
	cmd   *exec.Cmd
	log   string
	ended chan struct{}
	err   error // how it ended; to be read once ended is closed
}

// stopWithin is how long a program may take to end once it is told to.
const stopWithin = 60 * time.Second

// Start runs a program and returns once it has written a line with the word that
// says that it is ready; line is that line. All that it writes is appended to
// the log: a program that is started again goes on in the one it had. Without an
// environment it has the caller's. When ctx ends, it is stopped as by Stop.
func Start(ctx context.Context, log, ready string, env []string, program string, args ...string) (p *Process, line string, err error) {
	file, err := os.OpenFile(log, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return nil, "", err
	}
	out, in, err := os.Pipe()
	if err != nil {
		return nil, "", errors.Join(err, file.Close())
	}
	p = &Process{cmd: exec.CommandContext(ctx, program, args...), log: log, ended: make(chan struct{})}
	p.cmd.Env, p.cmd.Stdout, p.cmd.Stderr = env, in, in
	p.cmd.Cancel = func() error { return p.cmd.Process.Signal(syscall.SIGTERM) }
	p.cmd.WaitDelay = stopWithin
	err = p.cmd.Start()
	_ = in.Close() // the program has its own
	if err != nil {
		return nil, "", errors.Join(err, out.Close(), file.Close())
	}
	found := make(chan string, 1)
	go func() {
		follow(out, file, ready, found)
		p.err = p.cmd.Wait()
		close(p.ended)
	}()
	select {
	case line, ok := <-found:
		if !ok {
			<-p.ended
			return nil, "", fmt.Errorf("%s ended before it was ready (%w): %s", program, p.err, p.Said())
		}
		return p, line, nil
	case <-ctx.Done():
		p.Kill()
		return nil, "", ctx.Err()
	}
}

// follow writes a program's output to the log, and the first line with the word
// to found, which it closes at the output's end.
func follow(out io.ReadCloser, log io.WriteCloser, word string, found chan<- string) {
	defer out.Close()
	defer log.Close()
	defer close(found)
	lines := bufio.NewReader(out)
	for looking := true; ; {
		line, err := lines.ReadString('\n')
		_, _ = io.WriteString(log, line) // a full disk does not stop the run
		if looking && strings.Contains(line, word) {
			looking = false
			found <- line
		}
		if err != nil {
			return
		}
	}
}

// Ended is closed when the process has ended.
func (p *Process) Ended() <-chan struct{} { return p.ended }

// Said is the end of what the process has written, for a message.
func (p *Process) Said() string {
	said, _ := os.ReadFile(p.log) // better than nothing
	return string(said[max(0, len(said)-2000):])
}

// Signal sends a signal, unless the process has ended.
func (p *Process) Signal(s syscall.Signal) { _ = p.cmd.Process.Signal(s) }

// Kill ends the process, one that was stopped by a signal too, and returns when
// it is gone.
func (p *Process) Kill() {
	p.Signal(syscall.SIGKILL)
	<-p.ended
}

// Stop tells the process to end and returns when it is gone. It is killed when
// that takes it longer than a minute; that, and an exit code other than 0, is an
// error.
func (p *Process) Stop() error {
	p.Signal(syscall.SIGTERM)
	kill := time.AfterFunc(stopWithin, func() { p.Signal(syscall.SIGKILL) })
	defer kill.Stop()
	<-p.ended
	if p.err != nil {
		return fmt.Errorf("%s did not end in good order: %w", p.cmd.Path, p.err)
	}
	return nil
}

// Usage is what a process has used up in its life.
type Usage struct {
	CPU  time.Duration // user and system
	Peak float64       // MB of memory, see PeakMemory
}

// StopMeasured stops the process as Stop does and tells what it has used up.
func (p *Process) StopMeasured() (Usage, error) {
	peak, err := p.PeakMemory()
	if err := errors.Join(err, p.Stop()); err != nil {
		return Usage{}, err
	}
	return Usage{CPU: cpuOf(p.cmd), Peak: peak}, nil
}

func cpuOf(ended *exec.Cmd) time.Duration {
	return ended.ProcessState.UserTime() + ended.ProcessState.SystemTime()
}

// PeakMemory is the most memory that the process has had so far, in MB of 10^6
// bytes: VmHWM, see https://man7.org/linux/man-pages/man5/proc_pid_status.5.html.
func (p *Process) PeakMemory() (float64, error) {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", p.cmd.Process.Pid))
	if err != nil {
		return 0, fmt.Errorf("read a process's memory, which needs Linux: %w", err)
	}
	for line := range strings.Lines(string(text)) {
		if rest, ok := strings.CutPrefix(line, "VmHWM:"); ok {
			kb, err := strconv.ParseFloat(strings.Fields(rest)[0], 64)
			return kb * 1024 / 1e6, err
		}
	}
	return 0, fmt.Errorf("process %d shows no VmHWM", p.cmd.Process.Pid)
}

// Run runs a program to its end, and returns what it wrote to its standard
// output and the CPU time that it took. Without an environment it has the
// caller's.
func Run(ctx context.Context, env []string, program string, args ...string) (out string, cpu time.Duration, err error) {
	cmd := exec.CommandContext(ctx, program, args...)
	cmd.Env = env
	out, err = output(cmd)
	if err != nil {
		// Its arguments may hold a password: no more of them than what it was to do.
		return "", 0, fmt.Errorf("%s: %w", strings.Join(cmd.Args[:min(2, len(cmd.Args))], " "), err)
	}
	return out, cpuOf(cmd), nil
}

// output is a program's standard output, also when it fails: then the error has
// all that it said.
func output(cmd *exec.Cmd) (string, error) {
	out, err := cmd.Output()
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		err = fmt.Errorf("%w\n%s%s", err, exit.Stderr, out)
	}
	return string(out), err
}
