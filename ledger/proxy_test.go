package ledger_test

import (
	"io"
	"net"
	"net/url"
	"slices"
	"sync"
	"testing"
	"time"

	"farewell/ledger"
)

// proxy stands between the ledger and its server, and loses what it is told to.
type proxy struct {
	url string

	mu    sync.Mutex
	mode  mode
	skip  int // answers that cutAtEnd lets pass first
	lost  int // answers that it dropped
	conns []net.Conn
}

type mode int

const (
	pass     mode = iota
	cutAtEnd      // the next answer of the server is dropped, and the connection with it
	mute          // answers of the server are swallowed
	drip          // answers of the server arrive a byte a second
	refuse        // connections are closed at once
)

func newProxy(t *testing.T, server string) *proxy {
	t.Helper()
	u, err := url.Parse(server)
	must(t, err)
	target := u.Host
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	must(t, err)
	u.Host = listener.Addr().String()
	p := &proxy{url: u.String()}
	t.Cleanup(func() {
		_ = listener.Close()
		p.set(refuse)
		p.drop()
	})
	go func() {
		for {
			client, err := listener.Accept()
			if err != nil {
				return
			}
			go p.serve(client, target)
		}
	}()
	return p
}

func (p *proxy) set(m mode) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.mode = m
}

// lose drops the answer after so many others, and the connection with it.
func (p *proxy) lose(after int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.mode, p.skip = cutAtEnd, after
}

// losses is how many answers were dropped so far.
func (p *proxy) losses() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.lost
}

// drop closes every connection.
func (p *proxy) drop() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, c := range p.conns {
		_ = c.Close()
	}
	p.conns = nil
}

func (p *proxy) serve(client net.Conn, target string) {
	server, err := net.Dial("tcp", target)
	if err != nil {
		_ = client.Close()
		return
	}
	p.mu.Lock()
	p.conns = append(p.conns, client, server)
	refused := p.mode == refuse
	p.mu.Unlock()
	if refused {
		p.drop()
		return
	}
	go func() {
		_, _ = io.Copy(server, client)
		_ = server.Close()
	}()
	buffer := make([]byte, 1<<16)
	for {
		n, err := server.Read(buffer)
		if err != nil || !p.answer(client, buffer[:n]) {
			_ = client.Close()
			_ = server.Close()
			return
		}
	}
}

func (p *proxy) answer(client net.Conn, b []byte) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	switch p.mode {
	case cutAtEnd:
		if p.skip--; p.skip < 0 {
			p.mode = pass
			p.lost++
			return false
		}
	case mute:
		return true
	case drip:
		go p.drip(client, slices.Clone(b))
		return true
	}
	_, err := client.Write(b)
	return err == nil
}

// drip passes an answer on, a byte a second, for as long as anybody listens.
func (p *proxy) drip(client net.Conn, b []byte) {
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	for i := range b {
		if _, err := client.Write(b[i : i+1]); err != nil {
			return
		}
		<-tick.C
	}
}

// openThrough opens a second connection pool to the ledger, through a proxy.
func openThrough(t *testing.T, server string) (*ledger.Ledger, *proxy) {
	t.Helper()
	p := newProxy(t, server)
	l, err := ledger.Open(t.Context(), p.url, ledger.Options{MaxConns: 1})
	must(t, err)
	t.Cleanup(func() {
		p.drop() // or closing would wait for an answer
		l.Close()
	})
	return l, p
}

// silent is a server that accepts connections and never says a word.
func silent(t *testing.T) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	must(t, err)
	t.Cleanup(func() { _ = listener.Close() })
	return "postgres://postgres@" + listener.Addr().String() + "/postgres?sslmode=disable"
}

// within fails when do takes longer.
func within(t *testing.T, limit time.Duration, what string, do func()) {
	t.Helper()
	begun := time.Now()
	do()
	if took := time.Since(begun); took > limit {
		t.Errorf("%s took %v, more than %v", what, took, limit)
	}
}
