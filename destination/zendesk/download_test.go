package zendesk

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"farewell/destination"
	"farewell/migration"
)

// fileHosts are the account's own address and the file server behind it.
type fileHosts struct {
	account, elsewhere *httptest.Server
	asked              atomic.Int64 // requests to either
}

func newFileHosts(t *testing.T, content []byte) *fileHosts {
	t.Helper()
	h := &fileHosts{}
	give := func(w http.ResponseWriter, content []byte) {
		w.Header().Set("Content-Length", strconv.Itoa(len(content)))
		_, _ = w.Write(content)
	}
	h.account = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		first := h.asked.Add(1) == 1
		w.Header().Set("X-Request-Id", "1")
		if r.Header.Get("Authorization") != "Bearer secret" {
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		name := r.URL.Query().Get("name")
		switch {
		case r.URL.Path != "/attachments/token/t/":
			http.NotFound(w, r)
		case name == "direct", name == "broken" && !first:
			give(w, content)
		case name == "broken":
			w.Header().Set("Content-Length", strconv.Itoa(len(content)))
			_, _ = w.Write(content[:len(content)/2])
		case name == "relative":
			http.Redirect(w, r, "?name=direct", http.StatusFound)
		case name == "round":
			http.Redirect(w, r, "?name=round", http.StatusFound)
		case name == "signed":
			http.Redirect(w, r, h.elsewhere.URL+"/whole?sig=x", http.StatusFound)
		case name == "unwell":
			http.Redirect(w, r, h.elsewhere.URL+"/unwell", http.StatusFound)
		case name == "inside":
			http.Redirect(w, r, "http://169.254.169.254/latest/meta-data", http.StatusFound)
		case name == "program":
			http.Redirect(w, r, "file:///etc/passwd", http.StatusFound)
		case name == "still":
			w.WriteHeader(http.StatusOK)
			_, _ = w.Write(content[:10])
			_ = http.NewResponseController(w).Flush()
			<-r.Context().Done()
		default:
			status, err := strconv.Atoi(name)
			if err != nil {
				t.Errorf("asked for %s", r.URL)
			}
			w.WriteHeader(status)
		}
	}))
	h.elsewhere = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h.asked.Add(1)
		switch {
		case r.Header.Get("Authorization") != "":
			t.Errorf("%s gets our credentials", r.URL.Path)
		case r.URL.Path == "/unwell":
			w.WriteHeader(http.StatusBadGateway)
		case r.URL.Path == "/whole":
			give(w, content)
		default:
			http.NotFound(w, r)
		}
	}))
	t.Cleanup(h.account.Close)
	t.Cleanup(h.elsewhere.Close)
	return h
}

func (h *fileHosts) open(t *testing.T) *Account {
	t.Helper()
	timings := migration.DefaultTimings().Scaled(100)
	timings.FileStill = 300 * time.Millisecond
	a, err := Open(Options{Timings: timings, Account: destination.Account{
		Name: "acme", Kind: migration.DestinationZendesk, URL: h.account.URL, PlanPerMinute: 10_000,
		Auth: AuthBearer, Secret: func() (string, error) { return "secret", nil },
	}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = a.Close() }) // nothing is under way
	return a
}

func TestDownloadsGiveCredentialsToTheAccountAlone(t *testing.T) {
	t.Parallel()
	content := bytes.Repeat([]byte("<html>a file that looks like a page</html>"), 5000)
	const own = "/attachments/token/t/?name="
	for _, row := range []struct {
		name, address string // {account} and {elsewhere} stand for the two
		err           error  // nil: the whole file
		asked         int64
	}{
		{"from the account", "{account}" + own + "direct", nil, 1},
		{"by its canonical host", "https://canonical.zendesk.com" + own + "direct", nil, 1},
		{"by a redirect within it", "{account}" + own + "relative", nil, 2},
		{"by a redirect to a file server", "{account}" + own + "signed", nil, 2},
		{"from a file server", "{elsewhere}/whole", nil, 1},
		{"after a transfer that broke off", "{account}" + own + "broken", nil, 2},
		{"redirected round and round", "{account}" + own + "round", errNoFile, mostHops + 1},
		{"redirected into our own network", "{account}" + own + "inside", errNoFile, 1},
		{"redirected to what is no address", "{account}" + own + "program", errNoFile, 1},
		{"gone", "{account}" + own + "404", errNoFile, 1},
		{"withheld", "{account}" + own + "403", errNoFile, 1},
		{"gone from a file server", "{elsewhere}/other", errNoFile, 1},
		{"no address", "http://[", errNoFile, 0},
		{"a file server that is unwell", "{account}" + own + "unwell", errTemporary, 1 + maxTries},
		{"a transfer that stands still", "{account}" + own + "still", errTemporary, 1},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			h := newFileHosts(t, content)
			var moved atomic.Bool
			d := download{Account: h.open(t), limit: int64(len(content)), moved: func() { moved.Store(true) }}
			err := d.run(t.Context(), strings.NewReplacer("{account}", h.account.URL, "{elsewhere}", h.elsewhere.URL).Replace(row.address))
			if destination.KindOf(err) == destination.Temporary {
				err = errTemporary
			}
			if !errors.Is(err, row.err) || (err == nil) != (row.err == nil) {
				t.Fatalf("%v, want %v", err, row.err)
			}
			if n := h.asked.Load(); n != row.asked {
				t.Errorf("%d requests, want %d", n, row.asked)
			}
			if want := fmt.Sprintf("%x", sha256.Sum256(content)); err == nil && (d.sha256 != want || d.size != int64(len(content)) || !moved.Load()) {
				t.Errorf("%d bytes, SHA-256 %s; want %d, %s", d.size, d.sha256, len(content), want)
			}
		})
	}
}

var errTemporary = errors.New("it may pass")

func TestDownloadsReadNoMoreThanShowsThatAFileDiffers(t *testing.T) {
	t.Parallel()
	h := newFileHosts(t, make([]byte, 1<<20))
	d := download{Account: h.open(t), limit: 1000}
	if err := d.run(t.Context(), h.account.URL+"/attachments/token/t/?name=direct"); err != nil || d.size != 1001 {
		t.Errorf("%d bytes, %v: want the first that is too many", d.size, err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := d.run(ctx, h.account.URL+"/attachments/token/t/?name=direct"); !errors.Is(err, context.Canceled) {
		t.Errorf("without a context: %v", err)
	}
}
