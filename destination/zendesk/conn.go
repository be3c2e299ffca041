package zendesk

import (
	"context"
	"crypto/tls"
	"net"
	"net/http"
	"sync"
	"time"
)

const (
	dialTimeout      = 5 * time.Second
	handshakeTimeout = 5 * time.Second
	// headerTimeout ends the wait for an answer: a healthy one takes 1–2 s.
	headerTimeout = 15 * time.Second
	// idleTimeout is short, because a connection that the peer closed while it
	// was idle turns the next request into a doubt.
	idleTimeout = 10 * time.Second
)

// countingConn knows how many bytes left it, which is what proves that a
// request that failed early had no effect.
type countingConn struct {
	net.Conn
	mu      sync.Mutex // held while writing
	written int64
	stopped bool
}

func (c *countingConn) Write(p []byte) (int, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.stopped {
		return 0, net.ErrClosed
	}
	n, err := c.Conn.Write(p)
	c.written += int64(n)
	return n, err
}

// sent is the number of bytes written so far.
func (c *countingConn) sent() int64 {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.written
}

// stop closes the connection and tells the final number of bytes written: what
// net/http still has in hand for it goes nowhere.
func (c *countingConn) stop() int64 {
	_ = c.Close() // ends a Write that hangs; closing twice is harmless
	c.mu.Lock()
	defer c.mu.Unlock()
	c.stopped = true
	return c.written
}

// counted finds the counting connection below TLS.
func counted(c net.Conn) *countingConn {
	if t, ok := c.(*tls.Conn); ok {
		c = t.NetConn()
	}
	cc, _ := c.(*countingConn)
	return cc
}

// newHTTPClient makes the one client of an account: HTTP/1.1 only, because the
// HTTP/2 transport may send a request again by itself; redirects off, because
// following one would send a request to whoever an answer names; linger 0, so
// that closing a connection also drops what the kernel has not delivered yet.
func newHTTPClient() *http.Client {
	dialer := &net.Dialer{Timeout: dialTimeout, Control: guardSocket}
	protocols := new(http.Protocols)
	protocols.SetHTTP1(true)
	return &http.Client{
		Transport: &http.Transport{
			DialContext: func(ctx context.Context, network, address string) (net.Conn, error) {
				c, err := dialer.DialContext(ctx, network, address)
				if err != nil {
					return nil, err
				}
				if t, ok := c.(*net.TCPConn); ok {
					if err := t.SetLinger(0); err != nil {
						_ = c.Close() // the error that matters is the one above
						return nil, err
					}
				}
				return &countingConn{Conn: c}, nil
			},
			TLSHandshakeTimeout:    handshakeTimeout,
			ResponseHeaderTimeout:  headerTimeout,
			IdleConnTimeout:        idleTimeout,
			MaxIdleConnsPerHost:    maxOpenJobs,
			MaxResponseHeaderBytes: 64 << 10,
			Protocols:              protocols,
		},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}
