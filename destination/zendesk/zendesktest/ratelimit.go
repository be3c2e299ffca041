package zendesktest

import (
	"net/http"
	"strconv"
)

// window counts requests in fixed windows of length nanoseconds, aligned to the Unix epoch plus shift. Zendesk's account
// window starts at each UTC minute (seen in 1,283 recorded answers).
type window struct {
	length, shift int64
	current       int64
	used          int
	peak          int
}

// take counts one request. Without budget left it is refused; reset is how many nanoseconds the window still lasts.
func (w *window) take(now int64, limit int) (remaining int, reset int64, ok bool) {
	index := (now - w.shift) / w.length
	if index != w.current {
		w.current, w.used = index, 0
	}
	w.used++
	w.peak = max(w.peak, w.used)
	reset = (index+1)*w.length + w.shift - now
	return max(0, limit-w.used), reset, w.used <= limit
}

// bucket is a limit of one endpoint, beside the account's own.
type bucket struct {
	name    string  // as in its header zendesk-ratelimit-<name>
	limit   int     // requests in each window
	seconds float64 // length of the window in Zendesk's time
	shift   float64 // the incremental bucket was seen to reset at another second than the account's
}

var (
	incrementalBucket  = bucket{name: "incremental-exports", limit: 10, seconds: 60, shift: 17}
	searchExportBucket = bucket{name: "search-export", limit: 100, seconds: 60, shift: 31}
	deleteBucket       = bucket{name: "tickets-delete", limit: 400, seconds: 60, shift: 7}
	upsertBucket       = bucket{name: "create-update-user", limit: 1, seconds: 1}
)

// limiter is an account's memory of the requests that it got.
type limiter struct {
	account    window
	buckets    map[string]*window
	retryAfter map[string]int64 // by bucket name, "" for the account: until when a client was told to wait
}

func newLimiter(s *Settings) limiter {
	return limiter{
		account:    window{length: s.minute()},
		buckets:    map[string]*window{},
		retryAfter: map[string]int64{},
	}
}

// admit counts a request against the account's budget and against its endpoint's bucket, if it has one. It sets the
// headers of the answer, and returns the refusal when there is no budget left.
func (a *account) admit(q *request) (refused *answer) {
	limit := a.settings.PlanPerMinute
	remaining, reset, ok := a.limits.account.take(q.now, limit)
	q.header.Set("X-Rate-Limit", strconv.Itoa(limit))
	q.header.Set("X-Rate-Limit-Remaining", strconv.Itoa(remaining))
	q.header.Set("ratelimit-limit", strconv.Itoa(limit))
	q.header.Set("ratelimit-remaining", strconv.Itoa(remaining))
	q.header.Set("ratelimit-reset", strconv.FormatInt(wholeSeconds(reset), 10))
	if !ok {
		return a.tooManyRequests(q, "", reset, "Number of allowed API requests per minute exceeded")
	}
	if q.route == nil || q.route.bucket == nil {
		return nil
	}
	return a.admitTo(q, *q.route.bucket, q.route.bucket.name)
}

// admitTo counts a request against one bucket; key tells apart buckets of the same name.
func (a *account) admitTo(q *request, b bucket, key string) (refused *answer) {
	w := a.limits.buckets[key]
	if w == nil {
		w = &window{length: max(1, a.settings.scaled(b.seconds)), shift: a.settings.scaled(b.shift)}
		a.limits.buckets[key] = w
	}
	remaining, reset, ok := w.take(q.now, b.limit)
	q.header.Set("zendesk-ratelimit-"+b.name,
		"total="+strconv.Itoa(b.limit)+"; remaining="+strconv.Itoa(remaining)+"; resets="+strconv.FormatInt(wholeSeconds(reset), 10))
	if ok {
		return nil
	}
	return a.tooManyRequests(q, key, reset, "Rate limit exceeded. Maximum "+strconv.Itoa(b.limit)+" requests per minute.")
}

// tooManyRequests is the 429 of a window that lasts reset nanoseconds more.
func (a *account) tooManyRequests(q *request, key string, reset int64, text string) *answer {
	a.tellToWait(q, key, wholeSeconds(reset))
	refused := a.limitBody(text)
	return &refused
}

// limitBody is a 429's body, which nobody should parse: Zendesk has several.
func (a *account) limitBody(text string) answer {
	if a.settings.RateLimitBody == "json" {
		return jsonAnswer(http.StatusTooManyRequests, errorList("TooManyRequests", "429", text))
	}
	return plainText(http.StatusTooManyRequests, "text/html; charset=utf-8", text)
}

// tellToWait sets Retry-After, and remembers it: requests that come sooner are counted. key is the bucket, "" the account.
func (a *account) tellToWait(q *request, key string, seconds int64) {
	a.limits.retryAfter[key] = max(a.limits.retryAfter[key], q.now+seconds*1e9)
	q.header.Set("Retry-After", strconv.FormatInt(seconds, 10))
}

// insideRetryAfter is whether the client was told to wait longer than until now.
func (a *account) insideRetryAfter(q *request) bool {
	if q.now < a.limits.retryAfter[""] {
		return true
	}
	return q.route != nil && q.route.bucket != nil && q.now < a.limits.retryAfter[q.route.bucket.name]
}
