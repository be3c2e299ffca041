package zendesktest

import (
	"cmp"
	"math"
	"math/rand/v2"
	"net/http"
	"slices"
)

// jobKind is what jobs of one endpoint have in common.
type jobKind struct {
	jobType string  // as shown
	class   string  // as in the text of TooManyJobs
	working string  // the message while it works, before "#n"
	share   float64 // how long an item takes, as a share of a ticket's time
	// whole shows {"success":true} instead of a list of results.
	whole bool
}

// queuedTickets is how long a job waits before it starts, in tickets' times: 0.75 s by default.
const queuedTickets = 5

// jobPlan is what is planned to go wrong with a job. It is kept in the journal with the request.
type jobPlan struct {
	Stuck     bool `json:"stuck,omitempty"`      // stays queued
	FailAfter *int `json:"fail_after,omitempty"` // fails as a whole, without results, after so many items were created
	Silent    bool `json:"silent,omitempty"`     // its own URL answers 404
	Empty     bool `json:"empty,omitempty"`      // its own URL answers 200 with nothing
	Hidden    bool `json:"hidden,omitempty"`     // show_many leaves it out as well; only the list shows it
	Vanish    bool `json:"vanish,omitempty"`     // is gone as soon as it has ended
}

type jobStatus uint8

const (
	jobQueued jobStatus = iota
	jobWorking
	jobCompleted
	jobFailed
)

var jobStatusNames = [...]string{"queued", "working", "completed", "failed"}

// outcome is what became of one item.
type outcome struct {
	id     int64
	failed bool
	result string // its entry of the results; "" is the one of an imported ticket
}

// job is a bulk job. Nothing runs on its own: every request first brings the open jobs to where they should be by now.
type job struct {
	id       string
	sequence int64
	kind     jobKind
	plan     jobPlan
	total    int
	starts   int64 // when the first item begins
	step     int64 // nanoseconds for each item
	order    []int // in which the items are worked on: Zendesk's workers are parallel, so ids do not follow the index
	done     int
	outcomes []outcome
	process  func(index int, at int64) outcome
	status   jobStatus
	finished int64
	results  string // JSON, "" for null
}

// due is when the next thing happens to the job.
func (j *job) due() int64 {
	switch {
	case j.plan.Stuck:
		return math.MaxInt64
	case j.plan.FailAfter != nil && j.done >= min(*j.plan.FailAfter, j.total):
		return j.starts + int64(j.done)*j.step
	}
	return j.starts + int64(j.done+1)*j.step
}

type jobStore struct {
	byID    map[string]*job
	all     []*job // by creation
	open    []*job
	created int64
	peak    int
}

func newJobStore() jobStore { return jobStore{byID: map[string]*job{}} }

// startJob answers with a fresh job, or with TooManyJobs. process is called once for each item, in the order of its end,
// with the time at which that is.
func (a *account) startJob(q *request, kind jobKind, total int, process func(index int, at int64) outcome) answer {
	if len(a.jobs.open) >= a.settings.JobLimit {
		return a.tooManyJobs(q, kind)
	}
	a.jobs.created++
	seconds := a.settings.SecondsPerTicket
	j := &job{
		id:       "V3-" + a.secret("job", a.jobs.created),
		sequence: a.jobs.created,
		kind:     kind,
		plan:     q.plan,
		total:    total,
		starts:   q.now + a.settings.scaled(queuedTickets*seconds),
		step:     a.settings.scaled(kind.share * seconds),
		order:    rand.New(rand.NewPCG(a.settings.Seed, uint64(a.jobs.created))).Perm(total),
		process:  process,
		outcomes: make([]outcome, total),
	}
	a.jobs.byID[j.id] = j
	a.jobs.all = append(a.jobs.all, j)
	a.jobs.open = append(a.jobs.open, j)
	a.jobs.peak = max(a.jobs.peak, len(a.jobs.open))
	a.inflightHeader(q)
	return one(http.StatusOK, "job_status", func(e *encoder) { a.showJob(e, j) })
}

func (a *account) inflightHeader(q *request) {
	limit := a.settings.JobLimit
	q.header.Set("zendesk-ratelimit-inflight-jobs", "total="+itoa(int64(limit))+"; remaining="+itoa(int64(limit-len(a.jobs.open)))+"; resets=60")
}

func (a *account) tooManyJobs(q *request, kind jobKind) answer {
	a.inflightHeader(q)
	ids := make([]string, len(a.jobs.open))
	for i, j := range a.jobs.open {
		ids[i] = j.id
	}
	return jsonAnswer(a.settings.TooManyJobsStatus, mustMarshal(struct {
		Error       string   `json:"error"`
		Description string   `json:"description"`
		IDs         []string `json:"current_job_ids"`
	}{"TooManyJobs", "Too many " + kind.class + " jobs are currently queued or running. Try again later.", ids}))
}

// advance brings every open job to where it should be at now, in the order in which things are due.
func (a *account) advance(now int64) {
	for len(a.jobs.open) > 0 {
		next := slices.MinFunc(a.jobs.open, func(x, y *job) int {
			return cmp.Compare(x.due(), y.due())
		})
		if next.due() > now {
			break
		}
		a.step(next)
	}
	for _, j := range a.jobs.open {
		if !j.plan.Stuck && j.status == jobQueued && j.starts <= now {
			j.status = jobWorking
		}
	}
	a.forgetJobs(now)
}

func (a *account) step(j *job) {
	at := j.due()
	j.status = jobWorking
	if j.plan.FailAfter != nil && j.done >= min(*j.plan.FailAfter, j.total) {
		j.outcomes = nil
		a.endJob(j, jobFailed, at)
		return
	}
	index := j.order[j.done]
	j.outcomes[index] = j.process(index, at)
	j.done++
	if j.done < j.total || j.plan.FailAfter != nil {
		return
	}
	end := jobCompleted
	if !slices.ContainsFunc(j.outcomes, func(o outcome) bool { return !o.failed }) {
		end = jobFailed
	}
	a.endJob(j, end, at)
}

func (a *account) endJob(j *job, end jobStatus, at int64) {
	j.status, j.finished = end, at
	if j.outcomes != nil {
		j.results = a.renderResults(j)
	}
	j.process, j.outcomes, j.order = nil, nil, nil
	a.jobs.open = slices.DeleteFunc(a.jobs.open, func(o *job) bool { return o == j })
	if j.plan.Vanish {
		delete(a.jobs.byID, j.id)
		a.jobs.all = slices.DeleteFunc(a.jobs.all, func(o *job) bool { return o == j })
	}
}

func (a *account) renderResults(j *job) string {
	if j.kind.whole {
		return `{"success":true}`
	}
	e := newEncoder()
	defer encoders.Put(e)
	e.begin('[')
	for index, o := range j.outcomes {
		if o.result != "" {
			e.raw(o.result)
			continue
		}
		e.begin('{')
		e.number("index", int64(index))
		e.number("id", o.id)
		e.number("account_id", a.number)
		e.end('}')
	}
	e.end(']')
	return string(e.buf)
}

// forgetJobs drops jobs a day after their creation, as Zendesk does.
func (a *account) forgetJobs(now int64) {
	day := a.settings.scaled(24 * 60 * 60)
	n := 0
	for n < len(a.jobs.all) && a.jobs.all[n].starts+day < now {
		j := a.jobs.all[n]
		delete(a.jobs.byID, j.id)
		a.jobs.open = slices.DeleteFunc(a.jobs.open, func(o *job) bool { return o == j })
		n++
	}
	a.jobs.all = a.jobs.all[n:]
}
