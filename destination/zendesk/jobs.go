package zendesk

import (
	"context"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"

	"farewell/destination"
	"farewell/migration"
)

const (
	// slowestPoll is the longest pause between polls of a job that takes
	// longer than expected, and between tries while the account is down.
	slowestPoll = 5 * time.Second
	// pollShare is how many requests other than polls there are for each poll
	// while the account's budget is used up.
	pollShare = 10
	// jobStart is how long a job takes before its first record, in records:
	// one of 100 tickets was seen to take 15–16 s.
	jobStart = 5
	// missesToSearch is how often show_many may leave a job out before it is
	// looked for on its own: a fresh job may not be shown yet.
	missesToSearch = 2
	// listPages bounds a search in the job list.
	listPages = 5
)

// jobsPath begins the addresses of everything about jobs.
const jobsPath = "/api/v2/job_statuses"

// job is one that somebody waits for.
type job struct {
	id       string
	due      time.Time     // of the next poll
	every    time.Duration // to the poll after that
	misses   int
	status   string
	progress string
	moved    time.Time // when status or progress last changed
	waiters  map[chan<- jobEnd]struct{}
}

// jobEnd is how a job ended, or why nobody will know.
type jobEnd struct {
	status jobStatus
	err    error
}

// poller asks for all open jobs of an account together. Its goroutine lives
// while anybody waits.
type poller struct {
	a *Account

	mu       sync.Mutex
	jobs     map[string]*job
	expected map[string]time.Time // by job id: when a job begun here should end
	bodies   map[string][]byte    // by job id: requests for people, to resolve who is refused
	running  bool
	last     time.Time // of the last poll, or later while the account is down
	others   int64     // requests of other kinds until the last poll
	wake     chan struct{}
}

func newPoller(a *Account) *poller {
	return &poller{
		a:        a,
		jobs:     make(map[string]*job),
		expected: make(map[string]time.Time),
		bodies:   make(map[string][]byte),
		wake:     make(chan struct{}, 1),
	}
}

// expect notes when a job that was begun just now should end.
func (p *poller) expect(jobID string, end time.Time) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.expected[jobID] = end
}

// keepBody keeps a request for people until its job's results are read. What
// nobody came to read is dropped in the end; then those who are refused are
// looked up before they are sent again.
func (p *poller) keepBody(jobID string, body []byte) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(p.bodies) > 4*maxOpenJobs {
		clear(p.bodies)
	}
	p.bodies[jobID] = body
}

// body is the request of a job that was begun here, or nil.
func (p *poller) body(jobID string) []byte {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.bodies[jobID]
}

// otherBodies are the requests of the other jobs whose results nobody has read.
func (p *poller) otherBodies(jobID string) [][]byte {
	p.mu.Lock()
	defer p.mu.Unlock()
	var others [][]byte
	for id, body := range p.bodies {
		if id != jobID {
			others = append(others, body)
		}
	}
	return others
}

func (p *poller) dropBody(jobID string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.bodies, jobID)
}

// Await waits for the job's end and tells the fate of each record sent. It may
// be called for a job that another process began, and again after an error.
// Only the context limits how long it waits for an account that does not
// answer; WaitingFor tells why.
func (a *Account) Await(ctx context.Context, jobID string, e migration.Entity, sent []string) (destination.JobResult, error) {
	end, err := a.jobs.wait(ctx, jobID)
	if err != nil {
		return destination.JobResult{}, err
	}
	return a.jobResult(ctx, jobID, end, e, sent)
}

func (p *poller) wait(ctx context.Context, jobID string) (jobStatus, error) {
	answer := make(chan jobEnd, 1)
	p.join(jobID, answer)
	defer p.leave(jobID, answer)
	select {
	case end := <-answer:
		return end.status, end.err
	case <-ctx.Done():
		return jobStatus{}, ctx.Err()
	case <-p.a.live.Done():
		return jobStatus{}, p.a.live.Err()
	}
}

func (p *poller) join(jobID string, answer chan<- jobEnd) {
	p.mu.Lock()
	defer p.mu.Unlock()
	j := p.jobs[jobID]
	if j == nil {
		now := time.Now()
		j = &job{id: jobID, due: now, every: p.a.timings.PollEvery, moved: now, waiters: make(map[chan<- jobEnd]struct{})}
		if end, ok := p.expected[jobID]; ok {
			j.due = end
		}
		p.jobs[jobID] = j
	}
	j.waiters[answer] = struct{}{}
	if !p.running {
		p.running = true
		go p.run()
	}
	select {
	case p.wake <- struct{}{}:
	default: // it will look anyway
	}
}

func (p *poller) leave(jobID string, answer chan<- jobEnd) {
	p.mu.Lock()
	defer p.mu.Unlock()
	j := p.jobs[jobID]
	if j == nil {
		return
	}
	delete(j.waiters, answer)
	if len(j.waiters) == 0 {
		delete(p.jobs, jobID)
	}
}

// run polls until nobody waits any more.
func (p *poller) run() {
	pause := p.a.timings.PollEvery
	for {
		due, ok := p.next()
		if !ok {
			return
		}
		if !p.sleepUntil(due) {
			continue // woken: another job may be due earlier
		}
		if p.thrifty(time.Now()) {
			continue
		}
		if p.a.live.Err() != nil {
			p.stop()
			return
		}
		if err := p.poll(p.a.live); err != nil {
			p.refuse(err)
			pause = min(2*pause, max(slowestPoll, p.a.timings.PollEvery))
		} else {
			pause = p.a.timings.PollEvery
		}
		p.polled(time.Now().Add(pause - p.a.timings.PollEvery))
	}
}

func (p *poller) polled(at time.Time) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.last = at
	p.others = p.a.sent.Load()
}

// thrifty puts a poll off while it would take the budget from others that wait
// for it: at most one in pollShare is a poll then.
func (p *poller) thrifty(now time.Time) bool {
	if !p.a.pace.short() || !p.a.waits.forBudget() {
		return false
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.a.sent.Load()-p.others >= pollShare || now.Sub(p.last) >= slowestPoll {
		return false
	}
	for _, j := range p.jobs {
		if !j.due.After(now) {
			j.due = now.Add(p.a.timings.PollEvery / 4)
		}
	}
	return true
}

// next is when to poll; ok is false when nobody waits, and then run must end.
// Jobs that were begun together end together: the first of them waits a little
// for the others, which else would wait for the poll after this one.
func (p *poller) next() (due time.Time, ok bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(p.jobs) == 0 {
		p.running = false
		return time.Time{}, false
	}
	var first time.Time
	for _, j := range p.jobs {
		if first.IsZero() || j.due.Before(first) {
			first = j.due
		}
	}
	due = latest(first, p.last.Add(p.a.timings.PollEvery))
	together := first.Add(p.a.timings.PollEvery / 4)
	for _, j := range p.jobs {
		if !j.due.After(together) {
			due = latest(due, j.due)
		}
	}
	return due, true
}

func (p *poller) stop() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.running = false
}

// sleepUntil tells whether the time has come, and not another call.
func (p *poller) sleepUntil(due time.Time) bool {
	timer := time.NewTimer(time.Until(due))
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-p.a.live.Done():
		return true
	case <-p.wake:
		return !time.Now().Before(due)
	}
}

// poll asks for the open jobs and hands out what has ended.
func (p *poller) poll(ctx context.Context) error {
	for chunk := range slices.Chunk(p.open(), bulkLimit) {
		found, err := p.a.showJobs(ctx, chunk)
		if err != nil {
			return err
		}
		for _, jobID := range chunk {
			status, ok := found[jobID]
			if !ok && p.missed(jobID) >= missesToSearch {
				if status, ok, err = p.a.searchJob(ctx, jobID); err != nil {
					return err
				}
				if !ok {
					p.deliver(jobID, jobEnd{err: vanished(jobID)})
					continue
				}
			}
			if ok {
				p.note(status, time.Now())
			}
		}
	}
	return nil
}

func (p *poller) open() []string {
	p.mu.Lock()
	defer p.mu.Unlock()
	ids := make([]string, 0, len(p.jobs))
	for jobID := range p.jobs {
		ids = append(ids, jobID)
	}
	return ids
}

// missed counts a poll that did not show the job, and plans the next one.
func (p *poller) missed(jobID string) int {
	p.mu.Lock()
	defer p.mu.Unlock()
	j := p.jobs[jobID]
	if j == nil {
		return 0
	}
	j.misses++
	j.postpone(time.Now())
	return j.misses
}

func (j *job) postpone(now time.Time) {
	j.due = now.Add(j.every)
	j.every = min(j.every+j.every/2, max(slowestPoll, j.every))
}

// note takes in what the account says of a job.
func (p *poller) note(s jobStatus, now time.Time) {
	jobID := string(s.ID)
	if s.ended() {
		p.deliver(jobID, jobEnd{status: s})
		return
	}
	p.mu.Lock()
	j := p.jobs[jobID]
	if j == nil {
		p.mu.Unlock()
		return
	}
	if s.Status != j.status || s.Progress != j.progress {
		j.status, j.progress, j.moved = s.Status, s.Progress, now
	}
	stuck := now.Sub(j.moved) > p.a.timings.JobOverdue
	if !j.due.After(now) {
		j.postpone(now)
	}
	p.mu.Unlock()
	if stuck {
		p.deliver(jobID, jobEnd{err: &destination.Error{
			Op: "await job " + jobID, Kind: destination.InDoubt, Code: "stuck",
			Fix: "ask Zendesk's support about the job, which stays " + stableStatus(s.Status) + "; then retry",
		}})
	}
}

func stableStatus(s string) string {
	if s == "queued" || s == "working" {
		return s
	}
	return "unfinished"
}

func vanished(jobID string) error {
	return &destination.Error{Op: "await job " + jobID, Kind: destination.InDoubt, Code: "job vanished"}
}

func (p *poller) deliver(jobID string, end jobEnd) {
	p.mu.Lock()
	defer p.mu.Unlock()
	j := p.jobs[jobID]
	if j == nil {
		return
	}
	for w := range j.waiters {
		w <- end // has room for the one answer that it gets
	}
	delete(p.jobs, jobID)
	delete(p.expected, jobID)
}

// refuse ends all waits for an error that waiting does not heal.
func (p *poller) refuse(err error) {
	switch destination.KindOf(err) {
	case destination.Credentials, destination.Misconfigured:
	default:
		return // polled again: an account that does not answer is WaitingFor's business
	}
	for _, jobID := range p.open() {
		p.deliver(jobID, jobEnd{err: err})
	}
}

// showJobs asks for many jobs at once; those that it does not know are missing.
func (a *Account) showJobs(ctx context.Context, jobIDs []string) (map[string]jobStatus, error) {
	var shown jobAnswer
	query := url.Values{"ids": {strings.Join(jobIDs, ",")}}
	err := a.get(ctx, "poll jobs", jobsPath+"/show_many", query, shown.read)
	if is(err, http.StatusNotFound) {
		return nil, nil // none of them is known
	}
	if err != nil {
		return nil, err
	}
	found := make(map[string]jobStatus, len(shown.Jobs))
	for _, j := range shown.Jobs {
		found[string(j.ID)] = j
	}
	return found, nil
}

// searchJob looks for a job that show_many leaves out: at its own address,
// then in the list, which has worked when the others did not.
func (a *Account) searchJob(ctx context.Context, jobID string) (jobStatus, bool, error) {
	var shown jobAnswer
	err := a.get(ctx, "poll job "+jobID, jobsPath+"/"+url.PathEscape(jobID), nil, shown.read)
	if err == nil && string(shown.Job.ID) == jobID {
		return shown.Job, true, nil
	}
	if err != nil && !is(err, http.StatusNotFound) {
		return jobStatus{}, false, err
	}
	var found jobStatus
	err = a.listJobs(ctx, listPages, func(j jobStatus) bool {
		if string(j.ID) == jobID {
			found = j
		}
		return found.ID == ""
	})
	return found, found.ID != "", err
}

// listJobs goes through the account's jobs, the latest first, until each says
// false or after so many pages; 0: all pages.
func (a *Account) listJobs(ctx context.Context, pages int, each func(jobStatus) bool) error {
	query := url.Values{"page[size]": {"100"}}
	for n := 1; ; n++ {
		var list jobAnswer
		if err := a.get(ctx, "list jobs", jobsPath, query, list.read); err != nil {
			return err
		}
		for _, j := range list.Jobs {
			if !each(j) {
				return nil
			}
		}
		next, err := list.Meta.next("list jobs")
		if err != nil || next == "" || n == pages {
			return err
		}
		query.Set("page[after]", next)
	}
}
