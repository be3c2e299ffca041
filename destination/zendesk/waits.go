package zendesk

import (
	"fmt"
	"sync"
	"time"

	"farewell/migration"
)

// Why requests to an account wait: stable words for scripts.
const (
	reasonRateWindow = "rate_window"
	reasonRatePace   = "rate_pace"
	reasonLateGrants = "late_grants"
	reasonRetryAfter = "retry_after"
	reasonOpenJobs   = "open_jobs"
	reasonEdge       = "edge_block"

	// Of the egress, which all accounts share.
	reasonEgress        = "egress_slots"
	reasonEgressBlocked = "egress_blocked"
	reasonEgressClosed  = "egress_closed"

	reasonDown = "destination_down"
)

// gravity orders the reasons that may hold at the same time.
var gravity = []string{
	reasonEgressClosed, reasonEdge, reasonEgressBlocked, reasonRetryAfter, reasonLateGrants, reasonRateWindow, reasonOpenJobs, reasonEgress, reasonRatePace,
}

// waits keeps who waits now for what.
type waits struct {
	mu     sync.Mutex
	active map[string]*waiting
	halt   struct {
		code  string // empty: none
		since time.Time
	}
}

type waiting struct {
	callers int
	since   time.Time
	until   time.Time
}

func newWaits() *waits { return &waits{active: make(map[string]*waiting)} }

// wait is one caller's part in the reasons.
type wait struct {
	in   *waits
	code string // empty: it does not wait
}

// caller begins a part in which the caller does not wait yet.
func (w *waits) caller() *wait { return &wait{in: w} }

// becauseOf notes what the caller waits for now.
func (c *wait) becauseOf(code string, until time.Time) {
	c.in.mu.Lock()
	defer c.in.mu.Unlock()
	if c.code != code {
		c.leave()
		c.code = code
		if c.in.active[code] == nil {
			c.in.active[code] = &waiting{since: time.Now()}
		}
		c.in.active[code].callers++
	}
	c.in.active[code].until = until
}

// over notes that the caller waits no more.
func (c *wait) over() {
	c.in.mu.Lock()
	defer c.in.mu.Unlock()
	c.leave()
}

func (c *wait) leave() {
	if c.code == "" {
		return
	}
	if now := c.in.active[c.code]; now.callers == 1 {
		delete(c.in.active, c.code)
	} else {
		now.callers--
	}
	c.code = ""
}

// reason is the gravest reason for which somebody waits.
func (w *waits) reason() migration.Reason {
	for _, code := range gravity {
		if r := w.of(code); r.Code != "" {
			return r
		}
	}
	return migration.Reason{}
}

// standing is the reason for a halt of the account or its egress. It holds also
// when nobody waits here: a wait that is too long for a lane is none of its own.
func (w *waits) standing(code string, until time.Time) migration.Reason {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.halt.code != code {
		w.halt.code, w.halt.since = code, time.Now()
	}
	if code == "" {
		return migration.Reason{}
	}
	return migration.Reason{Code: code, Text: waitText(code, until), Since: w.halt.since, Until: until}
}

// forBudget tells whether anybody waits for the account's requests.
func (w *waits) forBudget() bool {
	return w.of(reasonRatePace).Code != "" || w.of(reasonRateWindow).Code != "" || w.of(reasonLateGrants).Code != ""
}

func (w *waits) of(code string) migration.Reason {
	w.mu.Lock()
	defer w.mu.Unlock()
	now := w.active[code]
	if now == nil {
		return migration.Reason{}
	}
	return migration.Reason{Code: code, Text: waitText(code, now.until), Since: now.since, Until: now.until}
}

func waitText(code string, until time.Time) string {
	at := until.UTC().Format("15:04:05") + " UTC"
	switch code {
	case reasonEdge:
		return "the edge in front of Zendesk refuses this account; the next try is at " + at
	case reasonEgressBlocked:
		return "the edge in front of Zendesk refused us: nothing leaves until a probe is well; see `starter egress status`"
	case reasonEgressClosed:
		return "an operator closed the egress: `starter egress open` lets requests leave again"
	case reasonEgress:
		return "as many requests leave as the egress's cap allows, over all accounts and workers"
	case reasonRetryAfter:
		return "Zendesk asked to be left alone until " + at
	case reasonRateWindow:
		return "Zendesk's rate window is used up until " + at
	case reasonRatePace:
		return "requests leave as fast as the account's plan allows, evenly over each minute"
	case reasonLateGrants:
		return "the ledger grants the account's requests only when the rate window that they belong to is over: its database is too slow"
	case reasonOpenJobs:
		return fmt.Sprintf("%d jobs are open in the account, as many as it may have", maxOpenJobs)
	}
	return code
}
