package zendesk_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"farewell/destination"
	"farewell/destination/zendesk"
	"farewell/migration"
)

// peer is a server below HTTP, to misbehave where net/http would not.
type peer struct {
	address string
	posts   atomic.Int64 // request lines of POSTs that arrived
}

// newPeer serves each connection by handle, which reads requests with next.
func newPeer(t *testing.T, handle func(c net.Conn, next func() *http.Request)) *peer {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	p := &peer{address: "http://" + l.Addr().String()}
	t.Cleanup(func() { _ = l.Close() }) // its end is the aim
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return // closed
			}
			go func() {
				defer func() { _ = c.Close() }() // may be closed already
				r := bufio.NewReader(c)
				handle(c, func() *http.Request { return p.read(r) })
			}()
		}
	}()
	return p
}

// read takes a whole request off the connection; nil at its end.
func (p *peer) read(r *bufio.Reader) *http.Request {
	req, err := http.ReadRequest(r)
	if err != nil {
		return nil
	}
	if req.Method == http.MethodPost {
		p.posts.Add(1)
	}
	if _, err := io.Copy(io.Discard, req.Body); err != nil {
		return nil
	}
	return req
}

func (p *peer) open(t *testing.T) *zendesk.Account {
	t.Helper()
	return open(t, zendesk.Options{Account: destination.Account{
		Name: "peer", URL: p.address, PlanPerMinute: 1_000_000, Auth: zendesk.AuthBearer,
		Secret: func() (string, error) { return "token", nil },
	}, Timings: timings()})
}

// answerJob answers any request: with a job, and with who we are.
func answerJob(c net.Conn) {
	body := `{"job_status":{"id":"V3-1","status":"queued","results":null},"user":{"id":1,"role":"admin"}}`
	_, _ = fmt.Fprintf(c, "HTTP/1.1 200 OK\r\nX-Request-Id: r1\r\nContent-Type: text/plain\r\nContent-Length: %d\r\n\r\n%s", len(body), body)
}

func batch(sendBy time.Time) (migration.Batch, destination.Parcel) {
	return migration.Batch{ID: "b1", Entity: migration.Tickets, SourceIDs: []string{"1"}, SendBy: sendBy},
		destination.Parcel{Sent: []string{"1"}, Body: []byte(`{"tickets":[{"external_id":"farewell-1"}]}`)}
}

func TestSubmitSendsEachPostOnceWhateverThePeerDoes(t *testing.T) {
	t.Parallel()
	reset := func(c net.Conn) {
		if tcp, ok := c.(*net.TCPConn); ok {
			_ = tcp.SetLinger(0) // makes Close a reset
		}
	}
	for name, c := range map[string]struct {
		handle func(c net.Conn, next func() *http.Request)
		warm   bool // a request before, so that the connection is reused
	}{
		"closes after the request": {handle: func(_ net.Conn, next func() *http.Request) { next() }},
		"resets after the request": {handle: func(c net.Conn, next func() *http.Request) { next(); reset(c) }},
		"closes a kept connection": {warm: true, handle: func(c net.Conn, next func() *http.Request) {
			for req := next(); req != nil && req.Method == http.MethodGet; req = next() {
				answerJob(c)
			}
		}},
		"resets a kept connection": {warm: true, handle: func(c net.Conn, next func() *http.Request) {
			for req := next(); req != nil && req.Method == http.MethodGet; req = next() {
				answerJob(c)
			}
			reset(c)
		}},
		"cuts the answer": {handle: func(c net.Conn, next func() *http.Request) {
			next()
			_, _ = io.WriteString(c, "HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n{\"job_status\":{\"id\":")
		}},
		"redirects": {handle: func(c net.Conn, next func() *http.Request) {
			for next() != nil {
				_, _ = io.WriteString(c, "HTTP/1.1 307 Temporary Redirect\r\nX-Request-Id: r\r\nLocation: /elsewhere\r\nContent-Length: 0\r\n\r\n")
			}
		}},
		"answers nonsense": {handle: func(c net.Conn, next func() *http.Request) {
			next()
			_, _ = io.WriteString(c, "SSH-2.0-OpenSSH_9.6\r\n")
		}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := newPeer(t, c.handle)
			a := p.open(t)
			if c.warm {
				look := destination.PrepareInput{Entity: migration.Organizations, Page: organizationsPage(1)}
				if _, err := a.Prepare(context.Background(), look); err != nil {
					t.Fatalf("warm up: %v", err)
				}
			}
			b, parcel := batch(time.Now().Add(20 * time.Second))
			_, err := a.Submit(context.Background(), b, parcel)
			if kind := destination.KindOf(err); kind != destination.InDoubt {
				t.Errorf("kind %q, want in doubt: %v", kind, err)
			}
			if n := p.posts.Load(); n != 1 {
				t.Errorf("%d arrivals, want 1", n)
			}
		})
	}
}

func TestSubmitNeverArrivesTwiceWhenIdleConnectionsAreClosed(t *testing.T) {
	t.Parallel()
	p := newPeer(t, func(c net.Conn, next func() *http.Request) {
		if next() != nil {
			answerJob(c) // keep-alive by the answer, yet closed at once
		}
	})
	a := p.open(t)
	const posts = 200
	unsent := 0
	for range posts {
		b, parcel := batch(time.Now().Add(20 * time.Second))
		if _, err := a.Submit(context.Background(), b, parcel); destination.KindOf(err) == destination.Temporary {
			unsent++
		}
	}
	if n := int(p.posts.Load()); n > posts-unsent {
		t.Errorf("%d arrivals of %d posts, of which %d were said not to be sent", n, posts, unsent)
	}
}

func TestSubmitRefusesToWriteAfterSendBy(t *testing.T) {
	t.Parallel()
	done := make(chan struct{})
	t.Cleanup(func() { close(done) })
	p := newPeer(t, func(net.Conn, func() *http.Request) { <-done }) // reads nothing
	a := p.open(t)
	b, parcel := batch(time.Now().Add(300 * time.Millisecond))
	parcel.Body = make([]byte, 64<<20) // more than the kernel's buffers hold
	began := time.Now()
	_, err := a.Submit(context.Background(), b, parcel)
	if took := time.Since(began); took > 5*time.Second {
		t.Errorf("it wrote for %s after it should have stopped", took)
	}
	if kind := destination.KindOf(err); kind != destination.InDoubt {
		t.Errorf("kind %q, want in doubt, for a part was written: %v", kind, err)
	}
}

func TestSubmitOfACancelledContextSendsNothing(t *testing.T) {
	t.Parallel()
	p := newPeer(t, func(_ net.Conn, next func() *http.Request) { next() })
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	b, parcel := batch(time.Now().Add(20 * time.Second))
	_, err := p.open(t).Submit(ctx, b, parcel)
	if kind := destination.KindOf(err); kind != destination.Temporary || p.posts.Load() != 0 {
		t.Errorf("kind %q with %d arrivals, want temporary with none: %v", kind, p.posts.Load(), err)
	}
}

func TestSubmitWaitsForTheAnswerWhenCancelledMeanwhile(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(context.Background())
	p := newPeer(t, func(c net.Conn, next func() *http.Request) {
		next()
		cancel()
		answerJob(c)
	})
	b, parcel := batch(time.Now().Add(20 * time.Second))
	receipt, err := p.open(t).Submit(ctx, b, parcel)
	if err != nil || receipt.JobID != "V3-1" {
		t.Errorf("receipt %+v, error %v; want job V3-1: a call broken off would be a batch in doubt", receipt, err)
	}
}

func TestSubmitToNobodyIsProvenWithoutEffect(t *testing.T) {
	t.Parallel()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	p := &peer{address: "http://" + l.Addr().String()}
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	a := p.open(t)
	b, parcel := batch(time.Now().Add(20 * time.Second))
	_, err = a.Submit(context.Background(), b, parcel)
	var e *destination.Error
	if !errors.As(err, &e) || e.Kind != destination.Temporary || e.Code != "connection refused" {
		t.Errorf("error %v, want temporary: connection refused", err)
	}
	if r := a.WaitingFor(); r.Code != "destination_down" || !strings.Contains(r.Text, "connection refused") {
		t.Errorf("reason %+v, want destination_down: connection refused", r)
	}
}

// A stopped process: the kernel accepts the connection, and nobody answers.
func TestSilentPeerIsNamedWithinTenSecondsAndLeftWithinTwenty(t *testing.T) {
	t.Parallel()
	done := make(chan struct{})
	t.Cleanup(func() { close(done) })
	p := newPeer(t, func(net.Conn, func() *http.Request) { <-done })
	a := p.open(t)
	began := time.Now()
	ended := make(chan error, 1)
	go func() {
		b, parcel := batch(time.Now().Add(20 * time.Second))
		_, err := a.Submit(context.Background(), b, parcel)
		ended <- err
	}()
	eventually(t, 10*time.Second, func() bool {
		r := a.WaitingFor()
		return r.Code == "destination_down" && strings.Contains(r.Text, "no answer for")
	})
	err := <-ended
	if kind := destination.KindOf(err); kind != destination.InDoubt {
		t.Errorf("kind %q, want in doubt: %v", kind, err)
	}
	if took := time.Since(began); took > 20*time.Second {
		t.Errorf("the call held for %s, longer than a heartbeat", took)
	}
}

func TestDrippingPeerIsLeftWithinTwentySeconds(t *testing.T) {
	t.Parallel()
	p := newPeer(t, func(c net.Conn, next func() *http.Request) {
		next()
		_, err := io.WriteString(c, "HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n")
		tick := time.NewTicker(time.Second)
		defer tick.Stop()
		for err == nil {
			<-tick.C
			_, err = io.WriteString(c, " ")
		}
	})
	a := p.open(t)
	for name, f := range map[string]func() error{
		"post": func() error {
			b, parcel := batch(time.Now().Add(20 * time.Second))
			_, err := a.Submit(context.Background(), b, parcel)
			return err
		},
		"get": func() error {
			_, err := a.Preflight(context.Background(), destination.PreflightInput{})
			return err
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			began := time.Now()
			if f() == nil {
				t.Error("an answer that never ends is no success")
			}
			if took := time.Since(began); took > 20*time.Second {
				t.Errorf("the call held for %s, longer than a heartbeat", took)
			}
		})
	}
}

// eventually waits for a condition that other goroutines bring about.
func eventually(t *testing.T, within time.Duration, holds func() bool) {
	t.Helper()
	deadline := time.NewTimer(within)
	defer deadline.Stop()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for !holds() {
		select {
		case <-tick.C:
		case <-deadline.C:
			t.Fatalf("it does not hold within %s", within)
		}
	}
}
