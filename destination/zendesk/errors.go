package zendesk

import (
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"time"

	"farewell/destination"
)

const (
	// pauseWithoutHint is what Zendesk's own client waits after a 429 or 503
	// without Retry-After (github.com/zendesk/zendesk_api_client_rb).
	pauseWithoutHint = 10 * time.Second
	// edgePause is how long an account rests after its edge refused us: each
	// further request may lengthen a block of the whole address.
	edgePause = time.Minute
	// longestPause bounds what an answer may ask of us.
	longestPause = time.Hour
)

// codeTooManyJobs is the error's name under whatever status it comes.
const codeTooManyJobs = "TooManyJobs"

// judge turns the end of a call into nil or a *destination.Error, and tells
// pace, health and credentials what they need to know.
func (a *Account) judge(ctx context.Context, c call, auth string, ans *answer, err error) *destination.Error {
	if ans == nil {
		return lostCall(c, err)
	}
	switch {
	case auth == "":
	case ans.status == http.StatusUnauthorized:
		ans.tokenExpired = a.creds.expired(auth)
		a.creds.refused(auth)
	default:
		a.creds.accepted(auth)
	}
	switch {
	case edgeRefused(ans): // says nothing of the account
	case ans.status >= 500:
		a.health.failed(time.Now(), "answers "+strconv.Itoa(ans.status))
	default:
		a.health.well()
	}
	a.rest(ctx, ans)
	if err != nil {
		return cutAnswer(c, ans, err)
	}
	return classify(c, ans)
}

// rest leaves the account alone for as long as its answer asks, and all
// accounts when the answer came from the edge.
func (a *Account) rest(ctx context.Context, ans *answer) {
	pause, why := pauseAfter(ans)
	var err error
	switch {
	case pause == 0:
	case why == reasonEdge:
		a.log.Warn("the edge in front of Zendesk refused a request: nothing leaves until a probe was well", "evidence", edgeEvidence(ans))
		err = a.exit.egress.Block(context.WithoutCancel(ctx), a.name, edgeEvidence(ans), time.Since(ans.left), pause)
		a.pace.look()
	default:
		err = a.pace.pause(ctx, time.Now().Add(pause), why)
	}
	if err != nil {
		a.log.Error("the pause that the account asked for could not be told to the other workers", "error", err)
	}
}

// lostCall judges a call without an answer. What is proven not to have left
// this process had no effect; nor has a GET ever.
func lostCall(c call, err error) *destination.Error {
	failure := &destination.Error{Op: c.op, Kind: destination.InDoubt, Code: transportCode(err), Err: err}
	var l *lost
	if errors.As(err, &l) && l.untouched || !c.effect() {
		failure.Kind = destination.Temporary
	}
	return failure
}

// cutAnswer judges an answer that began and broke off. A refusal is one even
// without its text.
func cutAnswer(c call, ans *answer, err error) *destination.Error {
	if !ans.good() {
		return classify(c, ans)
	}
	failure := &destination.Error{Op: c.op, Kind: destination.Temporary, Code: "answer cut", Err: err}
	if c.effect() {
		failure.Kind = destination.InDoubt
	}
	return failure
}

// classify judges an answer, by status, Zendesk's own headers and the stable
// error name; never by a text, since texts are in the language of the account.
//
// Without effect are 400, 401, 413, 422, 429, a 403 that Zendesk itself gave,
// and TooManyJobs under any status. Everything else that is no success leaves
// a request that has an effect in doubt. That includes 404 and 405, which may
// come from something between us and Zendesk, and the 409 "Requester creation
// collision" (text/plain), which does not say whether the ticket was made.
// https://developer.zendesk.com/api-reference/introduction/requests/
func classify(c call, ans *answer) *destination.Error {
	own := zendesksOwn(ans)
	p := readProblem(ans.body)
	if ans.good() {
		if !isHTML(ans) || own {
			return nil
		}
	}
	if c.file && ans.redirects() && !atEdge(ans, own) {
		return nil
	}
	failure := &destination.Error{Op: c.op, Code: p.code(ans.status), Err: statusError(ans, p)}
	switch {
	case p.name == codeTooManyJobs:
		failure.Kind, failure.Code = destination.Temporary, codeTooManyJobs
		failure.RetryAfter, _ = retryAfter(ans)
	case ans.status == http.StatusTooManyRequests:
		failure.Kind, failure.Code = destination.Temporary, "429"
		failure.RetryAfter, _ = pauseAfter(ans)
	case ans.status == http.StatusRequestEntityTooLarge, ans.status == http.StatusBadRequest && p.name == "TooManyValues":
		failure.Kind = destination.TooLarge
	case ans.status == http.StatusBadRequest, ans.status == http.StatusUnprocessableEntity:
		failure.Kind = destination.Refused
	case ans.status == http.StatusUnauthorized:
		failure.Kind = destination.Credentials
		failure.Fix = "check the account's secret and that its token is active"
	case atEdge(ans, own):
		failure.Kind, failure.Code = destination.Blocked, "edge "+strconv.Itoa(ans.status)
		failure.RetryAfter, _ = pauseAfter(ans)
		failure.Fix = "stop other traffic from this address to Zendesk; the edge in front of it refuses us"
	case ans.status == http.StatusForbidden:
		failure.Kind = destination.Credentials
		failure.Fix = "use the credentials of an admin with the scopes read and write"
	case ans.status >= 300 && ans.status < 400:
		failure.Kind = destination.Misconfigured
		failure.Fix = "set the account's url to the address that it redirects to; redirects are not followed"
	case ans.status == http.StatusNotFound, ans.status == http.StatusMethodNotAllowed:
		failure.Kind = destination.Misconfigured
		failure.Fix = "check the account's url and that the account is active"
	case ans.status >= 500, ans.status == http.StatusConflict, ans.status == http.StatusRequestTimeout:
		failure.Kind = destination.Temporary
		failure.RetryAfter, _ = retryAfter(ans)
	default:
		failure.Kind = destination.Refused
	}
	if c.effect() && !provenWithoutEffect(ans, p, own) && failure.Kind != destination.Blocked {
		failure.Kind, failure.Fix = destination.InDoubt, ""
	}
	return failure
}

// effect tells whether a second arrival of the call would change something.
func (c call) effect() bool { return c.method == http.MethodPost && !c.noAuth && !c.harmless }

func provenWithoutEffect(ans *answer, p problem, own bool) bool {
	switch ans.status {
	case http.StatusBadRequest, http.StatusUnauthorized, http.StatusRequestEntityTooLarge,
		http.StatusUnprocessableEntity, http.StatusTooManyRequests:
		return true
	case http.StatusForbidden:
		return own
	}
	return p.name == codeTooManyJobs
}

// zendesksOwn tells whether Zendesk gave the answer, not the edge before it.
func zendesksOwn(ans *answer) bool {
	if ans.header.Get("X-Request-Id") != "" {
		return true
	}
	for name := range ans.header {
		if strings.HasPrefix(name, "X-Zendesk-") {
			return true
		}
	}
	return false
}

// atEdge recognizes the abuse protection before Zendesk: a page for people, or
// a refusal without Zendesk's own headers. https://support.zendesk.com/hc/en-us/articles/4728116057626
func atEdge(ans *answer, own bool) bool {
	switch {
	case ans.header.Get("Cf-Mitigated") != "":
		return true
	case ans.good():
		return true // only pages for people come here
	case ans.status == http.StatusForbidden:
		return !own || isHTML(ans)
	case ans.status == http.StatusTooManyRequests, ans.status == http.StatusServiceUnavailable:
		return !own
	case ans.status >= 300 && ans.status < 400:
		return !own && strings.Contains(ans.header.Get("Location"), "challenge")
	}
	return false
}

func isHTML(ans *answer) bool {
	head := strings.ToLower(strings.TrimSpace(string(ans.body[:min(len(ans.body), 256)])))
	return strings.HasPrefix(head, "<!doctype") || strings.HasPrefix(head, "<html") || strings.HasPrefix(head, "<head")
}

// edgeRefused tells whether the answer is the edge's own.
func edgeRefused(ans *answer) bool {
	own := zendesksOwn(ans)
	return !ans.good() && atEdge(ans, own) || ans.good() && isHTML(ans) && !own
}

// edgeEvidence is what an operator shows to Zendesk's support.
func edgeEvidence(ans *answer) string {
	evidence := "status " + strconv.Itoa(ans.status)
	for _, name := range []string{"Server", "Content-Type", "Cf-Mitigated", "Cf-Ray", "Retry-After"} {
		if value := ans.header.Get(name); value != "" {
			evidence += ", " + name + ": " + value
		}
	}
	return evidence
}

// pauseAfter is how long the account must be left alone after the answer.
func pauseAfter(ans *answer) (time.Duration, string) {
	asked, said := retryAfter(ans)
	switch {
	case edgeRefused(ans):
		return max(asked, edgePause), reasonEdge
	case !said && readProblem(ans.body).name == codeTooManyJobs:
		return 0, "" // concerns jobs, not requests
	case ans.status == http.StatusTooManyRequests:
		if !said {
			asked = pauseWithoutHint
		}
		return asked, reasonRetryAfter
	case said && !ans.good():
		return asked, reasonRetryAfter
	}
	return 0, ""
}

// retryAfter reads the header, in seconds or as a date.
func retryAfter(ans *answer) (d time.Duration, said bool) {
	raw := ans.header.Get("Retry-After")
	if raw == "" {
		return 0, false
	}
	if seconds, err := strconv.ParseFloat(raw, 64); err == nil && seconds >= 0 {
		return min(time.Duration(seconds*float64(time.Second)), longestPause), true
	}
	if at, err := http.ParseTime(raw); err == nil {
		return min(max(time.Until(at), 0), longestPause), true
	}
	return 0, false
}

// problem is the body of a refusal, in any of the shapes in use.
type problem struct {
	name    string // stable: "RecordInvalid", codeTooManyJobs
	details map[string]json.RawMessage
	text    string // in the account's language; may quote a record
}

// stableName is what an error name looks like: RecordInvalid, or invalid_grant
// of OAuth. Anything else is a sentence.
var stableName = regexp.MustCompile(`^([A-Z][A-Za-z0-9_]{2,60}|[a-z]+(_[a-z]+)+)$`)

func readProblem(body []byte) problem {
	var raw struct {
		Error       json.RawMessage `json:"error"`
		Description string          `json:"description"`
		Details     json.RawMessage `json:"details"`
		Errors      []struct {
			Code  string `json:"code"`
			Title string `json:"title"`
		} `json:"errors"`
	}
	if json.Unmarshal(body, &raw) != nil {
		return problem{} // text and HTML are judged by status and headers
	}
	p := problem{text: raw.Description}
	_ = json.Unmarshal(raw.Details, &p.details) // details of another shape carry no codes
	var name string
	var titled struct{ Title, Message string }
	switch {
	case json.Unmarshal(raw.Error, &name) == nil && name != "":
		p.name = name
	case json.Unmarshal(raw.Error, &titled) == nil && titled.Title != "":
		p.name, p.text = titled.Title, titled.Message
	case len(raw.Errors) > 0:
		p.name, p.text = raw.Errors[0].Code, raw.Errors[0].Title
	}
	if !stableName.MatchString(p.name) {
		if p.text == "" {
			p.text = p.name
		}
		p.name = ""
	}
	return p
}

// code is the stable word for counting.
func (p problem) code(status int) string {
	if p.name != "" {
		return p.name
	}
	return strconv.Itoa(status)
}

// refusal is the error of an answer that is no success.
type refusal struct {
	status    int
	name      string // stable, or empty
	requestID string // what Zendesk's support asks for
}

func (r *refusal) Error() string {
	s := fmt.Sprintf("status %d", r.status)
	if r.name != "" {
		s += " " + r.name
	}
	if r.requestID != "" {
		s += ", request id " + r.requestID
	}
	return s
}

func statusError(ans *answer, p problem) error {
	return &refusal{status: ans.status, name: p.name, requestID: requestID(ans.header)}
}

// is tells whether err comes from an answer with that status.
func is(err error, status int) bool {
	var r *refusal
	return errors.As(err, &r) && r.status == status
}

// Codes of transport errors that mean that the address is wrong.
const (
	codeNoHost      = "host not found"
	codeCertificate = "certificate refused"
)

// transportCode is a stable word for why no answer came.
func transportCode(err error) string {
	var dns *net.DNSError
	var timeout net.Error
	var certificate *tls.CertificateVerificationError
	switch {
	case errors.Is(err, os.ErrDeadlineExceeded) && strings.Contains(err.Error(), "write"):
		return "not sent in time"
	case errors.As(err, &dns):
		return codeNoHost
	case errors.As(err, &certificate):
		return codeCertificate
	case errors.Is(err, syscall.ECONNREFUSED):
		return "connection refused"
	case errors.Is(err, syscall.ECONNRESET), errors.Is(err, syscall.EPIPE):
		return "connection reset"
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return "connection closed"
	case errors.Is(err, context.DeadlineExceeded), errors.As(err, &timeout) && timeout.Timeout():
		return "no answer"
	}
	return "connection failed"
}
