package zendesk_test

import (
	"bytes"
	"encoding/json"
	"flag"
	"io"
	"net/http"
	"os"
	"strings"
	"testing"
)

// record writes down what the client sends to the sandbox and what that
// answers, one exchange a line, for tools/oascheck:
//
//	go test ./destination/zendesk -record /tmp/exchanges.ndjson
var record = flag.String("record", "", "file to write every exchange with the sandbox to")

// exchange is a request and its answer as they went over the wire.
type exchange struct {
	Test          string      `json:"test"`
	Method        string      `json:"method"`
	Address       string      `json:"address"` // below the account: path and query
	RequestHeader http.Header `json:"request_header"`
	Request       []byte      `json:"request"`
	Status        int         `json:"status"` // 0: the answer was cut
	AnswerHeader  http.Header `json:"answer_header"`
	Answer        []byte      `json:"answer"`
}

// recording hands requests on to the sandbox; with -record it writes them down.
func recording(t *testing.T, sandbox http.Handler) http.Handler {
	t.Helper()
	if *record == "" {
		return sandbox
	}
	file, err := os.OpenFile(*record, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { // after the server's own end
		if err := file.Close(); err != nil {
			t.Error(err)
		}
	})
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		account, address, ours := strings.Cut(strings.TrimPrefix(r.URL.RequestURI(), "/accounts/"), "/")
		if account == "" || !ours || strings.HasPrefix(r.URL.Path, "/_sandbox/") {
			sandbox.ServeHTTP(w, r)
			return
		}
		e := exchange{Test: t.Name(), Method: r.Method, Address: "/" + address, RequestHeader: r.Header.Clone()}
		e.RequestHeader.Del("Authorization")
		var sent bytes.Buffer
		r.Body = tee{io.TeeReader(r.Body, &sent), r.Body}
		heard := &listener{ResponseWriter: w}
		defer func() { // also when the answer was cut, which is a panic
			e.Request = sent.Bytes()
			if heard.ended {
				e.Status, e.AnswerHeader, e.Answer = heard.status, w.Header().Clone(), heard.body.Bytes()
			}
			line, err := json.Marshal(e)
			if err == nil {
				_, err = file.Write(append(line, '\n')) // in one call, since other tests append to the same file
			}
			if err != nil {
				t.Errorf("record an exchange: %v", err)
			}
		}()
		sandbox.ServeHTTP(heard, r)
		heard.ended = true
	})
}

// tee reads a body through a reader and closes it.
type tee struct {
	io.Reader
	io.Closer
}

// listener keeps what is answered.
type listener struct {
	http.ResponseWriter
	status int
	body   bytes.Buffer
	ended  bool // the answer is whole
}

func (l *listener) Unwrap() http.ResponseWriter { return l.ResponseWriter }

func (l *listener) WriteHeader(status int) {
	l.status = status
	l.ResponseWriter.WriteHeader(status)
}

func (l *listener) Write(b []byte) (int, error) {
	if l.status == 0 {
		l.status = http.StatusOK
	}
	l.body.Write(b)
	return l.ResponseWriter.Write(b)
}
