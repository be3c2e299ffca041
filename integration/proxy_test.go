package integration_test

import (
	"io"
	"net"
	"net/url"
	"strings"
	"sync"
	"testing"
)

// proxy stands between the product and a server, so that a test can take the
// server away for a while.
type proxy struct {
	t        testing.TB
	target   string
	listener net.Listener

	mu   sync.Mutex
	down bool
	open map[net.Conn]bool
	all  sync.WaitGroup
}

// newProxy passes connections on to a server's host and port. It lasts as long
// as the stage's processes.
func (s *stage) newProxy(target string) *proxy {
	s.t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		s.t.Fatal(err)
	}
	p := &proxy{t: s.t, target: target, listener: listener, open: map[net.Conn]bool{}}
	p.all.Go(p.accept)
	s.proxies = append(s.proxies, p)
	return p
}

func (p *proxy) close() {
	p.listener.Close()
	p.cut()
	p.all.Wait()
}

func (p *proxy) address() string { return p.listener.Addr().String() }

func (p *proxy) accept() {
	for {
		from, err := p.listener.Accept()
		if err != nil {
			return // the test is over
		}
		p.all.Go(func() { p.pass(from) })
	}
}

// pass copies both ways until one side ends.
func (p *proxy) pass(from net.Conn) {
	defer from.Close()
	to, err := net.Dial("tcp", p.target)
	if err != nil {
		return // as a server that is down
	}
	defer to.Close()
	if !p.admit(from, to) {
		return
	}
	done := make(chan struct{}, 2)
	for _, way := range [][2]net.Conn{{from, to}, {to, from}} {
		p.all.Go(func() {
			_, _ = io.Copy(way[1], way[0]) // a connection that is cut is what we are for
			done <- struct{}{}
		})
	}
	<-done
	p.forget(from, to)
}

func (p *proxy) admit(conns ...net.Conn) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.down {
		return false
	}
	for _, c := range conns {
		p.open[c] = true
	}
	return true
}

func (p *proxy) forget(conns ...net.Conn) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, c := range conns {
		delete(p.open, c)
	}
}

// cut ends every connection and lets no new one through.
func (p *proxy) cut() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.down = true
	for c := range p.open {
		c.Close()
	}
}

// heal lets connections through again.
func (p *proxy) heal() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.down = false
}

// through is the connection URL of a database by way of the proxy.
func (p *proxy) through(connection string) string {
	p.t.Helper()
	u, err := url.Parse(connection)
	if err != nil {
		p.t.Fatal(err)
	}
	u.Host = p.address()
	return u.String()
}

// hostOf is the host and port of a connection URL.
func hostOf(t testing.TB, connection string) string {
	t.Helper()
	u, err := url.Parse(connection)
	if err != nil || !strings.Contains(u.Host, ":") {
		t.Fatalf("no host and port in the connection URL: %v", err)
	}
	return u.Host
}
