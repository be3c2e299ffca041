package source

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"farewell/migration"
)

const (
	// silence is how long a read may take before the source counts as down: an
	// operator should know within 10 s.
	silence = 5 * time.Second
	// outagePatience is how long a page is asked for again while the source is
	// down: a restart needs no new attempt of whoever reads.
	outagePatience = time.Minute
	// readAgain is the pause before a page is asked for again; it doubles.
	readAgain        = 500 * time.Millisecond
	longestReadAgain = 5 * time.Second
)

// outage knows whether the source answers reads of records.
type outage struct {
	mu    sync.Mutex
	reads map[*time.Time]struct{} // under way, by when they began
	since time.Time               // when it began not to answer; zero: it answers
}

func newOutage() *outage { return &outage{reads: make(map[*time.Time]struct{})} }

// begin notes a read; end must be called with how it ended.
func (o *outage) begin() (end func(error)) {
	began := time.Now()
	o.mu.Lock()
	defer o.mu.Unlock()
	o.reads[&began] = struct{}{}
	return func(err error) {
		o.mu.Lock()
		defer o.mu.Unlock()
		delete(o.reads, &began)
		switch {
		case err == nil:
			o.since = time.Time{}
		case outOfReach(err) && o.since.IsZero():
			o.since = began
		}
	}
}

// end forgets an outage.
func (o *outage) end() {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.since = time.Time{}
}

// reason is set while the source does not answer.
func (o *outage) reason(now time.Time) migration.Reason {
	o.mu.Lock()
	defer o.mu.Unlock()
	since := o.since
	for began := range o.reads {
		if o.since.IsZero() && now.Sub(*began) >= silence && (since.IsZero() || began.Before(since)) {
			since = *began
		}
	}
	if since.IsZero() {
		return migration.Reason{}
	}
	return migration.Reason{
		Code:  "source_down",
		Text:  fmt.Sprintf("the source has not answered for %d s", int(now.Sub(since).Seconds())),
		Since: since,
	}
}

// outOfReach tells of an error that says nothing about the read itself: the
// source could not be reached, was silent or is being started or stopped
// (https://www.postgresql.org/docs/current/errcodes-appendix.html).
func outOfReach(err error) bool {
	var e *Error
	var written *writeError
	if !errors.As(err, &e) || e.Permanent || errors.As(err, &written) || errors.Is(err, context.Canceled) {
		return false
	}
	return e.SQLState == "" || ofClass(e.SQLState, "08", "53") || e.SQLState >= "57P01" && e.SQLState <= "57P03"
}

// outlast repeats a read while the source is out of reach, for a limited time.
func outlast(ctx context.Context, read func() error) error {
	began := time.Now()
	for wait := readAgain; ; wait = min(2*wait, longestReadAgain) {
		err := read()
		if !outOfReach(err) || time.Since(began) > outagePatience {
			return err
		}
		timer := time.NewTimer(wait)
		select {
		case <-timer.C:
		case <-ctx.Done():
			timer.Stop()
			return ctx.Err()
		}
	}
}
