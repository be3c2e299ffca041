package zendesktest_test

import (
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

// What Zendesk neither documents nor was recorded to do, as the sandbox has it
// and the client expects it. Each question has a number; `make zendesk-facts`
// asks them of a real account and prints which assumption holds.

// assumed names the question that a test answers, for the report.
func assumed(t *testing.T, number, text string) {
	t.Helper()
	t.Logf("assumption %s: %s", number, text)
}

// asIs is an account whose settings matter to the sandbox alone.
func asIs(t *testing.T, settings object) zendesk {
	t.Helper()
	if *onAccount != "" {
		settings = nil
	}
	return newAccount(t, settings)
}

// beside makes calls at the same time until one is answered with the status,
// n at most; it returns that answer.
func beside(n, lanes int, status int, call func(i int) reply) (found reply) {
	var mu sync.Mutex
	var wait sync.WaitGroup
	next := 0
	for range lanes {
		wait.Go(func() {
			for {
				mu.Lock()
				i, done := next, found.status == status || next == n
				next++
				mu.Unlock()
				if done {
					return
				}
				if r := call(i); r.status == status || r.at("error") == "TooManyJobs" {
					mu.Lock()
					found = r
					mu.Unlock()
					return
				}
			}
		})
	}
	wait.Wait()
	return found
}

func TestUnconfirmed01TooManyJobs(t *testing.T) {
	t.Parallel()
	assumed(t, "1a", "TooManyJobs is answered with 429, and names the open jobs")
	z := asIs(t, object{"seconds_per_ticket": 1000})
	refused := beside(40, 10, 429, func(int) reply {
		return z.post("imports/tickets/create_many", object{"tickets": many(5, func(int) object { return simple("") })})
	})
	if refused.at("error") != "TooManyJobs" {
		lacking(t, "the account's jobs end too soon to have 30 of them open")
	}
	equal(t, "status", refused.status, 429)
	if len(refused.list("current_job_ids")) == 0 {
		t.Errorf("the refusal names no jobs: %s", refused.text)
	}
}

func TestUnconfirmed01JobLimitIsTheAccounts(t *testing.T) {
	t.Parallel()
	assumed(t, "1b", "the 30 open jobs are counted over all endpoints")
	z := asIs(t, object{"seconds_per_ticket": 1000})
	refused := beside(40, 10, 429, func(int) reply {
		return z.post("imports/tickets/create_many", object{"tickets": many(5, func(int) object { return simple("") })})
	})
	if refused.at("error") != "TooManyJobs" {
		lacking(t, "the account's jobs end too soon to have 30 of them open")
	}
	other := z.post("organizations/create_many", object{"organizations": []object{{"name": z.own("job limit")}}})
	equal(t, "error of a job of another kind", other.at("error"), "TooManyJobs")
}

func TestUnconfirmed01JobsAreCountedInAHeader(t *testing.T) {
	t.Parallel()
	assumed(t, "1c", "the header zendesk-ratelimit-inflight-jobs is there")
	z := asIs(t, nil)
	r := z.post("imports/tickets/create_many", object{"tickets": []object{simple("a")}}).is(t, 200)
	contains(t, "zendesk-ratelimit-inflight-jobs", r.header.Get("zendesk-ratelimit-inflight-jobs"), "total=30")
}

func TestUnconfirmed02RefusalOfTheAccountsBudget(t *testing.T) {
	t.Parallel()
	assumed(t, "2", "beyond the minute's budget the answer is 429 with Retry-After and a body that is no JSON")
	z := asIs(t, object{"plan_per_minute": 20})
	until(t, "the beginning of a minute", func() bool { // a real minute: the sandbox has it too
		return *onAccount == "" || time.Now().Second() < 5
	})
	refused := beside(3000, 20, 429, func(int) reply {
		r, err := trySend(t, "GET", z.url+"users/me", nil, z.header())
		if err != nil {
			return reply{}
		}
		return r
	})
	if refused.status != 429 {
		lacking(t, "the budget of a minute is more than could be sent in it")
	}
	if refused.header.Get("Retry-After") == "" || refused.body != nil {
		t.Errorf("Retry-After is %q, the body %q", refused.header.Get("Retry-After"), refused.text)
	}
}

func TestUnconfirmed03ImportJob(t *testing.T) {
	t.Parallel()
	assumed(t, "3a", `the job of an import is of the type "Bulk Create Ticket", its items fail as TicketCreateFailed`)
	z := asIs(t, nil)
	job := z.importMany(simple("a"), object{"subject": "without text"})
	equal(t, "job_type", job["job_type"], "Bulk Create Ticket")
	equal(t, "error", at(job["results"], 1, "error"), "TicketCreateFailed")
}

func TestUnconfirmed03UnknownAuthorFailsTheItem(t *testing.T) {
	t.Parallel()
	assumed(t, "3b", "an unknown author fails the ticket, and only that")
	job := asIs(t, nil).importMany(simple("a"), object{"comments": []object{{"value": "c", "author_id": 42}}})
	if at(job["results"], 0, "error") != nil || at(job["results"], 1, "error") == nil {
		t.Errorf("results are %v", job["results"])
	}
}

func TestUnconfirmed03UnknownUploadTokenIsIgnored(t *testing.T) {
	t.Parallel()
	assumed(t, "3c", "an upload token that does not exist leaves the comment without a file, silently")
	_, comments := asIs(t, nil).importOne(object{"comments": []object{{"value": "c", "uploads": []string{"nosuchtoken"}}}})
	equal(t, "attachments", at(comments, 0, "attachments"), []any{})
}

func TestUnconfirmed03UsedUploadTokenIsIgnored(t *testing.T) {
	t.Parallel()
	assumed(t, "3d", "an upload token that was used leaves the second comment without a file, silently")
	z := asIs(t, nil)
	token := text(z.upload("a.pdf", "x").at("upload", "token"))
	ticket := object{"comments": []object{{"value": "c", "uploads": []string{token}}}}
	z.importOne(ticket)
	_, comments := z.importOne(ticket)
	equal(t, "attachments", at(comments, 0, "attachments"), []any{})
}

func TestUnconfirmed04SubjectIsCut(t *testing.T) {
	t.Parallel()
	assumed(t, "4a", "a subject is cut at 255 characters")
	ticket := simple("a")
	ticket["subject"] = strings.Repeat("ü", 300)
	stored, _ := asIs(t, nil).importOne(ticket)
	equal(t, "subject", stored["subject"], strings.Repeat("ü", 255))
}

func TestUnconfirmed04CommentLimitIsInBytes(t *testing.T) {
	t.Parallel()
	assumed(t, "4b", "a comment of 65,000 bytes is taken, one of 65,536 bytes in half as many characters is not")
	z := asIs(t, nil)
	z.post("imports/tickets", object{"ticket": object{"comments": []object{{"value": strings.Repeat("é", 32_500)}}}}).is(t, 201)
	z.post("imports/tickets", object{"ticket": object{"comments": []object{{"value": strings.Repeat("é", 32_768)}}}}).is(t, 422)
}

func TestUnconfirmed04FourByteCharacters(t *testing.T) {
	t.Parallel()
	assumed(t, "4c", "characters of four bytes come back as they were sent")
	const said = "a \U0001F469\u200d\U0001F469\u200d\U0001F467 \U00020000 z"
	stored, comments := asIs(t, nil).importOne(object{"subject": said, "comments": []object{{"body": said}}})
	equal(t, "subject", stored["subject"], said)
	equal(t, "body", at(comments, 0, "body"), said)
}

func TestUnconfirmed04LongExternalID(t *testing.T) {
	t.Parallel()
	assumed(t, "4d", "an external id of 255 characters is kept whole")
	id := strings.Repeat("x", 255)
	stored, _ := asIs(t, nil).importOne(simple(id))
	equal(t, "external_id", stored["external_id"], id)
}

func TestUnconfirmed04Tags(t *testing.T) {
	t.Parallel()
	assumed(t, "4e", "tags take any letters, and what stands between blanks is a tag of its own")
	ticket := simple("a")
	ticket["tags"] = []string{"größe", "日本", "a b", "x_y-z/1:2"}
	stored, _ := asIs(t, nil).importOne(ticket)
	equal(t, "tags", stored["tags"], []string{"a", "b", "größe", "x_y-z/1:2", "日本"})
}

func TestUnconfirmed04LargestFile(t *testing.T) {
	t.Parallel()
	assumed(t, "4f", "a file of more than 50 MB is refused")
	z := asIs(t, nil)
	if status := z.upload("large.pdf", strings.Repeat("x", 50<<20+1)).status; status != 413 && status != 422 {
		t.Errorf("status %d, want 413 or 422", status)
	}
}

func TestUnconfirmed04FileNames(t *testing.T) {
	t.Parallel()
	assumed(t, "4g", "a file keeps its name, whatever characters are in it")
	z := asIs(t, nil)
	const name = "Ünï \U0001F389 שלום (1) 'a' \"b\" & c;d+e%20.tar.gz"
	equal(t, "file_name", z.upload(name, "x").is(t, 201).at("upload", "attachment", "file_name"), name)
}

func TestUnconfirmed05ListByExternalIDLeavesArchivedOut(t *testing.T) {
	t.Parallel()
	assumed(t, "5a", "tickets?external_id= does not see archived tickets")
	z := asIs(t, nil)
	ticket := simple(z.own("archived"))
	ticket["status"] = "closed"
	job := z.job(z.post("imports/tickets/create_many"+query("archive_immediately", "true"), object{"tickets": []object{ticket}}))
	z.get("tickets/"+itoa(whole(at(job["results"], 0, "id")))).is(t, 200)
	equal(t, "found", z.tickets(z.own("archived")), 0)
}

func TestUnconfirmed05ExternalIDsAreNoList(t *testing.T) {
	t.Parallel()
	assumed(t, "5b", "tickets?external_id= takes no list with commas")
	z := asIs(t, nil)
	z.importMany(simple(z.own("l1")), simple(z.own("l2")))
	equal(t, "found singly", z.tickets(z.own("l1"))+z.tickets(z.own("l2")), 2)
	equal(t, "found", z.tickets(z.own("l1")+","+z.own("l2")), 0)
}

func TestUnconfirmed05ShowManyTakesNoExternalIDs(t *testing.T) {
	t.Parallel()
	assumed(t, "5c", "tickets/show_many?external_ids= finds nothing")
	z := asIs(t, nil)
	z.importMany(simple(z.own("shown")))
	equal(t, "found", len(z.get("tickets/show_many"+query("external_ids", z.own("shown"))).list("tickets")), 0)
}

func TestUnconfirmed06IdempotencyKeyDoesNothing(t *testing.T) {
	t.Parallel()
	assumed(t, "6", "an Idempotency-Key has no effect on imports")
	z := asIs(t, nil)
	var ids []int
	for range 2 {
		r := z.call("POST", "imports/tickets", object{"ticket": simple("same")}, "Idempotency-Key", z.own("farewell-facts")).is(t, 201)
		ids = append(ids, whole(r.at("ticket", "id")))
	}
	if ids[0] == ids[1] {
		t.Error("the second request made no second ticket")
	}
}

func TestUnconfirmed07BulkUsersOff(t *testing.T) {
	t.Parallel()
	assumed(t, "7a", "without bulk user import the answer is 403 in JSON, with Zendesk's own headers")
	z := newAccount(t, object{"bulk_users": false})
	r := z.post("users/create_many", object{"users": []object{{"name": "A"}}}).is(t, 403)
	if r.body == nil || r.header.Get("X-Request-Id") == "" {
		t.Errorf("the body is %q, X-Request-Id %q", r.text, r.header.Get("X-Request-Id"))
	}
}

func TestUnconfirmed07FailedUserOfAJob(t *testing.T) {
	t.Parallel()
	assumed(t, "7b", `a user who failed in a job has the status "Failed" and no id`)
	z := newAccount(t, object{"bulk_users": true})
	job := z.job(z.post("users/create_many", object{"users": []object{{"name": "A", "email": z.mail("a")}, {"name": "B", "email": z.mail("a")}}}))
	results, _ := job["results"].([]any) // either of the two may come first
	failed := slices.DeleteFunc(results, func(r any) bool { return at(r, "status") == "Created" })
	equal(t, "status", at(failed, 0, "status"), "Failed")
	equal(t, "id", at(failed, 0, "id"), nil)
}

func TestUnconfirmed08CommentBeforeItsTicket(t *testing.T) {
	t.Parallel()
	assumed(t, "8a", "a comment older than its ticket gets the ticket's time")
	_, comments := asIs(t, nil).importOne(object{"created_at": "2015-05-05T05:05:05Z", "comments": []object{comment("c", "2015-01-01T00:00:00Z")}})
	equal(t, "created_at", at(comments, 0, "created_at"), "2015-05-05T05:05:05Z")
}

func TestUnconfirmed08CreatedAfterUpdated(t *testing.T) {
	t.Parallel()
	assumed(t, "8b", "created_at after updated_at is kept as it was sent")
	ticket := simple("a")
	ticket["created_at"], ticket["updated_at"] = "2019-01-02T00:00:00Z", "2019-01-01T00:00:00Z"
	stored, _ := asIs(t, nil).importOne(ticket)
	equal(t, "created_at", stored["created_at"], "2019-01-02T00:00:00Z")
	equal(t, "updated_at", stored["updated_at"], "2019-01-01T00:00:00Z")
}

func TestUnconfirmed08SolvedAt(t *testing.T) {
	t.Parallel()
	assumed(t, "8c", "solved_at is kept for a ticket that is closed")
	z := asIs(t, nil)
	ticket := simple("a")
	ticket["status"], ticket["solved_at"] = "closed", "2020-02-02T02:02:02Z"
	stored, _ := z.importOne(ticket)
	r := z.get("tickets/" + itoa(whole(stored["id"])) + "/metrics")
	equal(t, "solved_at", r.at("ticket_metric", "solved_at"), "2020-02-02T02:02:02Z")
}

func TestUnconfirmed09UnknownJob(t *testing.T) {
	t.Parallel()
	assumed(t, "9", "a job that does not exist is a 404 RecordNotFound")
	equal(t, "error", asIs(t, nil).get("job_statuses/V3-00000000000000000000000000000000").is(t, 404).at("error"), "RecordNotFound")
}

func TestUnconfirmed11DeletedAuthor(t *testing.T) {
	t.Parallel()
	assumed(t, "11", "a deleted user as an author fails the ticket")
	z := asIs(t, nil)
	id := z.user(object{"name": "Farewell", "email": z.mail("deleted")})
	z.call("DELETE", "users/"+itoa(int(id)), nil).is(t, 200)
	z.post("imports/tickets", object{"ticket": object{"comments": []object{{"value": "c", "author_id": id}}}}).is(t, 422)
}

func TestUnconfirmed12BudgetOfATrial(t *testing.T) {
	t.Parallel()
	assumed(t, "12", "a trial account has 700 requests a minute")
	equal(t, "X-Rate-Limit", asIs(t, nil).get("users/me").header.Get("X-Rate-Limit"), "700")
}
