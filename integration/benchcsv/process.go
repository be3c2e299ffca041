package main

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

// process is a program that runs beside the bench.
type process struct {
	cmd *exec.Cmd
	log *os.File
}

// stopWithin is how long a program may take to end once it is told to.
const stopWithin = 60 * time.Second

// start runs the program and returns once it has printed the word that says
// that it is ready; line is the line with that word. All it prints goes to a log.
func start(ctx context.Context, log string, ready string, env []string, program string, args ...string) (p *process, line string, err error) {
	file, err := os.Create(log)
	if err != nil {
		return nil, "", err
	}
	p = &process{cmd: exec.CommandContext(ctx, program, args...), log: file}
	p.cmd.Env = env
	p.cmd.Cancel = func() error { return p.cmd.Process.Signal(syscall.SIGTERM) }
	p.cmd.WaitDelay = stopWithin
	out, in, err := os.Pipe()
	if err != nil {
		return nil, "", errors.Join(err, file.Close())
	}
	p.cmd.Stdout, p.cmd.Stderr = in, in
	err = p.cmd.Start()
	_ = in.Close() // the child has its own
	if err != nil {
		return nil, "", errors.Join(err, out.Close(), file.Close())
	}
	found := make(chan string, 1)
	go p.follow(out, ready, found)
	line, ok := <-found
	if !ok {
		err := p.cmd.Wait()
		said, _ := os.ReadFile(log) // the exit code says that something is wrong in any case
		return nil, "", fmt.Errorf("%s ended before it was ready: %w\n%s", program, err, said)
	}
	return p, line, nil
}

// follow writes the program's output to the log, and the first line with the
// word to found, which it closes when the output ends without one.
func (p *process) follow(out io.ReadCloser, word string, found chan<- string) {
	defer out.Close()
	defer p.log.Close()
	lines := bufio.NewReader(out)
	for {
		line, err := lines.ReadString('\n')
		_, _ = p.log.WriteString(line) // a log that cannot be written does not stop the bench
		if found != nil && strings.Contains(line, word) {
			found <- line
			found = nil
		}
		if err != nil {
			if found != nil {
				close(found)
			}
			return
		}
	}
}

// usage is what a process has used up.
type usage struct {
	cpu  time.Duration // user and system
	peak float64       // MB of memory, VmHWM
}

// stop ends the program in good order and tells what it has used.
func (p *process) stop() (usage, error) {
	peak, err := highWater(p.cmd.Process.Pid)
	if err != nil {
		return usage{}, errors.Join(err, p.kill())
	}
	if err := p.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		return usage{}, err
	}
	kill := time.AfterFunc(stopWithin, func() { _ = p.cmd.Process.Kill() }) // it has ended then
	defer kill.Stop()
	if err := p.cmd.Wait(); err != nil {
		return usage{}, fmt.Errorf("%s did not end in good order: %w", p.cmd.Path, err)
	}
	return usage{cpu: cpuOf(p.cmd.ProcessState), peak: peak}, nil
}

func (p *process) kill() error {
	if err := p.cmd.Process.Kill(); err != nil {
		return err
	}
	_ = p.cmd.Wait() // it was killed, and says so
	return nil
}

func cpuOf(s *os.ProcessState) time.Duration { return s.UserTime() + s.SystemTime() }

// highWater is the most memory that the process has had, in MB of 10^6 bytes.
func highWater(pid int) (float64, error) {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return 0, fmt.Errorf("read a process's memory, which needs Linux: %w", err)
	}
	for line := range strings.Lines(string(text)) {
		if rest, ok := strings.CutPrefix(line, "VmHWM:"); ok {
			kb, err := strconv.ParseFloat(strings.Fields(rest)[0], 64)
			return kb * 1024 / 1e6, err
		}
	}
	return 0, fmt.Errorf("process %d shows no VmHWM", pid)
}

// run runs a program to its end.
func run(ctx context.Context, env []string, program string, args ...string) (string, *os.ProcessState, error) {
	cmd := exec.CommandContext(ctx, program, args...)
	cmd.Env = env
	out, err := cmd.Output()
	if err != nil {
		var exit *exec.ExitError
		if errors.As(err, &exit) {
			err = fmt.Errorf("%w\n%s", err, exit.Stderr)
		}
		return "", cmd.ProcessState, fmt.Errorf("%s: %w\n%s", strings.Join(cmd.Args[:min(2, len(cmd.Args))], " "), err, out)
	}
	return string(out), cmd.ProcessState, nil
}
