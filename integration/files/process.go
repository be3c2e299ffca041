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
)

// process is a program that was started here.
type process struct {
	cmd   *exec.Cmd
	log   string
	ended chan struct{}
}

// begin runs a program and returns once it has written the line with a word.
// Everything that it writes goes to a log.
func begin(ctx context.Context, log, word string, env []string, program string, args ...string) (*process, string, error) {
	file, err := os.Create(log)
	if err != nil {
		return nil, "", err
	}
	out, in, err := os.Pipe()
	if err != nil {
		return nil, "", errors.Join(err, file.Close())
	}
	p := &process{cmd: exec.Command(program, args...), log: log, ended: make(chan struct{})}
	p.cmd.Env, p.cmd.Stdout, p.cmd.Stderr = env, in, in
	err = p.cmd.Start()
	_ = in.Close() // the program has its own
	if err != nil {
		return nil, "", errors.Join(err, out.Close(), file.Close())
	}
	ready := make(chan string, 1)
	go func() {
		follow(out, file, word, ready)
		_ = p.cmd.Wait() // however it ended: it may have been killed
		close(p.ended)
	}()
	select {
	case line, ok := <-ready:
		if !ok {
			return nil, "", fmt.Errorf("%s ended before it was ready: %s", program, p.said())
		}
		return p, line, nil
	case <-ctx.Done():
		p.kill()
		return nil, "", ctx.Err()
	}
}

func follow(out io.ReadCloser, log io.WriteCloser, word string, ready chan<- string) {
	defer out.Close()
	defer log.Close()
	defer close(ready)
	lines := bufio.NewReader(out)
	found := false
	for {
		line, err := lines.ReadString('\n')
		_, _ = io.WriteString(log, line) // a full disk does not stop the run
		if !found && strings.Contains(line, word) {
			found = true
			ready <- line
		}
		if err != nil {
			return
		}
	}
}

// said is the end of what the program has written.
func (p *process) said() []byte {
	said, _ := os.ReadFile(p.log) // for a message only
	return said[max(0, len(said)-2000):]
}

// kill ends the process and returns when it is gone.
func (p *process) kill() {
	_ = p.cmd.Process.Kill() // it may have ended
	<-p.ended
}

// peakMemory is the most memory that the process has had, in MB of 10^6 bytes.
func (p *process) peakMemory() (float64, error) {
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
	return 0, errors.New("the kernel does not tell the peak")
}
