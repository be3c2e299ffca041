package zendesk

import (
	"context"
	"strconv"
	"strings"
	"sync"
	"time"

	"farewell/destination"
)

// bucket is what an answer says about a limit of its endpoint, beside the
// account's own: "total=100; remaining=99; resets=41".
type bucket struct {
	total     int
	remaining int
	resets    time.Duration
}

// readBucket reads a header's value; ok is false when a part is missing.
func readBucket(value string) (b bucket, ok bool) {
	seen := 0
	for part := range strings.SplitSeq(value, ";") {
		name, number, _ := strings.Cut(strings.TrimSpace(part), "=")
		n, err := strconv.Atoi(number)
		if err != nil {
			continue // a part that we do not know
		}
		switch name {
		case "total":
			b.total = n
		case "remaining":
			b.remaining = n
		case "resets":
			b.resets = time.Duration(n) * time.Second
		default:
			continue
		}
		seen++
	}
	return b, seen == 3
}

// Buckets with a pace of their own.
const (
	inflightJobs       = "inflight-jobs"
	incrementalExports = "incremental-exports"
)

// bucketName is the bucket that a header speaks of, in the spelling of 2024 or
// that of 2023; "" for other headers
// (https://developer.zendesk.com/api-reference/introduction/rate-limits/).
func bucketName(header string) string {
	header = strings.ToLower(header)
	for _, prefix := range []string{"zendesk-ratelimit-", "zendesk-rate-limit-"} {
		if name, ok := strings.CutPrefix(header, prefix); ok {
			return name
		}
	}
	return ""
}

// endpoints keeps requests inside the limits of single endpoints. What an answer
// says holds for its own endpoint: which ones share a bucket is not documented.
type endpoints struct {
	reserved int // percent, for the account's other integrations

	mu   sync.Mutex
	full map[string]time.Time // by endpoint: until when
}

func newEndpoints(account destination.Account) *endpoints {
	return &endpoints{reserved: account.ReservedPercent, full: make(map[string]time.Time)}
}

// endpoint is the call's method and path without ids.
func (c call) endpoint() string {
	path, version := c.path, "/api/v2"
	rest, ok := strings.CutPrefix(path, version)
	if at := strings.IndexAny(rest, "0123456789"); ok && at >= 0 {
		path = version + rest[:strings.LastIndexByte(rest[:at], '/')+1]
	}
	return c.method + " " + path
}

// observe notes a bucket that is used up but for the reserved part.
func (e *endpoints) observe(c call, ans *answer) {
	for header, values := range ans.header {
		name := bucketName(header)
		if name == "" || name == inflightJobs || name == incrementalExports {
			continue
		}
		b, ok := readBucket(values[0])
		if !ok || b.remaining > (b.total*e.reserved+99)/100 {
			continue
		}
		e.mu.Lock()
		e.full[c.endpoint()] = time.Now().Add(b.resets)
		e.mu.Unlock()
	}
}

// fullUntil is when the endpoint has requests again; the zero time: it has.
func (e *endpoints) fullUntil(endpoint string, now time.Time) time.Time {
	e.mu.Lock()
	defer e.mu.Unlock()
	until := e.full[endpoint]
	if until.After(now) {
		return until
	}
	delete(e.full, endpoint)
	return time.Time{}
}

// waitForEndpoint returns when the call's endpoint has requests left, or with an
// *Error of kind Waiting when that is after the context's deadline or too late
// for a lane.
func (a *Account) waitForEndpoint(ctx context.Context, c call) error {
	caller, began := a.waits.caller(), time.Now()
	defer caller.over()
	for {
		now := time.Now()
		until := a.endpoints.fullUntil(c.endpoint(), now)
		if until.IsZero() {
			return nil
		}
		deadline, bounded := ctx.Deadline()
		if bounded && until.After(deadline) || until.Sub(began) > a.timings.LaneWait {
			return waitingError(c.op, reasonRateWindow, max(until.Sub(now), minWaiting))
		}
		caller.becauseOf(reasonRateWindow, until)
		if err := sleep(ctx, until.Sub(now)); err != nil {
			return err
		}
	}
}
