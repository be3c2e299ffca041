package zendesktest

import (
	"fmt"
	"math/rand/v2"
	"net/http"
	"slices"
	"strconv"
	"time"
)

// Fault is something that goes wrong with requests of one kind. The first fault of the list that strikes a request is
// the only one.
type Fault struct {
	// Kind is one of the names below.
	Kind string `json:"kind"`
	// On is which requests: a class (imports, tickets, jobs, users, organizations, memberships, search, incremental,
	// uploads, oauth, other), an endpoint as the statistics name it, or "" for all.
	On string `json:"on,omitempty"`
	// Probability is between 0 and 1; left out (or 0) it is 1.
	Probability float64 `json:"probability,omitempty"`
	// Skip lets so many matching requests pass first.
	Skip int `json:"skip,omitempty"`
	// Count is how often it strikes; 0 has no end.
	Count int `json:"count,omitempty"`
	// Status of error_before and error_after: 500 (when left out) or any other 5xx.
	Status int `json:"status,omitempty"`
	// RetryAfter is the header of unavailable and rate_limited, in seconds; 0 leaves it out.
	RetryAfter int `json:"retry_after,omitempty"`
	// DelaySeconds is how late slow answers and late commits, in real seconds.
	DelaySeconds float64 `json:"delay_seconds,omitempty"`
	// After is how many items job_fails_after creates before the job fails.
	After int `json:"after,omitempty"`
}

// The kinds of faults. "Before" and "after" are meant from the commit: after it, the request has had its effect.
const (
	faultCutBefore    = "cut_before"      // the connection is cut, nothing happened
	faultCutAfter     = "cut_after"       // the connection is cut, everything happened: the answer is lost
	faultCutHalf      = "cut_half"        // the answer is cut half-way
	faultErrorBefore  = "error_before"    // an HTML 5xx, nothing happened
	faultErrorAfter   = "error_after"     // an HTML 5xx, everything happened
	faultUnavailable  = "unavailable"     // a 503, nothing happened
	faultRateLimited  = "rate_limited"    // a 429 although there is budget left
	faultConflict     = "conflict"        // a 409 as text/plain, nothing happened
	faultExpiredToken = "expired_token"   // the access token has just expired
	faultSlow         = "slow"            // the answer is late, its effect is not
	faultLate         = "late"            // the effect is late as well, even if the client has gone by then
	faultJobStuck     = "job_stuck"       // the job stays queued
	faultJobFails     = "job_fails_after" // the job fails as a whole after some items were created
	faultJobSilent    = "job_silent"      // the job's own URL answers 404
	faultJobEmpty     = "job_empty"       // the job's own URL answers 200 without a body
	faultJobHidden    = "job_hidden"      // the same, and show_many leaves it out; only the list shows it
	faultJobVanishes  = "job_vanishes"    // the job is gone as soon as it has ended
)

var faultKinds = [...]string{
	faultCutBefore, faultCutAfter, faultCutHalf, faultErrorBefore, faultErrorAfter, faultUnavailable, faultRateLimited,
	faultConflict, faultExpiredToken, faultSlow, faultLate, faultJobStuck, faultJobFails, faultJobSilent, faultJobEmpty, faultJobHidden, faultJobVanishes,
}

func (f *Fault) check() error {
	switch {
	case !slices.Contains(faultKinds[:], f.Kind):
		return fmt.Errorf("kind is %q: it must be one of %q", f.Kind, faultKinds)
	case f.Probability < 0 || f.Probability > 1:
		return fmt.Errorf("probability is %v: it must be between 0 and 1", f.Probability)
	case f.Status != 0 && (f.Status < 500 || f.Status > 599):
		return fmt.Errorf("status is %d: it must be between 500 and 599", f.Status)
	case f.Skip < 0 || f.Count < 0 || f.RetryAfter < 0 || f.DelaySeconds < 0 || f.After < 0:
		return fmt.Errorf("skip, count, retry_after, delay_seconds and after must not be negative")
	}
	return f.checkOn()
}

func (f *Fault) checkOn() error {
	if f.On == "" {
		return nil
	}
	for _, r := range routes {
		if r.class == f.On || r.name == f.On {
			return nil
		}
	}
	return fmt.Errorf("on is %q: there is no such class and no such endpoint", f.On)
}

// die decides whether a fault strikes, and remembers how often it did.
type die struct {
	random *rand.Rand
	seen   int
	fired  int
}

func rollDice(s Settings) []die {
	dice := make([]die, len(s.Faults))
	for i := range dice {
		dice[i].random = rand.New(rand.NewPCG(s.Seed, uint64(i)))
	}
	return dice
}

// matches is whether the fault is about such requests.
func (f *Fault) matches(r *route) bool {
	if f.isJobFault() && !r.job {
		return false
	}
	return f.On == "" || f.On == r.class || f.On == r.name
}

func (f *Fault) isJobFault() bool {
	switch f.Kind {
	case faultJobStuck, faultJobFails, faultJobSilent, faultJobEmpty, faultJobHidden, faultJobVanishes:
		return true
	}
	return false
}

// draw finds the fault that strikes the request, if any.
func (a *account) draw(q *request) *Fault {
	for i := range a.settings.Faults {
		f, d := &a.settings.Faults[i], &a.dice[i]
		if !f.matches(q.route) {
			continue
		}
		d.seen++
		if d.seen <= f.Skip || f.Count > 0 && d.fired >= f.Count {
			continue
		}
		if f.Probability > 0 && d.random.Float64() >= f.Probability {
			continue
		}
		d.fired++
		chosen := *f
		return &chosen
	}
	return nil
}

// strike draws the request's fault, and answers for those that strike before the commit.
func (a *account) strike(q *request) (refused *answer) {
	f := a.draw(q)
	if f == nil {
		return nil
	}
	q.fault = f
	var reply answer
	switch f.Kind {
	case faultCutBefore:
		reply = answer{cut: true}
	case faultErrorBefore:
		reply = serverError(f.Status)
	case faultUnavailable:
		a.retryAfter(q, f)
		reply = jsonAnswer(http.StatusServiceUnavailable, errorBody("ServiceUnavailable", "Service is temporarily unavailable"))
	case faultRateLimited:
		return a.limitedByFault(q)
	case faultConflict:
		reply = plainText(http.StatusConflict, "text/plain; charset=utf-8", "Requester creation collision - please try again")
	case faultExpiredToken:
		a.expire(q)
		reply = unauthorized()
	default:
		q.plan.add(f)
		return nil
	}
	return &reply
}

func (p *jobPlan) add(f *Fault) {
	switch f.Kind {
	case faultJobStuck:
		p.Stuck = true
	case faultJobFails:
		p.FailAfter = &f.After
	case faultJobSilent:
		p.Silent = true
	case faultJobEmpty:
		p.Empty = true
	case faultJobHidden:
		p.Hidden = true
	case faultJobVanishes:
		p.Vanish = true
	}
}

// limitedByFault is a 429 with budget left: trial accounts have a limit per hour that no header shows.
func (a *account) limitedByFault(q *request) *answer {
	a.retryAfter(q, q.fault)
	refused := a.limitBody("Number of allowed requests per hour exceeded")
	return &refused
}

// retryAfter tells the client to wait, if the fault says so.
func (a *account) retryAfter(q *request, f *Fault) {
	if f.RetryAfter > 0 {
		a.tellToWait(q, "", int64(f.RetryAfter))
	}
}

func (f *Fault) delay() time.Duration {
	return time.Duration(f.DelaySeconds * float64(time.Second))
}

// strikeAfter changes the answer for faults that strike after the commit.
func (a *account) strikeAfter(q *request, reply answer) answer {
	if q.fault == nil {
		return reply
	}
	switch q.fault.Kind {
	case faultCutAfter:
		return answer{cut: true}
	case faultCutHalf:
		reply.cutAt = len(reply.body) / 2
	case faultErrorAfter:
		return serverError(q.fault.Status)
	}
	return reply
}

func serverError(status int) answer {
	if status == 0 {
		status = http.StatusInternalServerError
	}
	return plainText(status, "text/html; charset=utf-8", "<html><head><title>"+strconv.Itoa(status)+" "+http.StatusText(status)+
		"</title></head><body><center><h1>"+strconv.Itoa(status)+" "+http.StatusText(status)+"</h1></center><hr><center>nginx</center></body></html>\n")
}
