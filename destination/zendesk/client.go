package zendesk

import (
	"bufio"
	"bytes"
	"cmp"
	"context"
	"errors"
	"io"
	"math/rand/v2"
	"net/http"
	"net/http/httptrace"
	"net/url"
	"slices"
	"strings"
	"time"

	"farewell/destination"
)

const (
	// callLimit ends every call, whatever the peer does: below the shortest
	// heartbeat timeout, which is 20 s.
	callLimit = 18 * time.Second
	// tries of a request that may be repeated.
	maxTries = 3
	// retryPause is the first pause between tries; it doubles.
	retryPause = 200 * time.Millisecond
	// problemLimit bounds what is read of an answer that is not a success.
	problemLimit = 64 << 10
	// answerLimit bounds a normal answer: 100 records, or 30 jobs of 100.
	answerLimit = 32 << 20
	// exportLimit bounds a page of the incremental export: 1,000 tickets of
	// 64 KB each at most, decoded one by one.
	exportLimit = 128 << 20
)

// call is one request to the account.
type call struct {
	op     string // for errors: "import tickets"
	method string
	path   string // below the account's URL
	query  url.Values
	body   []byte
	form   string    // content type of body
	sendBy time.Time // zero: any time
	// withdrawn is closed when the call must not be begun any more; nil: never.
	withdrawn <-chan struct{}
	limit     int64 // bytes of a good answer; zero: answerLimit
	noAuth    bool

	content  *content      // instead of body: a file that is streamed, once
	size     int64         // of content; -1: not known
	within   time.Duration // how long the call may take; zero: callLimit
	file     bool          // the answer is a file, of any bytes, or a redirect to one
	harmless bool          // a second arrival changes nothing
}

// answer is what came back. Body is filled unless the call had its own reader.
type answer struct {
	status       int
	left         time.Time // when its request was sent
	header       http.Header
	body         []byte
	tokenExpired bool // of a 401: the token was good before
}

// lost is a call without a usable answer.
type lost struct {
	untouched bool // proven: no byte of the request was written
	err       error
}

func (l *lost) Error() string { return l.err.Error() }
func (l *lost) Unwrap() error { return l.err }

// get fetches and retries what may pass inside the call's limit; read consumes
// the body of a 200. Every error is a *destination.Error or the context's own.
func (a *Account) get(ctx context.Context, op, path string, query url.Values, read func(io.Reader) error) error {
	return a.repeat(ctx, call{op: op, method: http.MethodGet, path: path, query: query}, read)
}

// repeat makes a call that may be repeated without harm.
func (a *Account) repeat(ctx context.Context, c call, read func(io.Reader) error) error {
	_, err := a.repeatFor(ctx, c, read)
	return err
}

// repeatFor is repeat for whoever needs the answer, too.
func (a *Account) repeatFor(ctx context.Context, c call, read func(io.Reader) error) (*answer, error) {
	limit := cmp.Or(c.within, callLimit)
	deadline := time.Now().Add(limit)
	renewed := false
	pause := retryPause
	for try := 1; ; try++ {
		if err := a.waitForEndpoint(ctx, c); err != nil {
			return nil, err
		}
		if err := a.pace.wait(ctx); err != nil {
			return nil, err
		}
		auth, err := a.authorization(ctx, c)
		if err == nil {
			err = a.exit.depart(ctx, a)
		}
		if err != nil {
			a.pace.done(time.Now(), nil)
			return nil, err
		}
		if try == 1 {
			deadline = time.Now().Add(limit) // waiting for the pace is no part of the call
		}
		attempt, cancel := context.WithDeadline(ctx, deadline)
		ans, err := a.send(attempt, c, auth, read)
		cancel()
		failure := a.judge(ctx, c, auth, ans, err)
		if failure == nil {
			return ans, nil
		}
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		if ans != nil && ans.status == http.StatusUnauthorized && !renewed && a.renewed(ctx, c, auth) {
			renewed = true
			continue
		}
		if failure.Kind != destination.Temporary || failure.RetryAfter > 0 || try == maxTries || time.Until(deadline) < 2*pause {
			return nil, failure
		}
		if err := sleep(ctx, jitter(pause)); err != nil {
			return nil, err
		}
		pause *= 2
	}
}

// post sends a request that has an effect, once. Cancelling the context before
// keeps it from going out; afterwards the answer is waited for, since a call
// broken off is a batch in doubt. The place in the pace must be taken.
func (a *Account) post(ctx context.Context, c call) (*answer, error) {
	auth, err := a.authorization(ctx, c)
	if err == nil {
		err = a.exit.depart(ctx, a)
	}
	if err != nil {
		a.pace.done(time.Now(), nil)
		return nil, err
	}
	if err := ctx.Err(); err != nil {
		a.pace.done(time.Now(), nil)
		return nil, err
	}
	c.withdrawn = ctx.Done()
	once, cancel := context.WithTimeout(c.persistent(ctx), cmp.Or(c.within, callLimit))
	defer cancel()
	ans, err := a.send(once, c, auth, nil)
	if failure := a.judge(ctx, c, auth, ans, err); failure != nil {
		return ans, failure
	}
	return ans, nil
}

// authorization is the Authorization header for the call, or "".
func (a *Account) authorization(ctx context.Context, c call) (string, error) {
	if c.noAuth {
		return "", nil
	}
	return a.creds.header(ctx)
}

// renewed tells whether, after a 401, another Authorization header is at hand.
func (a *Account) renewed(ctx context.Context, c call, refused string) bool {
	if c.noAuth {
		return false
	}
	next, err := a.creds.header(ctx)
	return err == nil && next != refused // the error comes up again with the next call
}

// send makes one attempt. It returns an answer, or an error that is a *lost;
// both when the answer broke off.
func (a *Account) send(ctx context.Context, c call, auth string, read func(io.Reader) error) (*answer, error) {
	began := time.Now()
	if !strings.HasPrefix(c.path, jobsPath) {
		a.sent.Add(1)
	}
	flight := a.departed(c, began)
	defer flight.arrive()

	var used *countingConn
	var before int64
	trace := &httptrace.ClientTrace{
		GotConn: func(info httptrace.GotConnInfo) {
			used = counted(info.Conn)
			if used != nil {
				before = used.sent()
			}
			// From now on Write refuses: what was not sent in time never is.
			_ = info.Conn.SetWriteDeadline(c.writeBy(ctx)) // fails on a closed connection only, whose Write fails as well
		},
	}
	req, err := a.request(httptrace.WithClientTrace(ctx, trace), c, auth)
	if err != nil {
		a.pace.done(time.Now(), nil)
		return nil, &lost{untouched: true, err: err}
	}
	res, err := a.http.Do(req)
	flight.arrive()
	if err != nil {
		untouched := used == nil || used.stop() == before
		err = withoutURL(err)
		if !errors.Is(err, context.Canceled) {
			a.health.failed(began, transportCode(err))
		}
		a.pace.done(time.Now(), nil)
		return nil, &lost{untouched: untouched, err: err}
	}
	defer func() { _ = res.Body.Close() }() // read to its end or given up; nothing is left to learn
	ans := &answer{status: res.StatusCode, header: res.Header, left: began}
	a.observe(c, began, ans)
	body := bufio.NewReader(res.Body)
	if read != nil && ans.good() && (c.file && zendesksOwn(ans) || !startsLikeHTML(body)) {
		err = read(io.LimitReader(body, cmp.Or(c.limit, answerLimit)))
	} else {
		ans.body, err = io.ReadAll(io.LimitReader(body, ans.limit(c)))
	}
	if err != nil {
		return ans, &lost{err: err}
	}
	return ans, nil
}

// departed tells the account's health that an answer is due: to a file, once
// all of it is on its way.
func (a *Account) departed(c call, now time.Time) *flight {
	if c.content == nil {
		return a.health.depart(now)
	}
	f := &flight{of: a.health}
	c.content.ended = f.depart
	return f
}

// persistent is the context under which a request that was begun is brought to
// its end: an answer that is not waited for is a batch in doubt. What does no
// harm may be broken off.
func (c call) persistent(ctx context.Context) context.Context {
	if c.harmless {
		return ctx
	}
	return context.WithoutCancel(ctx)
}

// writeBy is when the connection stops taking bytes of the call: long ago, when
// the call was withdrawn while it got its connection.
func (c call) writeBy(ctx context.Context) time.Time {
	select {
	case <-c.withdrawn:
		return time.Unix(0, 1)
	default:
	}
	limit, _ := ctx.Deadline()
	if !c.sendBy.IsZero() && c.sendBy.Before(limit) {
		return c.sendBy
	}
	return limit
}

// request builds the HTTP request. GetBody stays nil and no Idempotency-Key is
// set: either is leave for Go's transport to send a POST again by itself.
func (a *Account) request(ctx context.Context, c call, auth string) (*http.Request, error) {
	address := a.base + c.path
	if len(c.query) > 0 {
		address += "?" + c.query.Encode()
	}
	var body io.Reader
	switch {
	case c.content != nil:
		body = c.content
	case c.body != nil:
		body = bytes.NewReader(c.body)
	}
	req, err := http.NewRequestWithContext(ctx, c.method, address, body)
	if err != nil {
		return nil, withoutURL(err)
	}
	req.GetBody = nil
	if c.content != nil {
		req.ContentLength = c.size
		if c.size == 0 {
			req.Body = http.NoBody // else net/http would not tell the length
		}
	}
	req.Header.Set("Accept", "application/json")
	if c.file {
		req.Header.Set("Accept", "*/*")
		req.Header.Set("Accept-Encoding", "identity") // its bytes as they are kept
	}
	req.Header.Set("User-Agent", "farewell")
	if auth != "" {
		req.Header.Set("Authorization", auth)
	}
	if c.form != "" {
		req.Header.Set("Content-Type", c.form)
	}
	return req, nil
}

// observe draws from an answer's headers what concerns later requests.
func (a *Account) observe(c call, sent time.Time, ans *answer) {
	a.clock.observe(sent, time.Now(), ans.header.Get("Date"))
	a.pace.done(sent, ans)
	a.export.observe(ans)
	a.endpoints.observe(c, ans)
	if w := ans.header.Get("X-Zendesk-Api-Warn"); w != "" {
		a.log.Warn("zendesk dropped keys of a request, which is a fault of ours", "keys", keysOnly(w), "request_id", requestID(ans.header))
	}
}

func (ans *answer) good() bool { return ans.status >= 200 && ans.status < 300 }

func (ans *answer) limit(c call) int64 {
	if ans.good() {
		return cmp.Or(c.limit, answerLimit)
	}
	return problemLimit
}

// startsLikeHTML looks at the first byte of a body. The content type says
// nothing: Zendesk has sent JSON as text/plain.
func startsLikeHTML(body *bufio.Reader) bool {
	first, err := body.Peek(1)
	return err == nil && first[0] == '<' // an error comes up again when the body is read
}

// keysOnly keeps of a warning what can be the name of a key, since the rest
// might quote a value.
func keysOnly(warning string) string {
	words := strings.FieldsFunc(warning, func(r rune) bool {
		return r != '_' && (r < 'a' || r > 'z') && (r < 'A' || r > 'Z')
	})
	words = slices.DeleteFunc(words, func(w string) bool { return len(w) > 40 })
	return strings.Join(words[:min(len(words), 20)], " ")
}

// withoutURL strips the address off an error of net/http and net/url: a query
// may hold an e-mail address.
func withoutURL(err error) error {
	var u *url.Error
	if errors.As(err, &u) {
		return u.Err
	}
	return err
}

// requestID is what Zendesk's support asks for.
func requestID(h http.Header) string {
	if id := h.Get("X-Request-Id"); id != "" {
		return id
	}
	return h.Get("X-Zendesk-Request-Id")
}

// jitter spreads a pause over half of its length to its whole.
func jitter(d time.Duration) time.Duration { return d/2 + rand.N(d/2+1) }

func sleep(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
