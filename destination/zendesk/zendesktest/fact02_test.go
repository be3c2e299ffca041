package zendesktest_test

import (
	"strings"
	"testing"
)

// isEdge is what tells an answer of the edge from one of Zendesk's.
func isEdge(t *testing.T, r reply, status int) {
	t.Helper()
	r.is(t, status)
	contains(t, "Content-Type", r.header.Get("Content-Type"), "text/html")
	equal(t, "Server", r.header.Get("Server"), "cloudflare")
	for name := range r.header {
		if name == "X-Request-Id" || strings.HasPrefix(name, "X-Zendesk") || strings.HasPrefix(name, "X-Rate") || strings.HasPrefix(name, "Ratelimit") {
			t.Errorf("the edge's answer has %s", name)
		}
	}
}

func TestFact02EdgeCountsByIPOverAllAccounts(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		name   string
		status int
	}{{"forbidden", 403}, {"rate limited", 429}, {"challenge", 503}} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			s := newSite(t)
			a, b := s.account("a", nil), s.account("b", nil)
			s.control("PUT", "edge", object{"requests_per_minute": 4, "block_seconds": 3600, "status": row.status}).is(t, 200)
			passed := 0
			until(t, "the edge to trip", func() bool {
				if a.get("users/me").status != 200 {
					return true
				}
				passed++
				return false
			})
			if passed < 4 || passed > 8 { // 8 when a minute ended meanwhile
				t.Errorf("%d requests passed, want 4", passed)
			}
			isEdge(t, b.get("users/me"), row.status)
			stats := s.control("GET", "stats", nil).body
			equal(t, "edge_blocked", stats["edge_blocked"], 2)
			equal(t, "edge_blocked of the client", at(stats["clients"], 0, "edge_blocked"), 2)
			s.control("PUT", "edge", object{"requests_per_minute": 0}).is(t, 200)
			b.get("users/me").is(t, 200)
		})
	}
}

func TestFact02OneAccountOrEverythingCanBeBlocked(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	a, b := s.account("a", object{"edge_block": true, "edge_status": 429}), s.account("b", nil)
	isEdge(t, a.get("users/me"), 429)
	b.get("users/me").is(t, 200)
	s.control("PUT", "edge", object{"block": true}).is(t, 200)
	isEdge(t, b.get("users/me"), 403)
}

func TestFact02OrdinaryAnswersHaveZendesksHeaders(t *testing.T) {
	t.Parallel()
	z := newAccount(t, nil)
	for _, r := range []reply{z.get("users/me"), z.get(noTicket).is(t, 404)} {
		for _, name := range []string{"X-Request-Id", "X-Zendesk-Api-Version", "X-Rate-Limit", "Ratelimit-Remaining", "Cf-Ray", "Date"} {
			if r.header.Get(name) == "" {
				t.Errorf("%d without %s", r.status, name)
			}
		}
	}
}

func TestFact02CountsRequestsInsideRetryAfter(t *testing.T) {
	t.Parallel()
	z := newAccount(t, fault("rate_limited", object{"retry_after": 60}))
	z.get("users/me").is(t, 429)
	z.get("users/me").is(t, 200)
	z.get("users/me").is(t, 200)
	stats := z.stats()
	equal(t, "answers_429", stats["answers_429"], 1)
	equal(t, "requests_inside_retry_after", stats["requests_inside_retry_after"], 2)
	client := at(z.site.control("GET", "stats", nil).body, "clients", 0)
	equal(t, "answers_429 of the client", at(client, "answers_429"), 1)
	equal(t, "requests_inside_retry_after of the client", at(client, "requests_inside_retry_after"), 2)
}
