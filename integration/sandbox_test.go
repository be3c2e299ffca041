package integration_test

import (
	"bytes"
	"context"
	"encoding/json"
	"net/http"
	"os/exec"
	"strings"
	"testing"
	"time"

	"farewell/integration/programs"
)

// sandbox is a running `sandbox serve`, seen through its public API.
type sandbox struct {
	t *testing.T
	programs.Control
	*process
}

func (s *stage) startSandbox() *sandbox {
	s.t.Helper()
	p := s.startProcess("sandbox", s.environment(), "serve", "--listen", "127.0.0.1:0")
	const announces = "sandbox listens on "
	p.awaitLine(s.t, 20*time.Second, announces)
	_, url, _ := strings.Cut(p.out.String(), announces)
	url, _, _ = strings.Cut(url, "\n")
	return &sandbox{t: s.t, Control: programs.Control{URL: strings.TrimSpace(url)}, process: p}
}

// call asks the sandbox; anything but a 2xx fails the test.
func (b *sandbox) call(method, path string, body any) []byte {
	b.t.Helper()
	answer, err := b.Ask(context.Background(), method, path, body)
	if err != nil {
		b.t.Fatal(err)
	}
	return answer
}

// settings changes an account.
func (b *sandbox) settings(account string, change map[string]any) {
	b.t.Helper()
	b.call(http.MethodPut, "accounts/"+account+"/settings", change)
}

func (b *sandbox) stats(account string) map[string]any {
	b.t.Helper()
	return decodeObject(b.t, b.call(http.MethodGet, "accounts/"+account+"/stats", nil))
}

// records lists what is stored: tickets, users or organizations.
func (b *sandbox) records(account, kind string) []map[string]any {
	b.t.Helper()
	body := b.call(http.MethodGet, "accounts/"+account+"/"+kind+".ndjson", nil)
	var all []map[string]any
	for _, line := range bytes.Split(body, []byte("\n")) {
		if len(line) > 0 {
			all = append(all, decodeObject(b.t, line))
		}
	}
	return all
}

// imports lists when requests arrived that import tickets, in the sandbox's
// own time, since a moment.
func (b *sandbox) imports(account string, since time.Time) []time.Time {
	b.t.Helper()
	body := b.call(http.MethodGet, "accounts/"+account+"/stats?arrivals="+milliseconds(since), nil)
	var when []time.Time
	for _, a := range objects(b.t, decodeObject(b.t, body)["arrivals"]) {
		if strings.Contains(text(a["endpoint"]), "/imports/tickets") {
			when = append(when, time.UnixMilli(int64(number(b.t, a["at"]))))
		}
	}
	return when
}

func milliseconds(at time.Time) string {
	b, _ := json.Marshal(at.UnixMilli()) // a number
	return string(b)
}

// wantNothingTwice checks what must hold in every account after every run.
func (b *sandbox) wantNothingTwice(account string) {
	b.t.Helper()
	stats := b.stats(account)
	for kind, n := range object(b.t, stats["duplicate_external_ids"]) {
		if number(b.t, n) != 0 {
			b.t.Errorf("account %s: %s %s are there more than once", account, n, kind)
		}
	}
	if n := number(b.t, stats["emails_sent"]); n != 0 {
		b.t.Errorf("account %s: Zendesk would have sent %d e-mails", account, n)
	}
}

// python runs a script with Python, whose csv module is the reference.
func python(t testing.TB, script string, args ...string) []byte {
	t.Helper()
	out, err := exec.Command("python3", append([]string{"-c", script}, args...)...).Output()
	if err != nil {
		t.Fatalf("python3: %v", err)
	}
	return out
}
