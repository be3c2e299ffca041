package zendesk

import (
	"context"
	"sync"
	"time"

	"farewell/destination"
	"farewell/migration"
)

// resolver finds out what became of batches in doubt. All of an account share
// one pass at a time, at most one each LookupEvery.
type resolver struct {
	a    *Account
	turn chan struct{} // holds one while a pass works

	mu   sync.Mutex
	next *pass // gathers questions; nil: none
	last time.Time

	jobs *foreignJobs // of the pass that works
}

// pass is one look for all questions that were gathered.
type pass struct {
	ctx       context.Context
	cancel    context.CancelFunc
	owns      destination.OwnsJobs
	questions []*question
	callers   int
	done      chan struct{}
}

// question is one batch in doubt, and what the pass found.
type question struct {
	doubt   destination.Doubt
	finding destination.Finding
	err     error
	open    bool // nothing decided yet, and nothing speaks against a decision
}

func newResolver(a *Account) *resolver {
	return &resolver{a: a, turn: make(chan struct{}, 1), jobs: newForeignJobs(a)}
}

// Lookup joins the next pass and returns what it found. An error says that the
// pass could not look; it may be called again. A pass with a batch that is ripe
// to be declared absent lasts as long as the export lags behind.
func (a *Account) Lookup(ctx context.Context, d destination.Doubt, owns destination.OwnsJobs) (destination.Finding, error) {
	q := &question{doubt: d}
	p := a.look.join(q, owns)
	select {
	case <-p.done:
		return q.finding, q.err
	case <-ctx.Done():
		a.look.leave(p)
		return destination.Finding{}, ctx.Err()
	case <-a.live.Done():
		return destination.Finding{}, a.live.Err()
	}
}

func (r *resolver) join(q *question, owns destination.OwnsJobs) *pass {
	r.mu.Lock()
	defer r.mu.Unlock()
	p := r.next
	if p == nil {
		p = &pass{owns: owns, done: make(chan struct{})}
		p.ctx, p.cancel = context.WithCancel(r.a.live)
		r.next = p
		go r.run(p)
	}
	p.questions = append(p.questions, q)
	p.callers++
	return p
}

// leave ends a pass that nobody waits for.
func (r *resolver) leave(p *pass) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if p.callers--; p.callers > 0 {
		return
	}
	p.cancel()
	if r.next == p {
		r.next = nil
	}
}

func (r *resolver) run(p *pass) {
	defer p.cancel()
	defer close(p.done)
	questions, err := r.begin(p)
	if err == nil {
		defer func() { <-r.turn }()
		err = r.work(p.ctx, questions, p.owns)
	}
	for _, q := range questions {
		if err != nil && !q.finding.Decided {
			q.err = err
		}
	}
}

// begin waits for the pass's turn and time and closes it to further questions.
func (r *resolver) begin(p *pass) ([]*question, error) {
	var err error
	select {
	case r.turn <- struct{}{}:
		if err = sleep(p.ctx, time.Until(r.lastPass().Add(r.a.timings.LookupEvery))); err != nil {
			<-r.turn
		}
	case <-p.ctx.Done():
		err = p.ctx.Err()
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.next == p {
		r.next = nil
	}
	if err == nil {
		r.last = time.Now()
	}
	return p.questions, err
}

func (r *resolver) lastPass() time.Time {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.last
}

// work answers the questions: by the job list what can be found there, then
// by the export, or by external id, what is ripe.
func (r *resolver) work(ctx context.Context, questions []*question, owns destination.OwnsJobs) error {
	began := time.Now()
	jobs, err := r.jobs.read(ctx, owns)
	if err != nil {
		return err
	}
	for _, q := range questions {
		q.start(jobs, began, r.a.timings.AbsentAfter)
	}
	if err := r.lookForPeople(ctx, questions); err != nil {
		return err
	}
	return r.lookForTickets(ctx, questions, began)
}

// start answers from the job list and says what keeps a batch from being
// declared absent.
func (q *question) start(jobs jobList, began time.Time, absentAfter time.Duration) {
	b := q.doubt.Batch
	if b.Entity == migration.Tickets {
		for _, sourceID := range b.SourceIDs {
			if target, ok := jobs.tickets[sourceID]; ok {
				q.found(sourceID, migration.Created, target)
			}
		}
		if len(q.finding.Items) == len(b.SourceIDs) {
			q.decided(byJobList)
			return
		}
	}
	q.finding.Pending = q.obstacle(jobs, began, b.SendBy.Add(absentAfter))
	q.open = q.finding.Pending == ""
}

func (q *question) obstacle(jobs jobList, began, ripe time.Time) string {
	for _, jobID := range q.doubt.JobIDs {
		if jobs.open[jobID] {
			return "job " + jobID + " of the batch has not ended"
		}
	}
	if jobs.foreignOpen != "" {
		return "job " + jobs.foreignOpen + ", which may be the batch's, has not ended"
	}
	if began.Before(ripe) {
		return "the request may still arrive until " + ripe.UTC().Format("15:04:05") + " UTC"
	}
	return ""
}

// The look-ups by which a batch is decided.
const (
	byJobList    = "job list"
	byExport     = "export"
	byExternalID = "external id"
	byRepeating  = "may be repeated"
)

func (q *question) decided(by string) { q.finding.Decided, q.finding.By = true, by }

func (q *question) found(sourceID string, outcome migration.Outcome, target string) {
	q.finding.Items = append(q.finding.Items, migration.Item{SourceID: sourceID, Outcome: outcome, TargetID: target})
}

// lookForPeople decides about users and organizations, whose external ids the
// account finds at once.
func (r *resolver) lookForPeople(ctx context.Context, questions []*question) error {
	for _, q := range questions {
		b := q.doubt.Batch
		if !q.open || b.Entity == migration.Tickets {
			continue
		}
		if !b.Entity.IsRecord() {
			// To ask again for a membership or a suspension does no harm, and
			// Prepare sees what is there.
			q.decided(byRepeating)
			continue
		}
		there, err := r.a.byExternalIDs(ctx, b.Entity, b.SourceIDs)
		if err != nil {
			return err
		}
		sent := r.a.clock.theirs(q.doubt.SentAfter).Add(-exportStartBefore)
		for _, sourceID := range b.SourceIDs {
			record, ok := there[sourceID]
			switch {
			case !ok:
			case record.CreatedAt.Before(sent):
				q.found(sourceID, migration.AlreadyThere, string(record.ID))
			default:
				q.found(sourceID, migration.Created, string(record.ID))
			}
		}
		q.decided(byExternalID)
	}
	return nil
}

// lookForTickets makes one pass through the export for all that are ripe. What
// was written before the job list was read is in the export a lag later.
func (r *resolver) lookForTickets(ctx context.Context, questions []*question, began time.Time) error {
	var since time.Time
	asked := make(map[string]bool)
	for _, q := range questions {
		if !q.open || q.doubt.Batch.Entity != migration.Tickets {
			continue
		}
		if since.IsZero() || q.doubt.SentAfter.Before(since) {
			since = q.doubt.SentAfter
		}
		for _, sourceID := range q.doubt.Batch.SourceIDs {
			asked[sourceID] = true
		}
	}
	if len(asked) == 0 {
		return nil
	}
	reach := began.Add(r.a.timings.ExportLag + exportSettle)
	if err := sleep(ctx, time.Until(reach)); err != nil {
		return err
	}
	live, deleted := make(map[string]string), make(map[string]string)
	since = r.a.startBefore(r.a.clock.theirs(since).Add(-exportStartBefore))
	err := r.a.exportTickets(ctx, since, r.a.clock.theirs(began).Add(exportSettle), func(t exportedTicket) error {
		sourceID := t.SourceID
		switch {
		case !asked[sourceID]:
		case t.Status == statusDeleted:
			deleted[sourceID] = t.target()
		case live[sourceID] == "":
			live[sourceID] = t.target()
		}
		return nil
	})
	if err != nil {
		return err
	}
	for _, q := range questions {
		if q.open && q.doubt.Batch.Entity == migration.Tickets {
			q.decideBy(live, deleted)
		}
	}
	return nil
}

// decideBy takes the live ticket, or one that arrived and was deleted since.
func (q *question) decideBy(live, deleted map[string]string) {
	known := make(map[string]bool, len(q.finding.Items))
	for _, item := range q.finding.Items {
		known[item.SourceID] = true
	}
	for _, sourceID := range q.doubt.Batch.SourceIDs {
		target := live[sourceID]
		if target == "" {
			target = deleted[sourceID]
		}
		if target != "" && !known[sourceID] {
			q.found(sourceID, migration.Created, target)
		}
	}
	q.decided(byExport)
}
