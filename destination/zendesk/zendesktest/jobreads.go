package zendesktest

import (
	"cmp"
	"math"
	"net/http"
	"slices"
	"strings"
)

// showJob writes the job as Zendesk shows it: total, progress, message and results are null until they are known.
func (a *account) showJob(e *encoder, j *job) {
	e.begin('{')
	e.member("id", j.id)
	e.member("job_type", j.kind.jobType)
	e.member("url", "https://"+a.name+".zendesk.invalid/api/v2/job_statuses/"+j.id+".json")
	if j.status == jobQueued {
		e.null("total")
		e.null("progress")
	} else {
		e.number("total", int64(j.total))
		e.number("progress", j.progress())
	}
	e.member("status", jobStatusNames[j.status])
	e.optional("message", j.message())
	if j.results == "" {
		e.null("results")
	} else {
		e.literal("results", j.results)
	}
	e.end('}')
}

// progress of a failed job was recorded as 0.
func (j *job) progress() int64 {
	if j.status == jobFailed {
		return 0
	}
	return int64(j.done)
}

func (j *job) message() string {
	switch j.status {
	case jobWorking:
		return j.kind.working + " #" + itoa(int64(j.done+1))
	case jobCompleted:
		return "Completed at " + stamp(j.finished)
	case jobFailed:
		return "Failed at " + stamp(j.finished)
	}
	return ""
}

// showJob is GET /api/v2/job_statuses/{id}.
func showJob(a *account, q *request) answer {
	j := a.jobs.byID[q.id]
	if j == nil || j.plan.Silent || j.plan.Hidden {
		return notFound()
	}
	if j.plan.Empty {
		return jsonAnswer(http.StatusOK, "")
	}
	return one(http.StatusOK, "job_status", func(e *encoder) { a.showJob(e, j) })
}

// showManyJobs is GET /api/v2/job_statuses/show_many?ids=: unknown ids are left out.
func showManyJobs(a *account, q *request) answer {
	ids := strings.Split(q.query.Get("ids"), ",")
	if len(ids) > maxBatch {
		return tooManyValues()
	}
	e := newEncoder()
	e.begin('{')
	e.key("job_statuses")
	e.begin('[')
	for _, id := range ids {
		if j := a.jobs.byID[id]; j != nil && !j.plan.Hidden {
			a.showJob(e, j)
		}
	}
	e.end(']')
	e.end('}')
	return encoded(http.StatusOK, e)
}

// listJobs is GET /api/v2/job_statuses: by completion, then creation, newest first; what is open comes before it.
func listJobs(a *account, q *request) answer {
	list := slices.Clone(a.jobs.all)
	slices.SortFunc(list, func(x, y *job) int { return -x.rank().compare(y.rank()) })
	return cursorPage(q, "job_statuses", len(list), pageOf[jobRank]{
		at:   func(i int) jobRank { return list[i].rank() },
		less: func(x, y jobRank) bool { return x.compare(y) > 0 },
		show: func(e *encoder, i int) { a.showJob(e, list[i]) },
	})
}

type jobRank struct {
	Finished int64 `json:"f"` // the largest number while it is open
	Sequence int64 `json:"s"`
}

func (j *job) rank() jobRank {
	if j.status == jobCompleted || j.status == jobFailed {
		return jobRank{j.finished, j.sequence}
	}
	return jobRank{math.MaxInt64, j.sequence}
}

func (r jobRank) compare(o jobRank) int {
	if c := cmp.Compare(r.Finished, o.Finished); c != 0 {
		return c
	}
	return cmp.Compare(r.Sequence, o.Sequence)
}
