package main

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strconv"
	"sync"
	"time"
)

const (
	largeSize  = 50 << 20
	largeFiles = 20
	// atATime is how many of them are under way together: so many does a worker
	// upload at a time for one account.
	atATime = 10
	// memoryWithin ends a run that hangs.
	memoryWithin = 4 * time.Minute
)

// largeSource is a customer with four tickets of five large files each, as the
// six views show it.
const largeSource = `
create schema farewell;
create table farewell.customers as select 'acme' as id, 'Acme Ltd' as name;
create table farewell.organizations (customer_id text, id bigint, name text, details text, notes text, tags text[], created_at timestamptz, updated_at timestamptz);
create table farewell.users as select 'acme' as customer_id, 1::bigint as id, null::bigint as organization_id, 'Ann Example' as name, 'ann@example.com' as email,
	null::text as phone, 'end_user' as role, null::text as time_zone, null::text as locale, '{}'::text[] as tags, timestamptz '2020-01-01Z' as created_at, timestamptz '2020-01-01Z' as updated_at;
create table farewell.tickets as select 'acme' as customer_id, n::bigint as id, 1::bigint as requester_id, null::bigint as submitter_id, null::bigint as organization_id, 'files ' || n as subject,
	'closed' as status, null::text as priority, null::text as type, 'email' as channel, '{}'::text[] as tags, '{}'::jsonb as custom_fields,
	timestamptz '2020-01-01Z' as created_at, timestamptz '2020-01-01Z' as updated_at, null::timestamptz as solved_at from generate_series(1, 4) n;
create table farewell.comments as select customer_id, id, id as ticket_id, 1::bigint as author_id, true as public, 'text' as body, 'plain' as body_format, created_at from farewell.tickets;
create table farewell.attachments as select t.customer_id, t.id * 10 + n as id, t.id as ticket_id, t.id as comment_id, n || '.bin' as file_name,
	'application/octet-stream' as content_type, %d::bigint as size, %s || '/' || n as url, t.created_at from farewell.tickets t, generate_series(1, 5) n;`

// measureMemory migrates twenty files of 50 MB with the worker that ships, ten
// of which are half-way at one moment, and asks the kernel for its peak. The
// read-back downloads them again, which counts in it.
func measureMemory(ctx context.Context) (figures []figure, err error) {
	ctx, cancel := context.WithTimeout(ctx, memoryWithin)
	defer cancel()
	files := newHeldFiles()
	server := httptest.NewServer(files)
	defer server.Close()
	w, err := build(ctx, server.URL, fmt.Sprintf(largeSource, largeSize, "'"+server.URL+"'"))
	if err != nil {
		return nil, err
	}
	defer w.close()
	if _, err := w.Starter(ctx, "start", "acme", "--account", w.Queue, "--wait"); err != nil {
		return nil, fmt.Errorf("%w\nthe worker: %s", err, w.worker.Said())
	}
	var there struct {
		Attachments float64        `json:"attachments"`
		By          map[string]int `json:"requests_by_endpoint"`
	}
	if err := w.Sandbox.Stats(ctx, w.Queue, &there); err != nil {
		return nil, err
	}
	peak, err := w.worker.PeakMemory()
	return []figure{
		{"large_files_half_way_together", float64(files.together), "files", atATime, atATime},
		{"large_files_in_the_account", there.Attachments, "files", largeFiles, largeFiles},
		{"large_files_read_back", float64(there.By["GET /attachments/token/{id}"]), "files", largeFiles, largeFiles},
		{"worker_memory_with_ten_50_MB_files", peak, "MB", 0, 250},
	}, err
}

// heldFiles serves files of the same bytes. Of the first ten, half is held back
// until all of them are so far.
type heldFiles struct {
	mu       sync.Mutex
	together int
	all      chan struct{} // closed when ten are half-way
}

func newHeldFiles() *heldFiles { return &heldFiles{all: make(chan struct{})} }

func (h *heldFiles) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Length", strconv.Itoa(largeSize))
	part := make([]byte, 64<<10)
	for sent := 0; sent < largeSize; sent += len(part) {
		if sent == largeSize/2 {
			h.meet(r.Context())
		}
		if _, err := w.Write(part); err != nil {
			return // the worker has gone
		}
	}
}

// meet returns when ten have come.
func (h *heldFiles) meet(ctx context.Context) {
	h.mu.Lock()
	if h.together < atATime {
		if h.together++; h.together == atATime {
			close(h.all)
		}
	}
	h.mu.Unlock()
	select {
	case <-h.all:
	case <-ctx.Done():
	}
}
