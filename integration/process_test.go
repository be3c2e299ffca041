package integration_test

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// binary is the path of one of the built programs.
func binary(t testing.TB, name string) string {
	t.Helper()
	folder := os.Getenv("FAREWELL_TEST_BIN")
	if folder == "" {
		t.Fatal("no programs to test: run `make test`, or set FAREWELL_TEST_BIN to a folder with starter, worker and sandbox")
	}
	return filepath.Join(folder, name)
}

// process is a program that runs beside the test.
type process struct {
	name  string
	cmd   *exec.Cmd
	out   *output
	ended chan struct{}
	err   error // valid once ended is closed
}

// output gathers what a process writes, for looking at it while it runs.
type output struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (o *output) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.text.Write(p)
}

func (o *output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.text.String()
}

// startProcess runs a program in the stage's folder.
func (s *stage) startProcess(name string, env []string, args ...string) *process {
	s.t.Helper()
	p := &process{name: name, cmd: exec.Command(binary(s.t, name), args...), out: &output{}, ended: make(chan struct{})}
	p.cmd.Dir, p.cmd.Env = s.dir, env
	p.cmd.Stdout, p.cmd.Stderr = p.out, p.out
	if err := p.cmd.Start(); err != nil {
		s.t.Fatalf("start %s: %v", name, err)
	}
	go func() {
		p.err = p.cmd.Wait()
		close(p.ended)
	}()
	s.mu.Lock()
	s.processes = append(s.processes, p)
	s.mu.Unlock()
	return p
}

func (p *process) pid() int { return p.cmd.Process.Pid }

func (p *process) runs() bool {
	select {
	case <-p.ended:
		return false
	default:
		return true
	}
}

// signal sends a signal to the process alone.
func (p *process) signal(t testing.TB, s syscall.Signal) {
	t.Helper()
	if err := p.cmd.Process.Signal(s); err != nil {
		t.Fatalf("send %s to %s: %v", s, p.name, err)
	}
}

// kill ends the process at once and returns when it is gone.
func (p *process) kill() {
	_ = p.cmd.Process.Kill() // it may have ended by itself
	<-p.ended
}

// await returns the exit code.
func (p *process) await(t testing.TB, within time.Duration) int {
	t.Helper()
	timer := time.NewTimer(within)
	defer timer.Stop()
	select {
	case <-p.ended:
		return p.cmd.ProcessState.ExitCode()
	case <-timer.C:
		t.Fatalf("%s does not end within %s; it said:\n%s", p.name, within, p.out)
		return -1
	}
}

// awaitLine returns when the output contains a text.
func (p *process) awaitLine(t testing.TB, within time.Duration, text string) {
	t.Helper()
	eventually(t, within, fmt.Sprintf("%s says %q", p.name, text), func() (bool, string) {
		said := p.out.String()
		if !p.runs() && !strings.Contains(said, text) {
			t.Fatalf("%s has ended (%v) before it said %q:\n%s", p.name, p.err, text, said)
		}
		return strings.Contains(said, text), said
	})
}
