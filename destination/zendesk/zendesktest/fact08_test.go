package zendesktest_test

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
)

func TestFact08ListByExternalIDDoesNotSeeArchivedTickets(t *testing.T) {
	t.Parallel()
	z := newAccount(t, nil)
	closed, open := simple(z.own("same")), simple(z.own("same"))
	closed["status"], open["status"] = "closed", "open"
	job := z.job(z.post("imports/tickets/create_many.json"+query("archive_immediately", "true"), object{"tickets": []object{closed, open}}))
	equal(t, "by external id", z.tickets(z.own("same")), 1)
	equal(t, "other external id", z.tickets(z.own("SAME")), 0)
	ids := itoa(whole(at(job["results"], 0, "id"))) + "," + itoa(whole(at(job["results"], 1, "id")))
	equal(t, "by id", len(z.get("tickets/show_many"+query("ids", ids)).list("tickets")), 2)
	until(t, "both to be found by search", func() bool {
		return len(z.get("search"+query("query", `type:ticket external_id:"`+z.own("same")+`"`)).list("results")) == 2
	})
	if !z.real() {
		equal(t, "listed", len(z.get("tickets").list("tickets")), 1)
	}
}

func TestFact08ShowManyDropsMissingAndShuffles(t *testing.T) {
	t.Parallel()
	z := newAccount(t, nil)
	var ids []string
	results, _ := z.importMany(many(100, func(i int) object { return simple("t" + itoa(i)) })...)["results"].([]any)
	for _, r := range results {
		ids = append(ids, itoa(whole(at(r, "id"))))
	}
	slices.Sort(ids)
	const missing = "999999999999999"
	r := z.get("tickets/show_many" + query("ids", strings.Join(append(ids[:99:99], missing), ",")))
	equal(t, "count", r.at("count"), 99)
	var got []string
	for _, ticket := range r.list("tickets") {
		got = append(got, itoa(whole(at(ticket, "id"))))
	}
	if slices.IsSorted(got) {
		t.Error("the order of the request is kept")
	}
	z.get("tickets/show_many"+query("ids", strings.Join(append(ids, missing), ","))).is(t, 400)
}

func TestFact08SearchLagsBehind(t *testing.T) {
	t.Parallel()
	z := newAccount(t, object{"index_lag_seconds": 3600})
	z.importMany(simple("a"))
	z.user(object{"name": "A", "email": "a@x.example", "external_id": "u"})
	for _, path := range []string{"search" + query("query", "type:ticket"), "search/export" + query("query", "external_id:a", "filter[type]", "ticket")} {
		equal(t, path, len(z.get(path).is(t, 200).list("results")), 0)
	}
	equal(t, "count", z.get("search/count"+query("query", "type:ticket")).at("count"), 0)
	equal(t, "users by query", len(z.get("users/search"+query("query", "email:a@x.example")).list("users")), 0)
	equal(t, "users by external id", len(z.get("users/search"+query("external_id", "U")).list("users")), 1)
	z.configure(object{"index_lag_seconds": 0})
	equal(t, "search without lag", len(z.get("search"+query("query", "type:ticket")).list("results")), 1)
	equal(t, "users without lag", len(z.get("users/search"+query("query", "email:A@x.example")).list("users")), 1)
}

func TestFact08SearchShowsAThousandAtMost(t *testing.T) {
	t.Parallel()
	z := newAccount(t, nil)
	for range 11 {
		z.importMany(many(100, func(int) object {
			ticket := simple("")
			ticket["tags"] = []string{z.own("run_1")}
			return ticket
		})...)
	}
	q := "type:ticket tags:" + z.own("run_1")
	var r reply
	until(t, "all to be found by search", func() bool {
		r = z.get("search" + query("query", q, "page", "10"))
		return r.status == 200 && r.at("count") == 1100.0
	})
	equal(t, "results of page 10", len(r.list("results")), 100)
	equal(t, "result_type", r.at("results", 0, "result_type"), "ticket")
	z.get("search"+query("query", q, "page", "11")).is(t, 422)
	equal(t, "search/count", z.get("search/count"+query("query", q)).at("count"), 1100)
	equal(t, "another tag", z.get("search/count"+query("query", "type:ticket tags:"+z.own("run_2"))).at("count"), 0)
	exported, path := 0, "search/export"+query("query", q, "filter[type]", "ticket", "page[size]", "1000")
	for path != "" {
		r := z.get(path).is(t, 200)
		exported += len(r.list("results"))
		path = z.below(r.at("links", "next"))
	}
	equal(t, "exported", exported, 1100)
}

func TestFact08OffsetPagingEndsAtTenThousand(t *testing.T) {
	t.Parallel()
	r := newAccount(t, nil).get("tickets"+query("page", "101")).is(t, 400)
	equal(t, "code", r.at("errors", 0, "code"), "InvalidPaginationDepth")
}

func TestFact08IncrementalExportLeavesOutTheLastMinute(t *testing.T) {
	t.Parallel()
	z := newAccount(t, nil)
	z.importMany(simple(z.own("a")))
	equal(t, "tickets", len(z.exportAll(time.Now().Add(-2*time.Minute).Unix())), 0)
	r := z.export("incremental/tickets/cursor"+query("start_time", strconv.FormatInt(time.Now().Unix()-10, 10))).is(t, 400)
	equal(t, "code", r.at("errors", 0, "code"), "StartTimeTooRecent")
}

// export asks the incremental export once there is room: it takes few requests
// a minute.
func (z zendesk) export(path string) (r reply) {
	z.t.Helper()
	until(z.t, "room for an export", func() bool {
		r = z.get(path)
		return r.status != 429
	})
	return r
}

// below is what an address of the account has below /api/v2: an account may
// call itself otherwise than it is called.
func (z zendesk) below(address any) string {
	_, path, _ := strings.Cut(text(address), "/api/v2/")
	return path
}

// exportAll follows the cursor from a time to the end of the stream. Of a real
// account it keeps only what this test has made.
func (z zendesk) exportAll(start int64, more ...string) (tickets []any) {
	z.t.Helper()
	size := "2"
	if z.real() {
		size = "1000"
	}
	path := "incremental/tickets/cursor.json" + query(append([]string{"start_time", strconv.FormatInt(start, 10), "per_page", size}, more...)...)
	for {
		r := z.export(path).is(z.t, 200)
		tickets = append(tickets, r.list("tickets")...)
		if r.at("end_of_stream") == true {
			break
		}
		path = "incremental/tickets/cursor.json" + query(append([]string{"cursor", text(r.at("after_cursor")), "per_page", size}, more...)...)
	}
	return slices.DeleteFunc(tickets, func(ticket any) bool { return !strings.HasSuffix(text(at(ticket, "external_id")), z.own("")) })
}

func TestFact08IncrementalExportSeesEverythingByCursor(t *testing.T) {
	t.Parallel()
	// A minute of 60 ms: the bucket of 10 a minute is never in the way, and the last minute is soon over.
	z := asIs(t, object{"time_scale": 1000, "plan_per_minute": 1_000_000})
	start := time.Now().Unix() - 1
	if z.real() {
		start -= 60 // it must be a minute old
	}
	tickets := many(5, func(i int) object {
		ticket := simple(z.own("t" + itoa(i)))
		ticket["status"] = "closed"
		return ticket
	})
	z.job(z.post("imports/tickets/create_many"+query("archive_immediately", "true"), object{"tickets": tickets}))
	var all []any
	until(t, "the last minute to be over", func() bool {
		all = z.exportAll(start)
		return len(all) == 5
	})
	equal(t, "external ids", externalIDs(all), []string{z.own("t0"), z.own("t1"), z.own("t2"), z.own("t3"), z.own("t4")})
	id := itoa(whole(at(all, 0, "id")))
	z.call("DELETE", "tickets/"+id, nil).is(t, 204)
	until(t, "the deletion", func() bool {
		all = z.exportAll(start)
		return text(at(all, len(all)-1, "status")) == "deleted"
	})
	equal(t, "entries", len(all), 5)
	all = z.exportAll(start, "exclude_deleted", "true")
	equal(t, "without deleted ones", len(all), 4)
}

func TestFact08IncrementalExportIsTenAMinute(t *testing.T) {
	t.Parallel()
	const bucket = "zendesk-ratelimit-incremental-exports"
	z := newAccount(t, nil)
	path := "incremental/tickets/cursor" + query("start_time", "0")
	var total, remaining, resets int
	read := func(r reply) {
		if _, err := fmt.Sscanf(r.header.Get(bucket), "total=%d; remaining=%d; resets=%d", &total, &remaining, &resets); err != nil {
			t.Fatalf("%s is %q", bucket, r.header.Get(bucket))
		}
	}
	first := z.export(path).is(t, 200)
	read(first)
	if z.real() && remaining < total-1 { // earlier tests asked too
		turn := time.Now().Add(time.Duration(resets+1) * time.Second)
		until(t, "a new minute", func() bool { return time.Now().After(turn) })
		read(z.export(path).is(t, 200))
	}
	equal(t, "total", total, 10)
	equal(t, "remaining", remaining, 9)
	var refused reply
	passed := 1
	for refused.status != 429 && passed < 30 {
		if refused = z.get(path); refused.status == 200 {
			passed++
		}
	}
	if passed < 10 || passed > 20 { // 20 when a window ended meanwhile
		t.Errorf("%d exports passed, want 10", passed)
	}
	if refused.remaining(t) == 0 || refused.header.Get("Retry-After") == "" {
		t.Errorf("the account has %d requests left, Retry-After is %q", refused.remaining(t), refused.header.Get("Retry-After"))
	}
	z.get("users/me").is(t, 200)
}

func TestFact08IncrementalUsers(t *testing.T) {
	t.Parallel()
	z := asIs(t, object{"time_scale": 1000, "plan_per_minute": 1_000_000})
	start := time.Now().Unix() - 61
	z.user(object{"name": "A", "external_id": z.own("u")})
	until(t, "the last minute to be over", func() bool {
		r := z.export("incremental/users/cursor" + query("start_time", strconv.FormatInt(start, 10)))
		return slices.Contains(externalIDs(r.list("users")), z.own("u"))
	})
}

func TestFact08DeletedTicketsAreGoneFromReads(t *testing.T) {
	t.Parallel()
	z := newAccount(t, nil)
	z.importMany(simple(z.own("a")), simple(z.own("a")), simple(z.own("b")))
	var ids []string
	for _, ticket := range z.get("tickets" + query("external_id", z.own("a"))).list("tickets") {
		ids = append(ids, itoa(whole(at(ticket, "id"))))
	}
	job := z.job(z.call("DELETE", "tickets/destroy_many.json"+query("ids", strings.Join(ids, ",")), nil))
	equal(t, "results", job["results"], object{"success": true})
	z.get("tickets/"+ids[0]).is(t, 404)
	z.get("tickets/"+ids[0]+"/comments").is(t, 404)
	equal(t, "by external id", z.tickets(z.own("a")), 0)
	for external, n := range map[string]int{"a": 0, "b": 1} {
		until(t, "the search to know", func() bool {
			return len(z.get("search"+query("query", `type:ticket external_id:"`+z.own(external)+`"`)).list("results")) == n
		})
	}
	z.counted("tickets", 1)
	z.counted("comments", 1)
	z.counted("duplicate_external_ids", object{"tickets": 0, "users": 0, "organizations": 0})
	z.call("DELETE", "tickets/"+ids[0], nil).is(t, 404)
}

func TestFact08CommentsArePaged(t *testing.T) {
	t.Parallel()
	z := newAccount(t, nil)
	stored, first := z.importOne(object{"created_at": "2020-01-01T00:00:00Z", "comments": many(150, func(i int) object {
		return comment(itoa(i), time.Date(2020, 1, 1, 0, 0, i, 0, time.UTC).Format(time.RFC3339))
	})})
	equal(t, "first page by offset", len(first), 100)
	path := "tickets/" + itoa(whole(stored["id"])) + "/comments.json"
	equal(t, "second page by offset", len(z.get(path+query("page", "2")).list("comments")), 50)
	var bodies []string
	next := path + query("page[size]", "60")
	for next != "" {
		r := z.get(next).is(t, 200)
		for _, c := range r.list("comments") {
			bodies = append(bodies, text(at(c, "body")))
		}
		next = z.below(r.at("links", "next"))
	}
	equal(t, "comments by cursor", len(bodies), 150)
	equal(t, "last comment", bodies[149], "149")
}
