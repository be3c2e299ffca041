package zendesktest_test

import (
	"strconv"
	"testing"
)

func TestFact03The31stOpenJobIsRefused(t *testing.T) {
	t.Parallel()
	for _, status := range []int{429, 422} {
		t.Run(strconv.Itoa(status), func(t *testing.T) {
			t.Parallel()
			z := newAccount(t, object{"seconds_per_ticket": 1000, "too_many_jobs_status": status})
			for i := range 30 {
				r := z.post("imports/tickets/create_many", object{"tickets": []object{simple("")}}).is(t, 200)
				equal(t, "inflight header", r.header.Get("zendesk-ratelimit-inflight-jobs"), "total=30; remaining="+strconv.Itoa(29-i)+"; resets=60")
			}
			// The limit is the account's: jobs of other endpoints count.
			refused := z.post("organizations/create_many", object{"organizations": []object{{"name": "o"}}}).is(t, status)
			equal(t, "error", refused.at("error"), "TooManyJobs")
			equal(t, "number of current_job_ids", len(refused.list("current_job_ids")), 30)
			equal(t, "peak_open_jobs", z.stats()["peak_open_jobs"], 30)
		})
	}
}

func TestFact03EndedJobsMakeRoom(t *testing.T) {
	t.Parallel()
	z := newAccount(t, object{"job_limit": 1, "seconds_per_ticket": 0.01})
	started := z.post("imports/tickets/create_many", object{"tickets": []object{simple("")}})
	equal(t, "error of the second", z.post("imports/tickets/create_many", object{"tickets": []object{simple("")}}).at("error"), "TooManyJobs")
	z.job(started)
	z.post("imports/tickets/create_many", object{"tickets": []object{simple("")}}).is(t, 200)
}
