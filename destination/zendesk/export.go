package zendesk

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/url"
	"strconv"
	"sync"
	"time"

	"farewell/destination"
)

const (
	// exportPage is the most tickets of a page; smallExportPage is asked for
	// when a page of that size does not arrive in time.
	exportPage      = 1000
	smallExportPage = 100
	// exportStartBefore is how far before its time a pass starts: the export
	// refuses a start in the last minute, and clocks differ.
	exportStartBefore = 2 * time.Minute
	// exportCalls is the documented 10 requests a minute, less two for the
	// account's other integrations
	// (https://developer.zendesk.com/api-reference/introduction/rate-limits/).
	exportCalls    = 8
	exportReserve  = 2
	exportPatience = 5 // failures in a row before a pass is given up
)

const opExport = "read the incremental export"

// exportPace keeps the incremental export inside its own limit.
type exportPace struct {
	window time.Duration
	clock  *clock

	mu      sync.Mutex
	limit   int
	calls   []time.Time // of the last window
	blocked time.Time
}

func newExportPace(window time.Duration, c *clock) *exportPace {
	return &exportPace{window: window, clock: c, limit: exportCalls}
}

// next is when the next call may go out, and counts it if that is now.
func (p *exportPace) next(now time.Time) time.Time {
	p.mu.Lock()
	defer p.mu.Unlock()
	for len(p.calls) > 0 && now.Sub(p.calls[0]) >= p.window {
		p.calls = p.calls[1:]
	}
	at := p.blocked
	if len(p.calls) >= p.limit {
		at = latest(at, p.calls[0].Add(p.window))
	}
	if !at.After(now) {
		p.calls = append(p.calls, now)
	}
	return at
}

// observe reads the bucket's header.
func (p *exportPace) observe(ans *answer) {
	for header, values := range ans.header {
		if bucketName(header) != incrementalExports {
			continue
		}
		b, ok := readBucket(values[0])
		if !ok {
			continue
		}
		p.mu.Lock()
		if b.total > exportReserve {
			p.limit = b.total - exportReserve
		}
		if b.remaining <= exportReserve {
			// It resets within the window; where time is scaled, that is shorter
			// than the whole seconds of the header.
			p.blocked = time.Now().Add(min(b.resets, p.window))
		}
		p.mu.Unlock()
	}
}

func (a *Account) waitForExport(ctx context.Context) error {
	caller := a.waits.caller()
	defer caller.over()
	for {
		now := time.Now()
		at := a.export.next(now)
		if !at.After(now) {
			return nil
		}
		caller.becauseOf(reasonRateWindow, at)
		if err := sleep(ctx, at.Sub(now)); err != nil {
			return err
		}
	}
}

// exportTickets goes through the tickets of ours that changed since a time of
// the account's clock, archived and deleted ones included, to the end of the
// stream or to the first page that reaches beyond until (zero: to the end).
// https://developer.zendesk.com/api-reference/ticketing/ticket-management/incremental_exports/
func (a *Account) exportTickets(ctx context.Context, since, until time.Time, each func(exportedTicket) error) error {
	start := max(since.Unix(), 1)
	query := url.Values{"start_time": {strconv.FormatInt(start, 10)}}
	size, failures := exportPage, 0
	var page exported
	reader := newJSONReader(exportRoom)
	for {
		query.Set("per_page", strconv.Itoa(size))
		if err := a.exportPage(ctx, query, reader, &page); err != nil {
			if failures++; failures >= exportPatience || !passing(err) {
				return err
			}
			size = smallExportPage
			if err := sleep(ctx, max(retryIn(err), retryPause)); err != nil {
				return err
			}
			continue
		}
		failures = 0
		for _, r := range page.Ours {
			if err := each(r); err != nil {
				return err
			}
		}
		if page.End || page.Cursor == "" || !until.IsZero() && page.Last > until.Unix() {
			return nil
		}
		query = url.Values{"cursor": {page.Cursor}}
	}
}

// passing tells whether waiting may heal the error.
func passing(err error) bool {
	switch destination.KindOf(err) {
	case destination.Temporary, destination.Waiting, destination.Blocked:
		return true
	}
	return false
}

func retryIn(err error) time.Duration {
	var e *destination.Error
	if errors.As(err, &e) {
		return e.RetryAfter
	}
	return 0
}

func (a *Account) exportPage(ctx context.Context, query url.Values, reader *jsonReader, page *exported) error {
	if err := a.waitForExport(ctx); err != nil {
		return err
	}
	c := call{op: opExport, method: "GET", path: "/api/v2/incremental/tickets/cursor", query: query, limit: exportLimit}
	return a.repeat(ctx, c, func(in io.Reader) error {
		if err := page.read(reader, in, a.prefix); err != nil {
			return fmt.Errorf("read the export: %w", err)
		}
		return nil
	})
}
