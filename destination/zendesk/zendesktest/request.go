package zendesktest

import (
	"errors"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
)

// request is one call on its way through an account.
type request struct {
	route      *route
	id         string // the id in the path
	query      url.Values
	mime       string
	body       []byte
	input      any // what parse made of the body
	actor      *user
	credential string      // the bearer token
	authorized string      // the Authorization header
	header     http.Header // of the answer
	base       string      // where the client reaches this account: links to further pages use it
	arrived    int64       // nanoseconds since 1970
	now        int64       // when the account deals with it
	warn       []string    // keys that were dropped
	fault      *Fault
	plan       jobPlan
	client     *client
}

var bodies = sync.Pool{New: func() any { return new([]byte) }}
var arenas = sync.Pool{New: func() any { return new(arena) }}

func (a *account) serve(w http.ResponseWriter, r *http.Request, path string, from *client, now int64) {
	q := &request{
		query:   r.URL.Query(),
		mime:    r.Header.Get("Content-Type"),
		header:  w.Header(),
		base:    baseURL(r, a.name),
		arrived: now,
		now:     now,
		client:  from,
	}
	q.route, q.id = findRoute(r.Method, path)
	a.zendeskHeaders(q)
	reply := a.answer(q, r)
	a.record(q, r, reply)
	a.send(w, r, q, reply)
	reply.sent()
}

// answer takes the request through the gate, its body and its endpoint.
func (a *account) answer(q *request, r *http.Request) answer {
	if refused := a.gate(q, r.Header.Get("Authorization")); refused != nil {
		return *refused
	}
	if !q.route.takesBody {
		return a.handle(q)
	}
	buffer := bodies.Get().(*[]byte)
	defer bodies.Put(buffer) // what is kept of a body was copied: to the arena, and to the journal
	if refused := a.readBody(q, r, buffer); refused != nil {
		return *refused
	}
	return a.handle(q)
}

// gate counts the request and refuses it for its budget, its credentials, its path or a planned fault, in this order.
func (a *account) gate(q *request, authorization string) (refused *answer) {
	a.mu.Lock()
	defer a.mu.Unlock()
	q.now = a.clock()
	a.advance(q.now)
	a.countArrival(q)
	q.authorized = authorization
	if q.route != nil && q.route.public {
		return a.strike(q)
	}
	if refused := a.admit(q); refused != nil {
		return refused
	}
	if refused := a.authenticate(q, authorization); refused != nil {
		return refused
	}
	if q.route == nil {
		reply := invalidEndpoint()
		return &reply
	}
	if q.route.adminOnly && q.actor.role != "admin" {
		reply := forbidden()
		return &reply
	}
	return a.strike(q)
}

// handle parses the body without the account's lock, writes the journal and applies the request under it.
func (a *account) handle(q *request) answer {
	if q.route.parse != nil {
		if refused := q.route.parse(a, q); refused != nil {
			return *refused
		}
	}
	if q.fault != nil && q.fault.Kind == faultLate {
		time.Sleep(q.fault.delay()) // on purpose without a look at the client: it may have given up long ago
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	q.now = a.clock()
	a.advance(q.now)
	if q.route.writes {
		if err := a.journal.append(q); err != nil {
			return jsonAnswer(http.StatusInternalServerError, errorBody("SandboxJournal", err.Error()))
		}
	}
	return a.strikeAfter(q, q.route.apply(a, q))
}

func (a *account) readBody(q *request, r *http.Request, buffer *[]byte) (refused *answer) {
	limit := a.bodyLimit(q.route)
	if r.ContentLength > limit {
		return tooLarge(limit)
	}
	body, err := readAll((*buffer)[:0], io.LimitReader(r.Body, limit+1), r.ContentLength)
	*buffer = body
	if err != nil {
		return &answer{cut: true} // the client went away in the middle of its request
	}
	if int64(len(body)) > limit {
		return tooLarge(limit)
	}
	q.body = body
	return nil
}

// readAll is io.ReadAll into a buffer that is used again.
func readAll(buffer []byte, from io.Reader, expected int64) ([]byte, error) {
	if need := int(expected) + 1; expected >= 0 && cap(buffer) < need {
		buffer = make([]byte, 0, need+need/8)
	}
	for {
		if len(buffer) == cap(buffer) {
			buffer = append(buffer, 0)[:len(buffer)]
		}
		n, err := from.Read(buffer[len(buffer):cap(buffer)])
		buffer = buffer[:len(buffer)+n]
		if errors.Is(err, io.EOF) {
			return buffer, nil
		}
		if err != nil {
			return buffer, err
		}
	}
}

func tooLarge(limit int64) *answer {
	reply := jsonAnswer(http.StatusRequestEntityTooLarge, errorBody("RequestEntityTooLarge", "Request body is larger than "+strconv.FormatInt(limit, 10)+" bytes"))
	return &reply
}

// send writes the answer, or cuts the connection where a fault says so.
func (a *account) send(w http.ResponseWriter, r *http.Request, q *request, reply answer) {
	if q.fault != nil && q.fault.Kind == faultSlow {
		select {
		case <-time.After(q.fault.delay()):
		case <-r.Context().Done():
		}
	}
	if reply.cut {
		panic(http.ErrAbortHandler)
	}
	drain(r)
	if len(q.warn) > 0 {
		w.Header().Set("x-zendesk-api-warn", "Removed restricted keys "+mustMarshal(q.warn)+" from parameters according to whitelist")
	}
	if reply.contentType != "" {
		w.Header().Set("Content-Type", reply.contentType)
	}
	if reply.status != http.StatusNoContent {
		w.Header().Set("Content-Length", strconv.Itoa(len(reply.body)))
	}
	w.WriteHeader(reply.status)
	if reply.cutAt >= 0 {
		w.Write(reply.body[:reply.cutAt])     //nolint:errcheck // the connection is cut next
		http.NewResponseController(w).Flush() //nolint:errcheck // the same
		panic(http.ErrAbortHandler)
	}
	w.Write(reply.body) //nolint:errcheck // a client that has gone is none of the server's business
}

func baseURL(r *http.Request, name string) string {
	scheme := "http://"
	if r.TLS != nil {
		scheme = "https://"
	}
	return scheme + r.Host + "/accounts/" + name
}

// link is this account's URL for path, for pages and files: unlike the urls inside records it can be followed.
func (q *request) link(path string, query url.Values) string {
	u := q.base + "/api/v2/" + path
	if len(query) > 0 {
		u += "?" + query.Encode()
	}
	return u
}

// drop notes a key that Zendesk ignores. The key may be a view of a buffer, so it is copied.
func (q *request) drop(key string) {
	if len(q.warn) < maxWarnings && !slices.Contains(q.warn, key) {
		q.warn = append(q.warn, strings.Clone(key))
	}
}

// maxWarnings keeps x-zendesk-api-warn within the size of a header.
const maxWarnings = 50

func (a *account) bodyLimit(r *route) int64 {
	a.mu.Lock()
	defer a.mu.Unlock()
	if r.class == "uploads" {
		return a.settings.MaxUploadBytes
	}
	return a.settings.MaxBodyBytes
}

// drain reads what is left of a refused request's body. Otherwise the connection would be reset under a client that is
// still sending, and it would lose the answer; Zendesk's edge takes the whole request before it answers.
func drain(r *http.Request) {
	io.Copy(io.Discard, r.Body) //nolint:errcheck // a client that has gone is none of the server's business
}
