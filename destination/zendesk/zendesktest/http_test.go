package zendesktest_test

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"farewell/destination/zendesk/zendesktest"
)

// The tests of the facts speak HTTP only, in plain JSON maps, so that they can be pointed at a real account.

type object = map[string]any

// site is a server with the accounts of one test.
type site struct {
	t   *testing.T
	url string
}

// zendesk is one account as a client sees it.
type zendesk struct {
	t     *testing.T
	site  site
	name  string
	url   string // up to /api/v2
	token string
	// Of a real account only.
	authorization string
	made          *made
}

// reply is an answer, its body decoded where it is JSON.
type reply struct {
	status int
	header http.Header
	body   object
	text   string
}

func newSite(t *testing.T) site {
	t.Helper()
	sandboxOnly(t, "it makes accounts of its own")
	fake, err := zendesktest.New(zendesktest.Options{})
	if err != nil {
		t.Fatal(err)
	}
	return serve(t, fake)
}

func serve(t *testing.T, fake *zendesktest.Server) site {
	t.Helper()
	server := httptest.NewServer(fake)
	t.Cleanup(func() {
		server.Close()
		if err := fake.Close(); err != nil {
			t.Error(err)
		}
	})
	return site{t: t, url: server.URL}
}

// account creates an account whose jobs and lags are over at once, unless the settings say otherwise.
func (s site) account(name string, settings object) zendesk {
	s.t.Helper()
	all := object{"seconds_per_ticket": 0, "index_lag_seconds": 0}
	for key, value := range settings {
		all[key] = value
	}
	z := zendesk{t: s.t, site: s, name: name, url: s.url + "/accounts/" + name + "/api/v2/", token: "sandbox-" + name}
	z.configure(all)
	return z
}

func newAccount(t *testing.T, settings object) zendesk {
	t.Helper()
	if url, authorization, real := realAccount(t); real {
		return existing(t, url, authorization, settings)
	}
	return newSite(t).account("acme", settings)
}

func (s site) control(method, path string, body any) reply {
	s.t.Helper()
	sandboxOnly(s.t, "it looks behind the API")
	return send(s.t, method, s.url+"/_sandbox/"+path, body, nil)
}

func (z zendesk) configure(settings object) object {
	z.t.Helper()
	sandboxOnly(z.t, "it changes the account's settings")
	answer := z.site.control("PUT", "accounts/"+z.name+"/settings", settings)
	answer.is(z.t, 200)
	return answer.body
}

func (z zendesk) stats() object {
	z.t.Helper()
	sandboxOnly(z.t, "it looks behind the API")
	return z.site.control("GET", "accounts/"+z.name+"/stats", nil).body
}

// call sends one request with the account's token. A body that is a string is sent as it is.
func (z zendesk) call(method, path string, body any, headers ...string) reply {
	z.t.Helper()
	answer, err := z.try(method, path, body, headers...)
	if err != nil {
		z.t.Fatal(err)
	}
	return answer
}

func (z zendesk) try(method, path string, body any, headers ...string) (reply, error) {
	header := z.header()
	for i := 0; i+1 < len(headers); i += 2 {
		header.Set(headers[i], headers[i+1])
	}
	answer, err := trySend(z.t, method, z.url+path, body, header)
	for z.spent(answer) {
		wait, _ := strconv.Atoi(answer.header.Get("Retry-After")) // without one, a second at a time
		pause := time.NewTimer(time.Duration(max(wait, 1)) * time.Second)
		<-pause.C
		answer, err = trySend(z.t, method, z.url+path, body, header)
	}
	z.made.note(method, path, answer)
	return answer, err
}

func (z zendesk) header() http.Header {
	return http.Header{"Authorization": {cmp.Or(z.authorization, "Bearer "+z.token)}}
}

func (z zendesk) get(path string) reply { z.t.Helper(); return z.call("GET", path, nil) }

func (z zendesk) post(path string, body any) reply { z.t.Helper(); return z.call("POST", path, body) }

func send(t *testing.T, method, url string, body any, header http.Header) reply {
	t.Helper()
	answer, err := trySend(t, method, url, body, header)
	if err != nil {
		t.Fatal(err)
	}
	return answer
}

func trySend(t *testing.T, method, url string, body any, header http.Header) (reply, error) {
	t.Helper()
	var raw []byte
	switch b := body.(type) {
	case nil:
	case string:
		raw = []byte(b)
	default:
		var err error
		if raw, err = json.Marshal(b); err != nil {
			t.Fatal(err)
		}
	}
	// Cleaning up begins when the test's own context has ended.
	request, err := http.NewRequestWithContext(context.WithoutCancel(t.Context()), method, url, io.NopCloser(bytes.NewReader(raw)))
	if err != nil {
		t.Fatal(err)
	}
	request.ContentLength = int64(len(raw))
	request.Close = *onAccount != "" // a connection that was idle while a test waited may be gone
	if raw != nil {
		request.Header.Set("Content-Type", "application/json")
	}
	for name, values := range header {
		request.Header[name] = values
	}
	response, err := http.DefaultTransport.RoundTrip(request)
	if err != nil {
		return reply{}, err
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	answer := reply{status: response.StatusCode, header: response.Header, text: string(text)}
	if json.Unmarshal(text, &answer.body) != nil {
		answer.body = nil // not JSON: the test looks at the text
	}
	return answer, err
}

func (r reply) is(t *testing.T, status int) reply {
	t.Helper()
	if r.status != status {
		t.Fatalf("status %d, want %d: %s", r.status, status, r.text)
	}
	return r
}

// at follows keys and indexes into decoded JSON; nil where there is nothing.
func at(value any, path ...any) any {
	for _, step := range path {
		switch s := step.(type) {
		case string:
			m, _ := value.(object)
			value = m[s]
		case int:
			list, _ := value.([]any)
			if s >= len(list) {
				return nil
			}
			value = list[s]
		}
	}
	return value
}

func (r reply) at(path ...any) any { return at(any(r.body), path...) }

func (r reply) list(name string) []any {
	list, _ := r.body[name].([]any)
	return list
}

func (r reply) remaining(t *testing.T) int {
	t.Helper()
	var n int
	if _, err := fmt.Sscan(r.header.Get("X-Rate-Limit-Remaining"), &n); err != nil {
		t.Fatalf("X-Rate-Limit-Remaining is %q", r.header.Get("X-Rate-Limit-Remaining"))
	}
	return n
}

func equal(t *testing.T, what string, got, want any) {
	t.Helper()
	g, _ := json.Marshal(got)
	w, _ := json.Marshal(want)
	if string(g) != string(w) {
		t.Errorf("%s is %s, want %s", what, g, w)
	}
}

// until asks again and again for a condition, and fails the test when it does not come true.
func until(t *testing.T, what string, condition func() bool) {
	t.Helper()
	deadline := time.NewTimer(patience())
	defer deadline.Stop()
	tick := time.NewTicker(askEvery())
	defer tick.Stop()
	for !condition() {
		select {
		case <-tick.C:
		case <-deadline.C:
			t.Fatalf("waited %s for: %s", patience(), what)
		}
	}
}

// job waits for the end of a job that an answer started.
func (z zendesk) job(started reply) object {
	z.t.Helper()
	started.is(z.t, 200)
	id, _ := started.at("job_status", "id").(string)
	var job object
	until(z.t, "the end of job "+id, func() bool {
		job, _ = z.get("job_statuses/" + id).at("job_status").(object)
		return job["status"] == "completed" || job["status"] == "failed"
	})
	return job
}

func (z zendesk) importMany(tickets ...object) object {
	z.t.Helper()
	return z.job(z.post("imports/tickets/create_many.json", object{"tickets": tickets}))
}

// importOne imports one ticket and returns it with its comments.
func (z zendesk) importOne(ticket object) (stored object, comments []any) {
	z.t.Helper()
	answer := z.post("imports/tickets", object{"ticket": ticket}).is(z.t, 201)
	stored, _ = answer.at("ticket").(object)
	return stored, z.get(fmt.Sprintf("tickets/%.0f/comments.json", stored["id"])).list("comments")
}

// refused imports one ticket in a job and one singly, and returns what both said.
func (z zendesk) refused(ticket object) (details string, single reply) {
	z.t.Helper()
	job := z.importMany(ticket)
	equal(z.t, "status of a job whose only ticket failed", job["status"], "failed")
	equal(z.t, "error of the item", at(job["results"], 0, "error"), "TicketCreateFailed")
	details, _ = at(job["results"], 0, "details").(string)
	return details, z.post("imports/tickets.json", object{"ticket": ticket}).is(z.t, 422)
}

func (z zendesk) user(user object) float64 {
	z.t.Helper()
	id, _ := z.post("users", object{"user": user}).is(z.t, 201).at("user", "id").(float64)
	return id
}

func comment(text, createdAt string) object {
	return object{"value": text, "created_at": createdAt}
}

// simple is a ticket that nothing is wrong with.
func simple(externalID string) object {
	return object{"external_id": externalID, "subject": "s", "comments": []object{comment("c", "2020-01-01T00:00:00Z")}}
}

func many(n int, each func(i int) object) []object {
	list := make([]object, n)
	for i := range list {
		list[i] = each(i)
	}
	return list
}

func text(value any) string { s, _ := value.(string); return s }

func whole(value any) int { f, _ := value.(float64); return int(f) }

func query(pairs ...string) string {
	values := url.Values{}
	for i := 0; i+1 < len(pairs); i += 2 {
		values.Set(pairs[i], pairs[i+1])
	}
	return "?" + values.Encode()
}

func externalIDs(list []any) []string {
	var ids []string
	for _, entry := range list {
		ids = append(ids, text(at(entry, "external_id")))
	}
	slices.Sort(ids)
	return ids
}

// fault is the settings with one planned fault.
func fault(kind string, more object) object {
	f := object{"kind": kind, "count": 1}
	for key, value := range more {
		f[key] = value
	}
	return object{"faults": []object{f}}
}

func contains(t *testing.T, what, got, want string) {
	t.Helper()
	if !strings.Contains(got, want) {
		t.Errorf("%s is %q, want %q in it", what, got, want)
	}
}

func itoa(n int) string { return strconv.Itoa(n) }

// slowRequest is a POST of which only the headers have been sent.
type slowRequest struct {
	z    zendesk
	pipe *io.PipeWriter
	body []byte
	done chan reply
}

func (z zendesk) slowPost(path string, body any) slowRequest {
	z.t.Helper()
	raw, err := json.Marshal(body)
	if err != nil {
		z.t.Fatal(err)
	}
	reader, writer := io.Pipe()
	s := slowRequest{z: z, pipe: writer, body: raw, done: make(chan reply, 1)}
	request, err := http.NewRequestWithContext(z.t.Context(), "POST", z.url+path, reader)
	if err != nil {
		z.t.Fatal(err)
	}
	request.Header.Set("Authorization", "Bearer "+z.token)
	request.Header.Set("Content-Type", "application/json")
	go func() {
		defer close(s.done)
		response, err := http.DefaultTransport.RoundTrip(request)
		if err != nil {
			return
		}
		defer response.Body.Close()
		text, _ := io.ReadAll(response.Body)
		s.done <- reply{status: response.StatusCode, header: response.Header, text: string(text)}
	}()
	return s
}

// arrived is whether the account has counted the request against its budget.
func (s slowRequest) arrived() bool {
	return whole(s.z.stats()["peak_requests_per_window"]) > 0
}

func (s slowRequest) finish() reply {
	s.z.t.Helper()
	if _, err := s.pipe.Write(s.body); err != nil {
		s.z.t.Fatal(err)
	}
	s.pipe.Close()
	return <-s.done
}
