package zendesktest_test

import (
	"encoding/json"
	"flag"
	"os"
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

// existing is the account that was named, which is cleaned up after the test.
// Settings are what an account must be like; only bulk users can be seen.
func existing(t *testing.T, url, authorization string, settings object) zendesk {
	t.Helper()
	z := zendesk{t: t, url: url + "/api/v2/", authorization: authorization, made: &made{}}
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
	mu                                  sync.Mutex
	tickets, users, organizations, jobs []string
}

// note keeps what an answer says was made.
func (m *made) note(path string, answer reply) {
	if m == nil || answer.status < 200 || answer.status > 299 {
		return
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if id := answer.at("ticket", "id"); id != nil {
		m.tickets = append(m.tickets, itoa(whole(id)))
	}
	if id := answer.at("user", "id"); id != nil && strings.HasPrefix(path, "users") {
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

// cleanUp deletes what the test made. Zendesk keeps deleted tickets for 30
// days among the deleted ones.
func (z zendesk) cleanUp() {
	z.awaitJobs()
	m := z.made
	for len(m.tickets) > 0 {
		n := min(len(m.tickets), 100)
		z.call("DELETE", "tickets/destroy_many"+query("ids", strings.Join(m.tickets[:n], ",")), nil)
		m.tickets = m.tickets[n:]
	}
	for _, id := range m.users {
		z.call("DELETE", "users/"+id, nil)
	}
	for _, id := range m.organizations {
		z.call("DELETE", "organizations/"+id, nil)
	}
}

// awaitJobs waits for the jobs whose records are to be deleted.
func (z zendesk) awaitJobs() {
	for _, job := range z.made.jobs {
		kind, id, _ := strings.Cut(job, " ")
		var ended reply
		until(z.t, "the end of job "+id, func() bool {
			ended = z.get("job_statuses/" + id)
			status := ended.at("job_status", "status")
			return ended.status == 404 || status == "completed" || status == "failed"
		})
		results, _ := ended.at("job_status", "results").([]any)
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

// spent tells whether a real account has no request left in its minute, which
// is then waited out; the tests of limits are about others.
func (z zendesk) spent(r reply) bool {
	return z.made != nil && r.status == 429 && r.header.Get("X-Rate-Limit-Remaining") == "0"
}
