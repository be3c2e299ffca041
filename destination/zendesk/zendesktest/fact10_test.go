package zendesktest_test

import (
	"context"
	"net/http"
	"strings"
	"testing"
	"time"
)

func TestFact10FaultsBeforeAndAfterTheCommit(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		name, kind  string
		more        object
		status      int // 0: no whole answer
		contentType string
		retryAfter  string
		tickets     int
	}{
		{"cut before", "cut_before", nil, 0, "", "", 0},
		{"cut after", "cut_after", nil, 0, "", "", 1},
		{"cut half-way", "cut_half", nil, 0, "", "", 1},
		{"500 before", "error_before", nil, 500, "text/html", "", 0},
		{"502 before", "error_before", object{"status": 502}, 502, "text/html", "", 0},
		{"500 after", "error_after", nil, 500, "text/html", "", 1},
		{"502 after", "error_after", object{"status": 502}, 502, "text/html", "", 1},
		{"503", "unavailable", nil, 503, "application/json", "", 0},
		{"503 with Retry-After", "unavailable", object{"retry_after": 12}, 503, "application/json", "12", 0},
		{"429 without Retry-After", "rate_limited", nil, 429, "text/html", "", 0},
		{"409", "conflict", nil, 409, "text/plain", "", 0},
		{"401", "expired_token", nil, 401, "application/json", "", 0},
		{"slow", "slow", object{"delay_seconds": 0.05}, 200, "application/json", "", 1},
		{"late", "late", object{"delay_seconds": 0.05}, 200, "application/json", "", 1},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			more := object{"on": "POST /api/v2/imports/tickets/create_many"}
			for key, value := range row.more {
				more[key] = value
			}
			z := newAccount(t, fault(row.kind, more))
			z.get("users/me").is(t, 200)
			body := object{"tickets": []object{simple("a")}}
			r, err := z.try("POST", "imports/tickets/create_many", body)
			if row.status == 0 {
				if err == nil {
					t.Fatalf("the answer is whole: %d %s", r.status, r.text)
				}
			} else {
				r.is(t, row.status)
				contains(t, "Content-Type", r.header.Get("Content-Type"), row.contentType)
				equal(t, "Retry-After", r.header.Get("Retry-After"), row.retryAfter)
				if row.contentType == "text/html" && row.status >= 500 && !strings.HasPrefix(r.text, "<html>") {
					t.Errorf("the body is %q", r.text)
				}
			}
			stats := z.stats()
			equal(t, "tickets", stats["tickets"], row.tickets)
			equal(t, "faults_fired", stats["faults_fired"], []int{1})
			z.post("imports/tickets/create_many", body).is(t, 200)
			equal(t, "tickets after the second", z.stats()["tickets"], row.tickets+1)
		})
	}
}

func TestFact10LateRequestTakesEffectAfterTheClientHasGone(t *testing.T) {
	t.Parallel()
	z := newAccount(t, fault("late", object{"on": "imports", "delay_seconds": 0.2}))
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, "POST", z.url+"imports/tickets", strings.NewReader(`{"ticket":{"comments":[{"value":"c"}]}}`))
	if err != nil {
		t.Fatal(err)
	}
	request.Header = http.Header{"Authorization": {"Bearer " + z.token}, "Content-Type": {"application/json"}}
	if response, err := http.DefaultTransport.RoundTrip(request); err == nil {
		response.Body.Close()
		t.Fatal("the answer came in time")
	}
	equal(t, "tickets when the client gave up", z.stats()["tickets"], 0)
	until(t, "the late ticket", func() bool { return whole(z.stats()["tickets"]) == 1 })
}

func TestFact10FaultsCanBePlannedExactly(t *testing.T) {
	t.Parallel()
	z := newAccount(t, object{"faults": []object{
		{"kind": "conflict", "on": "users", "skip": 1, "count": 2},
		{"kind": "error_before", "on": "tickets"},
	}})
	var got []int
	for range 5 {
		got = append(got, z.get("users/me").status)
	}
	equal(t, "statuses", got, []int{200, 409, 409, 200, 200})
	z.get("tickets").is(t, 500)
	z.get("groups").is(t, 200)
	z.configure(object{"faults": []object{}})
	z.get("tickets").is(t, 200)
}

func TestFact10ProbabilityFollowsTheSeed(t *testing.T) {
	t.Parallel()
	run := func(seed int) string {
		z := newAccount(t, object{"seed": seed, "faults": []object{{"kind": "unavailable", "probability": 0.3}}})
		var struck strings.Builder
		for range 60 {
			struck.WriteString(itoa(z.get("users/me").status / 100))
		}
		return struck.String()
	}
	first := run(7)
	if n := strings.Count(first, "5"); n < 5 || n > 35 {
		t.Errorf("%d of 60 requests were struck with a probability of 0.3", n)
	}
	equal(t, "the same seed", run(7), first)
	if run(8) == first {
		t.Error("another seed strikes the same requests")
	}
}

func TestFact10ErrorTextsAreLocalisedAndCodesAreNot(t *testing.T) {
	t.Parallel()
	z := newAccount(t, object{"language": "pt"})
	details, single := z.refused(object{"subject": "s"})
	equal(t, "details", details, "Descrição: não pode ficar em branco")
	equal(t, "code", single.at("details", "base", 0, "error"), "BlankValue")
}

func TestFact10IDsMayBeStringsOrNumbers(t *testing.T) {
	t.Parallel()
	z := newAccount(t, nil)
	user := itoa(int(z.user(object{"name": "A"})))
	organization := z.post("organizations", object{"organization": object{"name": z.own("O")}}).at("organization", "id")
	z.post("organization_memberships", object{"organization_membership": object{"user_id": user, "organization_id": organization}}).is(t, 201)
	stored, comments := z.importOne(object{"requester_id": user, "comments": []object{{"value": "c", "author_id": user}}})
	equal(t, "requester_id", itoa(whole(stored["requester_id"])), user)
	equal(t, "author_id", itoa(whole(at(comments, 0, "author_id"))), user)
}
