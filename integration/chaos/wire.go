package main

import (
	"bytes"
	"context"
	"encoding/binary"
	"io"
	"math/rand/v2"
	"net"
	"sync"
	"sync/atomic"
)

// moment is one of those at which a crash leaves somebody in the dark.
type moment string

const (
	unrecorded moment = "answered_but_job_not_recorded"
	unsettled  moment = "job_done_but_not_settled"
	unbeaten   moment = "settled_but_not_beaten"
)

// wire stands between one worker and the ledger. It knows from the statements
// at which moment the worker is, and there loses an answer or calls the killer.
type wire struct {
	target string // address of Postgres
	listen net.Listener
	share  float64

	mu     sync.Mutex
	dice   *rand.Rand
	killAt moment // the next time that the worker is there it is killed
	kill   func()
	conns  map[net.Conn]struct{}
	cuts   map[moment]int
	kills  map[moment]int
}

func newWire(target string, seed uint64, share float64) (*wire, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	w := &wire{
		target: target, listen: listener, share: share, dice: rand.New(rand.NewPCG(seed, 0)),
		conns: map[net.Conn]struct{}{}, cuts: map[moment]int{}, kills: map[moment]int{},
	}
	go w.accept()
	return w, nil
}

func (w *wire) address() string { return w.listen.Addr().String() }

func (w *wire) close() {
	_ = w.listen.Close() // nothing comes after it
	w.mu.Lock()
	defer w.mu.Unlock()
	for c := range w.conns {
		_ = c.Close() // as above
	}
}

// arm has kill called at the moment, once.
func (w *wire) arm(at moment, kill func()) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.killAt, w.kill = at, kill
}

// disarm tells whether it was too late for that.
func (w *wire) disarm() (struck bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	struck = w.killAt == ""
	w.killAt, w.kill = "", nil
	return struck
}

// strikes decides whether the connection ends at this moment.
func (w *wire) strikes(at moment) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.killAt == at {
		w.kill()
		w.kills[at]++
		w.killAt, w.kill = "", nil
		return true
	}
	if w.dice.Float64() < w.share {
		w.cuts[at]++
		return true
	}
	return false
}

func (w *wire) accept() {
	for {
		client, err := w.listen.Accept()
		if err != nil {
			return
		}
		go w.serve(client)
	}
}

func (w *wire) serve(client net.Conn) {
	server, err := (&net.Dialer{}).DialContext(context.Background(), "tcp", w.target)
	if err != nil {
		_ = client.Close() // the server is down, which the client sees too
		return
	}
	w.mu.Lock()
	w.conns[client], w.conns[server] = struct{}{}, struct{}{}
	w.mu.Unlock()
	end := func() {
		_, _ = client.Close(), server.Close() // both are over
		w.mu.Lock()
		delete(w.conns, client)
		delete(w.conns, server)
		w.mu.Unlock()
	}
	defer end()
	talk := &talk{wire: w, statements: map[string]string{}}
	go func() {
		defer end()
		talk.forward(server, client)
	}()
	talk.back(client, server)
}

// talk is one connection.
type talk struct {
	wire       *wire
	statements map[string]string // text by name
	settling   atomic.Bool       // the answer to a settlement is awaited
}

// forward passes the client's messages on, unless one is struck.
// https://www.postgresql.org/docs/current/protocol-message-formats.html
func (t *talk) forward(server io.Writer, client io.Reader) {
	var startup [4]byte // has no type
	if _, err := io.ReadFull(client, startup[:]); err != nil {
		return
	}
	rest := make([]byte, binary.BigEndian.Uint32(startup[:])-4)
	if _, err := io.ReadFull(client, rest); err != nil {
		return
	}
	if _, err := server.Write(append(startup[:], rest...)); err != nil {
		return
	}
	for {
		message, err := readMessage(client)
		if err != nil || t.struck(message) {
			return
		}
		if _, err := server.Write(message); err != nil {
			return
		}
	}
}

func readMessage(from io.Reader) ([]byte, error) {
	var head [5]byte
	if _, err := io.ReadFull(from, head[:]); err != nil {
		return nil, err
	}
	message := make([]byte, 1+binary.BigEndian.Uint32(head[1:]))
	copy(message, head[:])
	_, err := io.ReadFull(from, message[len(head):])
	return message, err
}

// struck looks at what the client is about to say.
func (t *talk) struck(message []byte) bool {
	switch message[0] {
	case 'P': // Parse: name, text
		name, rest, _ := bytes.Cut(message[5:], []byte{0})
		text, _, _ := bytes.Cut(rest, []byte{0})
		t.statements[string(name)] = string(text)
	case 'B': // Bind: portal, name
		_, rest, _ := bytes.Cut(message[5:], []byte{0})
		name, values, _ := bytes.Cut(rest, []byte{0})
		text := t.statements[string(name)]
		switch {
		case contains(text, "farewell_ledger.settle("):
			if t.wire.strikes(unsettled) {
				return true
			}
			t.settling.Store(true)
		case contains(text, "farewell_ledger.record(") && bytes.Contains(values, []byte("accepted")):
			return t.wire.strikes(unrecorded)
		}
	}
	return false
}

func contains(text, part string) bool { return bytes.Contains([]byte(text), []byte(part)) }

// back passes the server's messages on. The answer to a settlement is held back
// until it is committed, and may then be lost.
func (t *talk) back(client io.Writer, server io.Reader) {
	var held []byte
	for {
		message, err := readMessage(server)
		if err != nil {
			return
		}
		held = append(held, message...)
		settling := t.settling.Load()
		if settling && message[0] != 'Z' {
			continue
		}
		if settling {
			t.settling.Store(false)
			if t.wire.strikes(unbeaten) {
				return
			}
		}
		if _, err := client.Write(held); err != nil {
			return
		}
		held = held[:0]
	}
}
