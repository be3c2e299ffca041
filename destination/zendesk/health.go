package zendesk

import (
	"fmt"
	"sync"
	"time"

	"farewell/migration"
)

// silence is how long an answer may take before the account counts as down: a
// healthy one takes 1–2 s, and an operator should know within 10 s.
const silence = 5 * time.Second

// health knows whether the account answers.
type health struct {
	mu      sync.Mutex
	flights map[*flight]struct{}
	since   time.Time // when it began not to answer; zero: it answers
	what    string    // how it does not: "connection refused"
	last    time.Time // of the last proper answer
}

// flight is a request without an answer yet.
type flight struct {
	of   *health
	left time.Time
	over bool
}

func newHealth() *health { return &health{flights: make(map[*flight]struct{})} }

func (h *health) depart(at time.Time) *flight {
	f := &flight{of: h, left: at}
	h.mu.Lock()
	defer h.mu.Unlock()
	h.flights[f] = struct{}{}
	return f
}

// depart begins a flight now that was made before.
func (f *flight) depart() {
	f.of.mu.Lock()
	defer f.of.mu.Unlock()
	if !f.over { // an answer may come before all of its request has left
		f.left = time.Now()
		f.of.flights[f] = struct{}{}
	}
}

// arrive ends the flight; more than once is harmless.
func (f *flight) arrive() {
	f.of.mu.Lock()
	defer f.of.mu.Unlock()
	f.over = true
	delete(f.of.flights, f)
}

// failed notes a request that began at that time and got no proper answer.
func (h *health) failed(began time.Time, what string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.since.IsZero() {
		h.since = began
	}
	h.what = what
}

// well notes that the account answers.
func (h *health) well() {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.since, h.what, h.last = time.Time{}, "", time.Now()
}

// lastWell is when the account answered last; zero: never.
func (h *health) lastWell() time.Time {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.last
}

// reason is set while the account does not answer.
func (h *health) reason(now time.Time) migration.Reason {
	h.mu.Lock()
	defer h.mu.Unlock()
	since, what := h.since, h.what
	if since.IsZero() {
		since, what = h.oldestFlight(), "no answer"
		if since.IsZero() || now.Sub(since) < silence {
			return migration.Reason{}
		}
	}
	return migration.Reason{
		Code:  reasonDown,
		Text:  fmt.Sprintf("Zendesk: %s for %d s", what, int(now.Sub(since).Seconds())),
		Since: since,
	}
}

func (h *health) oldestFlight() time.Time {
	var oldest time.Time
	for f := range h.flights {
		if oldest.IsZero() || f.left.Before(oldest) {
			oldest = f.left
		}
	}
	return oldest
}
