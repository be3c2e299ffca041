package zendesktest_test

import (
	"slices"
	"strings"
	"testing"
	"time"
)

func TestFact04JobIsQueuedThenWorkingThenCompleted(t *testing.T) {
	t.Parallel()
	z := asIs(t, object{"seconds_per_ticket": 0.05, "plan_per_minute": 1_000_000})
	begun := time.Now()
	started := z.post("imports/tickets/create_many", object{"tickets": many(40, func(int) object { return simple("") })}).is(t, 200)
	id := text(started.at("job_status", "id"))
	if !strings.HasPrefix(id, "V3-") || len(id) != 3+32 {
		t.Errorf("id is %q", id)
	}
	seen := []string{text(started.at("job_status", "status"))}
	var job object
	until(t, "the end of the job", func() bool {
		job, _ = z.get("job_statuses/" + id + ".json").at("job_status").(object)
		status := text(job["status"])
		if status != seen[len(seen)-1] {
			seen = append(seen, status)
		}
		if status == "working" {
			contains(t, "message", text(job["message"]), "Creating ticket #")
		}
		if status != "completed" && job["results"] != nil {
			t.Errorf("results of a %s job are %v", status, job["results"])
		}
		return status == "completed"
	})
	if z.real() { // it was asked once a second: a short job may have worked in between
		seen = slices.DeleteFunc(seen, func(s string) bool { return s == "working" })
		equal(t, "states", seen, []string{"queued", "completed"})
		return
	}
	equal(t, "states", seen, []string{"queued", "working", "completed"})
	if took := time.Since(begun); took < 2*time.Second {
		t.Errorf("40 tickets of 50 ms took %v", took)
	}
	equal(t, "progress", job["progress"], 40)
	contains(t, "message", text(job["message"]), "Completed at 20")
	contains(t, "url", text(job["url"]), "/api/v2/job_statuses/"+id+".json")
}

func TestFact04ResultsAreByIndexAndIDsAreNot(t *testing.T) {
	t.Parallel()
	z := newAccount(t, nil)
	job := z.importMany(many(100, func(int) object { return simple("") })...)
	results, _ := job["results"].([]any)
	var ids []int
	for i, r := range results {
		equal(t, "index", at(r, "index"), i)
		ids = append(ids, whole(at(r, "id")))
		for _, key := range []string{"success", "status", "external_id", "error"} {
			if at(r, key) != nil {
				t.Errorf("a result has %s", key)
			}
		}
	}
	if slices.IsSorted(ids) {
		t.Error("ids are in the order of the index")
	}
	slices.Sort(ids)
	if len(slices.Compact(ids)) != 100 {
		t.Errorf("%d different ids, want 100", len(slices.Compact(ids)))
	}
}

func TestFact04OneBadTicketDoesNotStopTheOthers(t *testing.T) {
	t.Parallel()
	z := newAccount(t, nil)
	job := z.importMany(simple(z.own("a")), object{"subject": "empty"}, simple(z.own("c")))
	equal(t, "status", job["status"], "completed")
	equal(t, "failed item", at(job["results"], 1), object{"index": 1, "error": "TicketCreateFailed", "details": "Description: cannot be blank"})
	equal(t, "tickets", z.tickets(z.own("a"))+z.tickets(z.own("c")), 2)
}

func TestFact04JobFailsWhenEveryItemDoes(t *testing.T) {
	t.Parallel()
	job := newAccount(t, nil).importMany(object{"subject": "empty"})
	equal(t, "status", job["status"], "failed")
	equal(t, "progress", job["progress"], 0)
	contains(t, "message", text(job["message"]), "Failed at ")
	equal(t, "results", at(job["results"], 0, "error"), "TicketCreateFailed")
}

func TestFact04JobIsGoneAfterADay(t *testing.T) {
	t.Parallel()
	z := newAccount(t, object{"time_scale": 100_000, "plan_per_minute": 1_000_000}) // a day of 0.86 s
	started := z.post("imports/tickets/create_many", object{"tickets": []object{simple("a")}}).is(t, 200)
	id := text(started.at("job_status", "id"))
	until(t, "the job to be forgotten", func() bool { return z.get("job_statuses/"+id).status == 404 })
	equal(t, "list", len(z.get("job_statuses").list("job_statuses")), 0)
	equal(t, "tickets", z.stats()["tickets"], 1)
}

func TestFact04UnknownJobIsNotFound(t *testing.T) {
	t.Parallel()
	z := newAccount(t, nil)
	equal(t, "error", z.get("job_statuses/V3-0").is(t, 404).at("error"), "RecordNotFound")
	equal(t, "show_many", len(z.get("job_statuses/show_many?ids=V3-0").is(t, 200).list("job_statuses")), 0)
}

func TestFact04JobsGoWrong(t *testing.T) {
	t.Parallel()
	// What the single URL, show_many and the list say of the job once it should have ended, and how many tickets exist.
	for _, row := range []struct {
		kind                      string
		more                      object
		single                    int
		inShowMany, inList        bool
		status                    any
		tickets, openJobs, answer int
	}{
		{"job_silent", nil, 404, true, true, "completed", 5, 0, 200},
		{"job_empty", nil, 200, true, true, "completed", 5, 0, 200},
		{"job_hidden", nil, 404, false, true, "completed", 5, 0, 200},
		{"job_vanishes", nil, 404, false, false, nil, 5, 0, 200},
		{"job_stuck", nil, 200, true, true, "queued", 0, 1, 200},
		{"job_fails_after", object{"after": 3}, 200, true, true, "failed", 3, 0, 200},
		{"cut_after", nil, 200, true, true, "completed", 5, 0, 0},
	} {
		t.Run(row.kind, func(t *testing.T) {
			t.Parallel()
			z := newAccount(t, fault(row.kind, row.more))
			if row.kind == "cut_after" {
				z.configure(fault("cut_after", object{"on": "imports"}))
			}
			started, err := z.try("POST", "imports/tickets/create_many", object{"tickets": many(5, func(int) object { return simple("") })})
			if row.answer == 0 && err == nil || started.status != row.answer {
				t.Fatalf("the POST answered %d, %v", started.status, err)
			}
			list := z.get("job_statuses").list("job_statuses")
			equal(t, "in the list", len(list) == 1, row.inList)
			equal(t, "status", at(list, 0, "status"), row.status)
			id := text(started.at("job_status", "id"))
			if row.answer == 0 {
				id = text(at(list, 0, "id"))
			}
			single := z.get("job_statuses/"+id).is(t, row.single)
			if row.kind == "job_empty" {
				equal(t, "body of the single URL", single.text, "")
			}
			equal(t, "in show_many", len(z.get("job_statuses/show_many"+query("ids", id)).list("job_statuses")) == 1, row.inShowMany)
			if row.kind == "job_fails_after" {
				equal(t, "results", at(list, 0, "results"), nil)
			}
			equal(t, "tickets", z.stats()["tickets"], row.tickets)
			equal(t, "open jobs", z.stats()["open_jobs"], row.openJobs)
		})
	}
}

func TestFact04ListIsNewestFirstByCursor(t *testing.T) {
	t.Parallel()
	z := newAccount(t, nil)
	var posted []string
	for range 5 {
		posted = append(posted, text(z.importMany(simple(""))["id"]))
	}
	slices.Reverse(posted)
	var listed []string // of these
	path := "job_statuses.json" + query("page[size]", "2")
	for {
		r := z.get(path).is(t, 200)
		for _, job := range r.list("job_statuses") {
			if id := text(at(job, "id")); slices.Contains(posted, id) {
				listed = append(listed, id)
			}
		}
		if r.at("meta", "has_more") != true || len(listed) == len(posted) {
			break
		}
		path = "job_statuses.json" + query("page[size]", "2", "page[after]", text(r.at("meta", "after_cursor")))
	}
	equal(t, "jobs", listed, posted)
}

func TestFact04JobsRunBesideEachOther(t *testing.T) {
	t.Parallel()
	z := newAccount(t, object{"seconds_per_ticket": 0.02, "plan_per_minute": 1_000_000})
	begun := time.Now()
	for range 30 {
		z.post("imports/tickets/create_many", object{"tickets": many(50, func(int) object { return simple("") })}).is(t, 200)
	}
	until(t, "the end of all jobs", func() bool { return whole(z.stats()["open_jobs"]) == 0 })
	if took := time.Since(begun); took > 15*time.Second { // one after the other they take 30 s
		t.Errorf("30 jobs of 1 s took %v", took)
	}
	equal(t, "tickets", z.stats()["tickets"], 1500)
}
