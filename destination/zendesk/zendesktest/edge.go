package zendesktest

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net"
	"net/http"
	"strconv"
	"sync"
	"sync/atomic"
	"time"
)

// EdgeSettings is the abuse protection in front of all accounts, which counts by client IP. Its times are real.
type EdgeSettings struct {
	// RequestsPerMinute is how many requests one IP may send in a UTC minute, over all accounts; 0 is no limit.
	RequestsPerMinute int `json:"requests_per_minute"`
	// BlockSeconds is how long an IP stays blocked after that.
	BlockSeconds float64 `json:"block_seconds"`
	// Block blocks every request.
	Block bool `json:"block"`
	// Status of the answers: 403, 429 or 503.
	Status int `json:"status"`
}

func defaultEdge() EdgeSettings { return EdgeSettings{BlockSeconds: 60, Status: http.StatusForbidden} }

func isEdgeStatus(status int) bool { return status == 403 || status == 429 || status == 503 }

// edge is what stands in front of all accounts.
type edge struct {
	settings atomic.Pointer[EdgeSettings]
	clients  sync.Map // IP to *client
}

// client is one IP that sends requests.
type client struct {
	ip               string
	requests         atomic.Int64
	answers429       atomic.Int64
	insideRetryAfter atomic.Int64
	edgeBlocked      atomic.Int64
	bytesIn          atomic.Int64
	bytesOut         atomic.Int64

	mu     sync.Mutex
	window window
	until  int64 // nanoseconds: blocked until then
}

func (e *edge) current() EdgeSettings {
	if s := e.settings.Load(); s != nil {
		return *s
	}
	return defaultEdge()
}

// change applies a patch, a JSON object.
func (e *edge) change(patch []byte) error {
	s := e.current()
	if err := json.Unmarshal(patch, &s); err != nil {
		return fmt.Errorf("read edge settings: %w", err)
	}
	if !isEdgeStatus(s.Status) {
		return fmt.Errorf("status is %d: it must be 403, 429 or 503", s.Status)
	}
	e.settings.Store(&s)
	e.clients.Range(func(_, value any) bool {
		c := value.(*client)
		c.mu.Lock()
		c.until = 0 // new settings end old blocks
		c.mu.Unlock()
		return true
	})
	return nil
}

func (e *edge) client(r *http.Request) *client {
	ip, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil {
		ip = r.RemoteAddr // a test that calls ServeHTTP itself
	}
	if c, ok := e.clients.Load(ip); ok {
		return c.(*client)
	}
	c, _ := e.clients.LoadOrStore(ip, &client{ip: ip, window: window{length: int64(time.Minute)}})
	return c.(*client)
}

// block counts the request and says with which status it is blocked, 0 when it is not.
func (e *edge) block(c *client, a *account, now int64) (status int, retryAfter int64) {
	if status := a.edgeStatus.Load(); status != 0 {
		return int(status), 60
	}
	s := e.current()
	if s.Block {
		return s.Status, wholeSeconds(int64(s.BlockSeconds * 1e9))
	}
	if s.RequestsPerMinute == 0 {
		return 0, 0
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if _, _, ok := c.window.take(now, s.RequestsPerMinute); !ok && now >= c.until {
		c.until = now + int64(s.BlockSeconds*1e9)
		c.window.used = 0
	}
	if now < c.until {
		return s.Status, wholeSeconds(c.until - now)
	}
	return 0, 0
}

// writeEdgeBlock answers as Cloudflare does: HTML, and none of Zendesk's headers.
func writeEdgeBlock(w http.ResponseWriter, r *http.Request, status int, retryAfter int64) {
	drain(r)
	h := w.Header()
	h.Set("Server", "cloudflare")
	h.Set("CF-RAY", ray())
	h.Set("Content-Type", "text/html; charset=UTF-8")
	title, text := "Attention Required! | Cloudflare", "Sorry, you have been blocked"
	switch status {
	case http.StatusTooManyRequests:
		title, text = "Access denied | Cloudflare", "Error 1015: You are being rate limited"
		h.Set("Retry-After", strconv.FormatInt(retryAfter, 10))
	case http.StatusServiceUnavailable:
		title, text = "Just a moment...", "Checking your browser before accessing"
		h.Set("cf-mitigated", "challenge")
	}
	w.WriteHeader(status)
	fmt.Fprintf(w, "<!DOCTYPE html><html><head><title>%s</title></head><body><h1>%s</h1></body></html>\n", title, text)
}

func ray() string { return strconv.FormatUint(rand.Uint64(), 16) + "-FRA" }

// zendeskHeaders are those of every answer that does not come from the edge alone.
func (a *account) zendeskHeaders(q *request) {
	q.header.Set("Server", "cloudflare")
	q.header.Set("CF-RAY", ray())
	q.header.Set("X-Request-Id", strconv.FormatUint(rand.Uint64(), 16)+strconv.FormatUint(rand.Uint64(), 16))
	q.header.Set("X-Zendesk-Api-Version", "v2")
}

func refuseUnknownAccount(w http.ResponseWriter, r *http.Request) {
	drain(r)
	w.Header().Set("Content-Type", jsonType)
	w.WriteHeader(http.StatusNotFound)
	w.Write([]byte(titledError("No help desk at this address", "There is no help desk configured at this address."))) //nolint:errcheck // a client that has gone is none of the server's business
}
