package zendesk

import (
	"context"
	"net/http"
	"time"

	"farewell/migration"
)

const (
	// recently is how long an answer proves that an account is well.
	recently = time.Minute
	// probeElsewhere and probeSuspect are how long others wait with a probe
	// that an account which answered lately could send: first those that did
	// not, last the one whose answer blocked the egress.
	probeElsewhere = 1500 * time.Millisecond
	probeSuspect   = 3 * time.Second
)

// probe looks through a blocked egress, one look at a time over all workers,
// for as long as it holds somebody here.
func (x *Exit) probe() {
	for {
		e, _ := x.egress.Gate("")
		if !x.holds() {
			return
		}
		if e.State == migration.EgressBlocked {
			x.probeOnce(e)
		}
		_ = sleep(context.Background(), gateRecheck) // it ends by itself
	}
}

// holds tells whether anybody waits; when not, probing has ended.
func (x *Exit) holds() bool {
	x.mu.Lock()
	defer x.mu.Unlock()
	if x.held > 0 {
		return true
	}
	x.probing = false
	return false
}

func (x *Exit) probeOnce(e migration.Egress) {
	a, from := x.candidate(e, time.Now())
	if a == nil || time.Now().Before(from) {
		return
	}
	ctx, cancel := context.WithTimeout(a.live, callLimit)
	defer cancel()
	claimed, err := x.egress.ClaimProbe(ctx)
	if err != nil {
		x.log.Warn("the egress could not be probed", "error", err)
	}
	if !claimed {
		return
	}
	result := a.lookThrough(ctx)
	x.log.Info("the egress was probed", "account", a.name, "result", string(result), "blocked_by", e.Account, "evidence", e.Evidence)
	if err := x.egress.Probed(context.WithoutCancel(ctx), result); err != nil {
		x.log.Warn("a probe's result could not be told", "error", err) // the next claim is granted when this one has run out
	}
}

// candidate is the account here that may send the next probe first, and when.
func (x *Exit) candidate(e migration.Egress, now time.Time) (best *Account, from time.Time) {
	x.mu.Lock()
	defer x.mu.Unlock()
	for a := range x.accounts {
		at := e.ProbeAt
		_, blocked := x.egress.Gate(a.name)
		switch {
		case a.name == e.Account:
			at = latest(at.Add(probeSuspect), blocked)
		case blocked.After(now):
			at = latest(at.Add(probeElsewhere), blocked)
		case now.Sub(a.health.lastWell()) > recently:
			at = at.Add(probeElsewhere)
		}
		if best == nil || at.Before(from) {
			best, from = a, at
		}
	}
	return best, from
}

// lookThrough asks the account for what needs no credentials, and tells who
// answers.
func (a *Account) lookThrough(ctx context.Context) migration.ProbeResult {
	c := call{op: "probe the egress", method: http.MethodGet, path: "/api/v2/users/me", noAuth: true}
	a.pace.charge()
	ans, err := a.send(ctx, c, "", nil)
	switch {
	case ans == nil || err != nil && ans.good():
		return migration.ProbeUnheard
	case edgeRefused(ans):
		return migration.ProbeRefused
	}
	a.health.well()
	return migration.ProbeWell
}
