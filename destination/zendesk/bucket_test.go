package zendesk

import (
	"testing"
	"time"

	"farewell/destination"
)

func TestBucketOfAnEndpointIsReadInBothSpellings(t *testing.T) {
	t.Parallel()
	search := call{method: "GET", path: "/api/v2/search/count"}
	for _, row := range []struct {
		name, header, value string
		full                bool
	}{
		{"used up", "Zendesk-Ratelimit-Search-Index", "total=100; remaining=0; resets=41", true},
		{"as in 2023", "Zendesk-Rate-Limit-Search-Index", "total=100; remaining=0; resets=41", true},
		{"the reserved part is left", "Zendesk-Ratelimit-Search-Index", "total=100; remaining=20; resets=41", true},
		{"more is left", "Zendesk-Ratelimit-Search-Index", "total=100; remaining=21; resets=41", false},
		{"of jobs, which have slots", "Zendesk-Ratelimit-Inflight-Jobs", "total=30; remaining=0; resets=60", false},
		{"of another form", "Zendesk-Ratelimit-Search-Index", "none", false},
		{"the account's", "X-Rate-Limit-Remaining", "0", false},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			e := newEndpoints(destination.Account{ReservedPercent: 20})
			e.observe(search, answerOf(200, "", row.header+": "+row.value))
			now := time.Now()
			until := e.fullUntil(search.endpoint(), now)
			if full := !until.IsZero(); full != row.full || full && until.Sub(now) > 41*time.Second {
				t.Errorf("full until %v, want full: %v", until, row.full)
			}
			if other := e.fullUntil("GET /api/v2/users/me", now); !other.IsZero() {
				t.Errorf("another endpoint is full until %v", other)
			}
		})
	}
}

func TestTheExportWaitsForItsWindowAndNoLonger(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		name, value string
		window      time.Duration
		least, most time.Duration
	}{
		{"some are left", "total=10; remaining=3; resets=41", time.Minute, 0, 0},
		{"the last but the reserve is used", "total=10; remaining=2; resets=41", time.Minute, 40 * time.Second, 41 * time.Second},
		{"in scaled time", "total=10; remaining=2; resets=1", 60 * time.Millisecond, 0, 60 * time.Millisecond},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			p := newExportPace(row.window, nil)
			p.observe(answerOf(200, "", "Zendesk-Ratelimit-Incremental-Exports: "+row.value))
			now := time.Now()
			if wait := max(0, p.next(now).Sub(now)); wait > row.most || wait < row.least {
				t.Errorf("waits %s, want between %s and %s", wait, row.least, row.most)
			}
		})
	}
}

func TestEndpointsAreNamedWithoutIDs(t *testing.T) {
	t.Parallel()
	for path, want := range map[string]string{
		"/api/v2/tickets/35436.json":          "GET /api/v2/tickets/",
		"/api/v2/users/12/identities":         "GET /api/v2/users/",
		"/api/v2/job_statuses/V3-1f0b":        "GET /api/v2/job_statuses/",
		"/api/v2/imports/tickets/create_many": "GET /api/v2/imports/tickets/create_many",
		"/api/v2/incremental/tickets/cursor":  "GET /api/v2/incremental/tickets/cursor",
		"/oauth/tokens":                       "GET /oauth/tokens",
	} {
		if got := (call{method: "GET", path: path}).endpoint(); got != want {
			t.Errorf("%s is %q, want %q", path, got, want)
		}
	}
}
