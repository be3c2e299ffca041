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
	fake, err := zendesktest.New(zendesktest.Options{DataDir: b.TempDir()})
	if err != nil {
		b.Fatal(err)
	}
	defer fake.Close()
	if err := fake.CreateAccount("bench", map[string]any{"plan_per_minute": 1_000_000_000, "seconds_per_ticket": 0}); err != nil {
		b.Fatal(err)
	}
	server := httptest.NewServer(fake)
	defer server.Close()
	url := server.URL + "/accounts/bench/api/v2/imports/tickets/create_many.json"
	n := 0
	for b.Loop() {
		request, err := http.NewRequestWithContext(b.Context(), http.MethodPost, url, bytes.NewReader(benchBatch(n)))
		if err != nil {
			b.Fatal(err)
		}
		request.Header.Set("Authorization", "Bearer sandbox-bench")
		request.Header.Set("Content-Type", "application/json")
		response, err := http.DefaultClient.Do(request)
		if err != nil {
			b.Fatal(err)
		}
		if _, err := io.Copy(io.Discard, response.Body); err != nil {
			b.Fatal(err)
		}
		response.Body.Close()
		if response.StatusCode != http.StatusOK {
			b.Fatal(response.Status)
		}
		n++
	}
	b.ReportMetric(float64(100*b.N)/b.Elapsed().Seconds(), "tickets/s")
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
