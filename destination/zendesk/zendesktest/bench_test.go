package zendesktest_test

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"farewell/destination/zendesk/zendesktest"
)

// BenchmarkImport posts batches of 100 tickets with 4 comments each over one connection, with job and rate delays off.
// The time includes the client's side of HTTP; it reports tickets/s.
func BenchmarkImport(b *testing.B) {
	account := benchAccount(b, zendesktest.Options{DataDir: b.TempDir()})
	n := 0
	for b.Loop() {
		benchCall(b, http.MethodPost, account+"imports/tickets/create_many.json", benchBatch(n))
		n++
	}
	b.ReportMetric(float64(100*b.N)/b.Elapsed().Seconds(), "tickets/s")
}

// BenchmarkExport reads the same page of 1,000 tickets again and again, with rate delays off.
func BenchmarkExport(b *testing.B) {
	account := benchAccount(b, zendesktest.Options{})
	for n := range 10 {
		benchCall(b, http.MethodPost, account+"imports/tickets/create_many.json", benchBatch(n))
	}
	var page int64
	for b.Loop() {
		page = benchCall(b, http.MethodGet, account+"incremental/tickets/cursor.json?start_time=1", nil)
		b.SetBytes(page)
	}
	if page < 1000*1000 {
		b.Fatalf("the page has %d bytes: not all tickets are in it", page)
	}
}

// benchAccount is the address of an account where nothing takes time.
func benchAccount(b *testing.B, o zendesktest.Options) string {
	fake, err := zendesktest.New(o)
	if err != nil {
		b.Fatal(err)
	}
	if err := fake.CreateAccount("bench", map[string]any{"plan_per_minute": 1_000_000_000, "seconds_per_ticket": 0, "time_scale": 1e6}); err != nil {
		b.Fatal(err)
	}
	server := httptest.NewServer(fake)
	b.Cleanup(func() {
		server.Close()
		fake.Close()
	})
	return server.URL + "/accounts/bench/api/v2/"
}

// benchCall returns how long the answer's body is.
func benchCall(b *testing.B, method, url string, body []byte) int64 {
	request, err := http.NewRequestWithContext(b.Context(), method, url, bytes.NewReader(body))
	if err != nil {
		b.Fatal(err)
	}
	request.Header.Set("Authorization", "Bearer sandbox-bench")
	request.Header.Set("Content-Type", "application/json")
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		b.Fatal(err)
	}
	long, err := io.Copy(io.Discard, response.Body)
	if err != nil {
		b.Fatal(err)
	}
	response.Body.Close()
	if response.StatusCode != http.StatusOK {
		b.Fatal(response.Status)
	}
	return long
}

var benchText = strings.Repeat("The printer on the third floor\\nburns again; \\\"help\\\" — thank you. ", 4)

func benchBatch(n int) []byte {
	var body bytes.Buffer
	body.WriteString(`{"tickets":[`)
	for i := range 100 {
		if i > 0 {
			body.WriteByte(',')
		}
		fmt.Fprintf(&body, `{"external_id":"farewell-%d","subject":"Printer burns %d","status":"closed","priority":"high","created_at":"2019-03-01T10:00:00Z","updated_at":"2019-03-02T10:00:00Z","solved_at":"2019-03-02T10:00:00Z","tags":["farewell","farewell-p12","channel_email"],"comments":[`, n*100+i, i)
		for c := range 4 {
			if c > 0 {
				body.WriteByte(',')
			}
			fmt.Fprintf(&body, `{"value":"%s","public":true,"created_at":"2019-03-01T10:00:0%dZ"}`, benchText, c)
		}
		body.WriteString(`]}`)
	}
	body.WriteString(`]}`)
	return body.Bytes()
}
