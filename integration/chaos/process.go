package main

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
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

func (p *process) signal(s syscall.Signal) { _ = p.cmd.Process.Signal(s) } // it may have ended

// kill ends the process, a stopped one too, and returns when it is gone.
func (p *process) kill() {
	p.signal(syscall.SIGKILL)
	<-p.ended
}

// worker is one of the product's workers, with a wire to the ledger that it
// keeps when it is started again.
type worker struct {
	w      *world
	number int
	wire   *wire
	frozen atomic.Bool

	mu sync.Mutex
	p  *process
}

func (w *world) hire(ctx context.Context, number int) (*worker, error) {
	server, err := url.Parse(w.ledger)
	if err != nil {
		return nil, err
	}
	line, err := newWire(server.Host, w.seed*100+uint64(number), w.cuts)
	if err != nil {
		return nil, err
	}
	h := &worker{w: w, number: number, wire: line}
	return h, h.start(ctx)
}

func (h *worker) start(ctx context.Context) error {
	u, err := url.Parse(h.w.ledger)
	if err != nil {
		return err
	}
	u.Host = h.wire.address()
	log := filepath.Join(h.w.dir, fmt.Sprintf("worker-%d.log", h.number))
	p, _, err := begin(ctx, log, "worker is ready", h.w.environment(u.String()), h.w.programs+"/worker")
	if err != nil {
		return err
	}
	h.mu.Lock()
	h.p = p
	h.mu.Unlock()
	return nil
}

func (h *worker) process() *process {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.p
}

func (h *worker) dismiss() {
	if p := h.process(); p != nil {
		p.kill()
	}
	h.wire.close()
}
