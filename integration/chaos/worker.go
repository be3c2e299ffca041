package main

import (
	"context"
	"fmt"
	"net/url"
	"path/filepath"
	"sync"
	"sync/atomic"

	"farewell/integration/programs"
)

// worker is one of the product's workers, with a wire to the ledger that it
// keeps when it is started again.
type worker struct {
	w      *world
	number int
	wire   *wire
	frozen atomic.Bool

	mu sync.Mutex
	p  *programs.Process
}

func (w *world) hire(ctx context.Context, number int) (*worker, error) {
	server, err := url.Parse(w.Ledger)
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

// start runs the worker, whose log goes on where the one before it ended.
func (h *worker) start(ctx context.Context) error {
	u, err := url.Parse(h.w.Ledger)
	if err != nil {
		return err
	}
	u.Host = h.wire.address()
	product := h.w.Product
	product.Ledger = u.String()
	p, err := product.StartWorker(ctx, filepath.Join(h.w.Dir, fmt.Sprintf("worker-%d.log", h.number)))
	if err != nil {
		return err
	}
	h.mu.Lock()
	h.p = p
	h.mu.Unlock()
	return nil
}

func (h *worker) process() *programs.Process {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.p
}

func (h *worker) dismiss() {
	if p := h.process(); p != nil {
		p.Kill()
	}
	h.wire.close()
}
