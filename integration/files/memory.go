package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"strconv"
	"strings"
	"sync/atomic"

	"farewell/migration"
)

const (
	largeFiles = 10
	largeSize  = 50 << 20
)

// measureMemory sends ten files of 50 MB at a time from one server to another,
// both of which keep nothing, and asks the kernel for the process's peak.
func measureMemory(ctx context.Context) ([]figure, error) {
	source := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Length", strconv.Itoa(largeSize))
		part := make([]byte, 64<<10)
		for sent := 0; sent < largeSize; sent += len(part) {
			if _, err := w.Write(part); err != nil {
				return
			}
		}
	}))
	defer source.Close()
	var taken, most, now atomic.Int64
	account := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("X-Request-Id", "1")
		if r.Method != http.MethodPost {
			_, _ = w.Write([]byte(`{"user":{"id":1,"role":"admin"},"settings":{"limits":{"attachment_size":52428800}}}`))
			return
		}
		if n := now.Add(1); n > most.Load() {
			most.Store(n)
		}
		n, _ := io.Copy(io.Discard, r.Body)
		now.Add(-1)
		taken.Add(n)
		w.WriteHeader(http.StatusCreated)
		_ = json.NewEncoder(w).Encode(map[string]any{"upload": map[string]any{"token": fmt.Sprint(n), "attachment": map[string]any{"id": 1, "size": n}}})
	}))
	defer account.Close()
	h, err := open(ctx, account.URL, source.URL)
	if err != nil {
		return nil, err
	}
	defer h.close()
	page := migration.Page{Tickets: []migration.Ticket{{ID: "1", Subject: "s"}}}
	for i := range 2 * largeFiles {
		page.Tickets[0].Attachments = append(page.Tickets[0].Attachments, migration.Attachment{
			ID: strconv.Itoa(i), TicketID: "1", FileName: "large.bin", Size: largeSize, URL: source.URL,
		})
	}
	parcel, err := h.prepare(ctx, page)
	if err != nil {
		return nil, err
	}
	for _, f := range parcel.Files {
		if f.Code != "" {
			return nil, fmt.Errorf("a large file failed: %s", f.Text)
		}
	}
	peak, err := peakMemory()
	return []figure{
		{"large_files_at_a_time", float64(most.Load()), "files", largeFiles, largeFiles},
		{"large_bytes_taken", float64(taken.Load()), "bytes", 2 * largeFiles * largeSize, 2 * largeFiles * largeSize},
		{"memory_of_ten_50_MB_files", peak, "MB", 0, 250},
	}, err
}

// peakMemory is the most memory that this process has held, in MB, the two
// servers' included.
func peakMemory() (float64, error) {
	status, err := os.ReadFile("/proc/self/status")
	if err != nil {
		return 0, err
	}
	for line := range strings.Lines(string(status)) {
		if kb, ok := strings.CutPrefix(line, "VmHWM:"); ok {
			n, err := strconv.ParseFloat(strings.TrimSuffix(strings.TrimSpace(kb), " kB"), 64)
			return n / 1024, err
		}
	}
	return 0, fmt.Errorf("the kernel does not tell the peak")
}
