package zendesktest_test

import (
	"crypto/rand"
	"encoding/json"
	"flag"
	"net/http"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

// onAccount makes the tests of the facts run against a real account instead of
// the sandbox, one after the other; `make zendesk-facts` does so. What needs
// the sandbox's own control is reported as not testable.
var onAccount = flag.String("account", "", `JSON file with the "url" of an account and the "authorization" to use there`)

// notTestable starts what is said of a test that a real account cannot run.
const notTestable = "not testable on an account: "

func realAccount(t *testing.T) (url, authorization string, real bool) {
	t.Helper()
	if *onAccount == "" {
		return "", "", false
	}
	raw, err := os.ReadFile(*onAccount)
	if err != nil {
		t.Fatal(err)
	}
	var account struct{ URL, Authorization string }
	if err := json.Unmarshal(raw, &account); err != nil {
		t.Fatal("the file of -account holds no JSON")
	}
	return account.URL, account.Authorization, true
}

// sandboxOnly ends the test on a real account.
func sandboxOnly(t *testing.T, why string) {
	t.Helper()
	if *onAccount != "" {
		t.Skip(notTestable + why)
	}
}

// lacking ends the test on a real account that happens not to have what it
// needs; the sandbox has it.
func lacking(t *testing.T, why string) {
	t.Helper()
	if *onAccount == "" {
		t.Fatal("on the sandbox, too: " + why)
	}
	t.Skip(notTestable + why)
}

// existing is the account that was named, which is cleaned up after the test.
// Settings are what an account must be like; only bulk users can be seen.
func existing(t *testing.T, url, authorization string, settings object) zendesk {
	t.Helper()
	z := zendesk{t: t, url: url + "/api/v2/", authorization: authorization, made: &made{mark: "-" + strings.ToLower(rand.Text()[:8])}}
	for name, value := range settings {
		if name != "bulk_users" {
			sandboxOnly(t, "it needs "+name+" set")
		}
		if off := z.post("users/create_many", object{"users": []object{{}}}).status == 403; off == (value == true) {
			sandboxOnly(t, "bulk user import is not as it needs it")
		}
	}
	t.Cleanup(z.cleanUp)
	return z
}

// made is what a test made in a real account.
type made struct {
	mark                                string // of everything that must be unique there
	mu                                  sync.Mutex
	tickets, users, organizations, jobs []string
}

// note keeps what an answer says was made.
func (m *made) note(method, path string, answer reply) {
	if m == nil || method != http.MethodPost || answer.status < 200 || answer.status > 299 {
		return
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if id := answer.at("ticket", "id"); id != nil {
		m.tickets = append(m.tickets, itoa(whole(id)))
	}
	if id := answer.at("user", "id"); id != nil {
		m.users = append(m.users, itoa(whole(id)))
	}
	if id := answer.at("organization", "id"); id != nil {
		m.organizations = append(m.organizations, itoa(whole(id)))
	}
	if id := text(answer.at("job_status", "id")); id != "" && strings.Contains(path, "/create") {
		kind, _, _ := strings.Cut(strings.TrimPrefix(path, "imports/"), "/")
		m.jobs = append(m.jobs, kind+" "+id)
	}
}

// leftBehind starts what is said of records that could not be deleted.
const leftBehind = "left behind in the account: "

// cleanUp deletes what the test made, and says what is there all the same.
// Zendesk keeps deleted tickets for 30 days among the deleted ones.
func (z zendesk) cleanUp() {
	z.awaitJobs()
	m := z.made
	var deletions []string
	for ids := range slices.Chunk(m.tickets, 100) {
		r := z.room("DELETE", "tickets/destroy_many"+query("ids", strings.Join(ids, ",")))
		deletions = append(deletions, text(r.at("job_status", "id")))
	}
	for _, id := range deletions {
		z.end(id)
	}
	for _, id := range m.users {
		z.room("DELETE", "users/"+id)
	}
	for _, id := range m.organizations {
		z.room("DELETE", "organizations/"+id)
	}
	z.look("tickets", m.tickets)
	z.look("users", m.users)
	z.look("organizations", m.organizations)
}

// room repeats a request that there is no room for yet.
func (z zendesk) room(method, path string) (r reply) {
	until(z.t, "room for "+method+" "+path, func() bool {
		r = z.call(method, path, nil)
		return r.status != 429 && r.at("error") != "TooManyJobs"
	})
	return r
}

// look tells what is still there. A deleted user is listed, but not as active.
func (z zendesk) look(kind string, ids []string) {
	for some := range slices.Chunk(ids, 100) {
		for _, record := range z.room("GET", kind+"/show_many"+query("ids", strings.Join(some, ","))).list(kind) {
			if at(record, "active") != false && at(record, "status") != "deleted" {
				z.t.Logf("%s%s/%d", leftBehind, kind, whole(at(record, "id")))
			}
		}
	}
}

// end waits for the end of a job.
func (z zendesk) end(id string) (ended reply) {
	until(z.t, "the end of job "+id, func() bool {
		ended = z.get("job_statuses/" + id)
		status := ended.at("job_status", "status")
		return ended.status == 404 || status == "completed" || status == "failed"
	})
	return ended
}

// awaitJobs waits for the jobs whose records are to be deleted.
func (z zendesk) awaitJobs() {
	for _, job := range z.made.jobs {
		kind, id, _ := strings.Cut(job, " ")
		results, _ := z.end(id).at("job_status", "results").([]any)
		for _, r := range results {
			if made := whole(at(r, "id")); made > 0 && at(r, "status") != "Updated" {
				switch kind {
				case "tickets":
					z.made.tickets = append(z.made.tickets, itoa(made))
				case "users":
					z.made.users = append(z.made.users, itoa(made))
				case "organizations":
					z.made.organizations = append(z.made.organizations, itoa(made))
				}
			}
		}
	}
}

// patience is how long a test waits for what must come: an account's own index
// lags by minutes.
func patience() time.Duration {
	if *onAccount != "" {
		return 5 * time.Minute
	}
	return 20 * time.Second
}

// askEvery is how often a test asks meanwhile: each time costs a real account
// one of its requests.
func askEvery() time.Duration {
	if *onAccount != "" {
		return time.Second
	}
	return 5 * time.Millisecond
}

// real tells an account that somebody uses from the sandbox's, of which each
// test has its own.
func (z zendesk) real() bool { return z.made != nil }

// own is a word that nothing else in the account has.
func (z zendesk) own(word string) string {
	if z.real() {
		return word + z.made.mark
	}
	return word
}

// mail is an address that nobody in the account has. Nobody in the world has it
// either: https://www.rfc-editor.org/rfc/rfc2606#section-2.
func (z zendesk) mail(name string) string { return z.own(name) + "@x.example" }

// counted compares what the sandbox has counted behind the API.
func (z zendesk) counted(name string, want any) {
	z.t.Helper()
	if !z.real() {
		equal(z.t, name, z.stats()[name], want)
	}
}

// tickets are how many have an external id and are not archived.
func (z zendesk) tickets(externalID string) int {
	z.t.Helper()
	return len(z.get("tickets"+query("external_id", externalID)).is(z.t, 200).list("tickets"))
}

// spent tells whether a real account has no request left in its minute, which
// is then waited out; the tests of limits are about others.
func (z zendesk) spent(r reply) bool {
	return z.real() && r.status == 429 && r.header.Get("X-Rate-Limit-Remaining") == "0"
}
