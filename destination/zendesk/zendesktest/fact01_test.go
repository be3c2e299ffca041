package zendesktest_test

import (
	"bufio"
	"fmt"
	"net"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"
)

// noTicket is one that no account has.
const noTicket = "tickets/999999999999999"

func dateOf(t *testing.T, r reply) int64 {
	t.Helper()
	date, err := http.ParseTime(r.header.Get("Date"))
	if err != nil {
		t.Fatal(err)
	}
	return date.Unix()
}

func TestFact01RateWindowIsTheUTCMinute(t *testing.T) {
	t.Parallel()
	z := newAccount(t, nil)
	for range 3 {
		r := z.get("users/me.json")
		reset, err := strconv.ParseInt(r.header.Get("ratelimit-reset"), 10, 64)
		if err != nil {
			t.Fatal(err)
		}
		if end := (dateOf(t, r) + reset) % 60; end != 0 && end != 1 {
			t.Errorf("the window ends at second %d of a minute, want 0 or 1", end)
		}
	}
}

func TestFact01EveryRequestCostsOneAlsoRefusedOnesAndJobPolls(t *testing.T) {
	t.Parallel()
	z := newAccount(t, nil)
	calls := []struct {
		name, method, path string
		body               any
		status             int
	}{
		{"read", "GET", "users/me", nil, 200},
		{"not found", "GET", noTicket, nil, 404},
		{"no endpoint", "GET", "nonsense", nil, 404},
		{"too many values", "POST", "imports/tickets/create_many", object{"tickets": many(101, func(int) object { return simple("") })}, 400},
		{"refused record", "POST", "imports/tickets", object{"ticket": object{}}, 422},
		{"job", "POST", "imports/tickets/create_many", object{"tickets": []object{simple("a")}}, 200},
		{"job poll", "GET", "job_statuses", nil, 200},
		{"job poll by id", "GET", "job_statuses/show_many?ids=x", nil, 200},
	}
	before := z.get("users/me.json")
	for _, c := range calls {
		r := z.call(c.method, c.path, c.body).is(t, c.status)
		sameWindow := dateOf(t, r)/60 == dateOf(t, before)/60
		if got, want := r.remaining(t), before.remaining(t)-1; sameWindow && got != want && got != 699 && (got > want || !z.real()) { // others use a real account too
			t.Errorf("%s: remaining is %d, want %d", c.name, got, want)
		}
		before = r
	}
}

func TestFact01ShowsTheBudgetInBothSpellings(t *testing.T) {
	t.Parallel()
	z := asIs(t, object{"plan_per_minute": 400})
	r := z.get("users/me.json")
	if !z.real() {
		equal(t, "X-Rate-Limit", r.header.Get("X-Rate-Limit"), "400")
	}
	equal(t, "ratelimit-limit", r.header.Get("ratelimit-limit"), r.header.Get("X-Rate-Limit"))
	equal(t, "ratelimit-remaining", r.header.Get("ratelimit-remaining"), r.header.Get("X-Rate-Limit-Remaining"))
}

func TestFact01RefusesBeyondTheBudgetUntilTheNextWindow(t *testing.T) {
	t.Parallel()
	for _, form := range []string{"text", "json"} {
		t.Run(form, func(t *testing.T) {
			t.Parallel()
			z := newAccount(t, object{"plan_per_minute": 3, "time_scale": 60, "rate_limit_body": form})
			var refused reply
			until(t, "a 429", func() bool {
				refused = z.get("users/me.json")
				return refused.status == 429
			})
			equal(t, "remaining", refused.remaining(t), 0)
			equal(t, "Retry-After", refused.header.Get("Retry-After"), "1")
			if isJSON := refused.body != nil; isJSON != (form == "json") {
				t.Errorf("the body is %q", refused.text)
			}
			until(t, "the next window", func() bool { return z.get("users/me.json").status == 200 })
		})
	}
}

func TestFact01RefusesWithBudgetLeft(t *testing.T) {
	t.Parallel()
	z := newAccount(t, fault("rate_limited", object{"retry_after": 7}))
	r := z.get("users/me.json").is(t, 429)
	equal(t, "Retry-After", r.header.Get("Retry-After"), "7")
	if r.remaining(t) == 0 {
		t.Error("there is no budget left")
	}
}

func TestFact01TimeScaleShortensTheWindow(t *testing.T) {
	t.Parallel()
	z := newAccount(t, object{"time_scale": 60})
	first := z.get("users/me.json")
	equal(t, "ratelimit-reset", first.header.Get("ratelimit-reset"), "1")
	from := time.Now()
	until(t, "a new window", func() bool { return z.get("users/me.json").remaining(t) == 699 })
	if d := time.Since(from); d > 2*time.Second {
		t.Errorf("a new window came after %v, want within a second", d)
	}
}

// A client that sends its whole request before it looks for an answer must get that answer.
func TestFact01RefusalWaitsForTheWholeRequest(t *testing.T) {
	t.Parallel()
	z := newAccount(t, object{"plan_per_minute": 1})
	until(t, "the budget to be used up", func() bool { return z.get("users/me").status == 429 })
	connection, err := net.Dial("tcp", strings.TrimPrefix(z.site.url, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	defer connection.Close()
	body := strings.Repeat("x", 8<<20)
	if _, err := fmt.Fprintf(connection, "POST /accounts/acme/api/v2/imports/tickets HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n%s", len(body), body); err != nil {
		t.Fatalf("the request was cut: %v", err)
	}
	response, err := http.ReadResponse(bufio.NewReader(connection), nil)
	if err != nil {
		t.Fatal(err)
	}
	response.Body.Close()
	if response.StatusCode != 429 && response.StatusCode != 401 { // 401 when a new minute has begun
		t.Errorf("status %d", response.StatusCode)
	}
}

// TestFact01WindowsAreAlignedToTheEpoch scales the minute to a second, and compares each new window with the clock.
func TestFact01WindowsAreAlignedToTheEpoch(t *testing.T) {
	t.Parallel()
	z := newAccount(t, object{"time_scale": 60, "plan_per_minute": 1_000_000})
	var remaining []int
	windows := 0
	until(t, "three windows", func() bool {
		remaining = append(remaining, z.get("users/me").remaining(t))
		if n := len(remaining); n > 1 && remaining[n-1] > remaining[n-2] {
			windows++
		}
		return windows == 3
	})
	const blur = 100 // milliseconds between arrival and counting, on a busy machine
	arrivals := z.site.control("GET", "accounts/acme/stats?arrivals=0", nil).list("arrivals")
	for i := 1; i < len(remaining); i++ {
		before, after := whole(at(arrivals, i-1, "at")), whole(at(arrivals, i, "at"))
		if ms := before % 1000; ms > 1000-blur {
			continue
		}
		if ms := after % 1000; ms > 1000-blur {
			continue
		}
		if newWindow, newSecond := remaining[i] > remaining[i-1], before/1000 != after/1000; newWindow != newSecond {
			t.Errorf("requests at %d and %d ms: new window %v, new second %v", before, after, newWindow, newSecond)
		}
	}
}
