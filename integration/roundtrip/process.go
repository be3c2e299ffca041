package main

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
)

// process is a program that was started here.
type process struct {
	cmd   *exec.Cmd
	ended chan struct{}
}

// begin runs a program and returns once it has written the line with a word.
// Everything that it writes goes to a log.
func begin(ctx context.Context, log, word string, env []string, program string, args ...string) (*process, string, error) {
	file, err := os.OpenFile(log, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return nil, "", err
	}
	out, in, err := os.Pipe()
	if err != nil {
		return nil, "", err
	}
	p := &process{cmd: exec.Command(program, args...), ended: make(chan struct{})}
	p.cmd.Env, p.cmd.Stdout, p.cmd.Stderr = env, in, in
	err = p.cmd.Start()
	_ = in.Close() // the program has its own
	if err != nil {
		return nil, "", err
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
			said, _ := os.ReadFile(log) // for the message only
			return nil, "", fmt.Errorf("%s ended before it was ready: %s", program, said[max(0, len(said)-1000):])
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

// kill ends the process and returns when it is gone.
func (p *process) kill() {
	_ = p.cmd.Process.Kill() // it may have ended
	<-p.ended
}

// keeps when it is started again.
