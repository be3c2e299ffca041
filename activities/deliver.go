package activities

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"farewell/destination"
	"farewell/ledger"
	"farewell/migration"
)

// Verdicts of settlements: what the decision rests on.
const (
	verdictResults = "results" // the destination's answer for each record
	verdictFound   = "found"   // a look-up after doubt
	verdictRefused = "refused" // proven without effect; the same records go out again
	verdictSplit   = "split"   // proven without effect; they go out in smaller batches
	verdictDecided = "decided" // nothing needed sending
)

// deliver sends one batch, once and before sendBy or not at all, and brings it
// to its end.
func (l *lane) deliver(b migration.Batch, sendBy time.Time, p destination.Parcel, release func()) error {
	defer release()
	sent := l.addressed(b)
	sent.SendBy = sendBy
	receipt, err := l.dest.Submit(l.feedCtx, sent, p) // the word to halt keeps back what has not left
	p.Body = nil                                      // up to megabytes, and the job may take a while
	if err != nil {
		return l.undelivered(b, err)
	}
	l.slowUp.reset()
	if receipt.JobID == "" {
		return l.settleWith(b, migration.Evidence{Kind: migration.EvidenceResults, Items: receipt.Items}, verdictResults, receipt.Items)
	}
	if err := l.a.Ledger.Record(l.restCtx, l.in.Migration, b.ID, migration.Evidence{Kind: migration.EvidenceAccepted, JobID: receipt.JobID}); err != nil {
		return fmt.Errorf("record job %s of batch %s: %w", receipt.JobID, b.ID, err)
	}
	l.pulse.progress(0)
	return l.await(b, receipt.JobID, release)
}

// await settles a batch when its job has ended. Before that it calls ended: the
// next job need not wait for the ledger.
func (l *lane) await(b migration.Batch, jobID string, ended func()) error {
	result, err := l.dest.Await(l.restCtx, jobID, l.kind(), b.SourceIDs)
	if err == nil {
		ended()
	}
	if l.restCtx.Err() != nil {
		return l.leaveOpen(b)
	}
	switch {
	case destination.KindOf(err) == destination.InDoubt:
		return l.doubt(b, l.note(err), false, jobID)
	case err != nil:
		return fmt.Errorf("wait for job %s of batch %s: %w", jobID, b.ID, err)
	case result.Whole:
		return l.doubt(b, result.Note, true, jobID)
	}
	return l.settleWith(b, migration.Evidence{Kind: migration.EvidenceResults, JobID: jobID, Items: result.Items, Note: result.Note}, verdictResults, result.Items)
}

// leaveOpen leaves a batch to the next attempt, whose ledger knows the job. At a
// run's end there is none, and the batch counts as in doubt until the next run.
func (l *lane) leaveOpen(b migration.Batch) error {
	if !l.settleOnly {
		return nil
	}
	err := l.a.Ledger.Record(context.WithoutCancel(l.restCtx), l.in.Migration, b.ID, migration.Evidence{
		Kind: migration.EvidenceUnanswered, Note: "the job was still open when the run ended",
	})
	if err != nil {
		return fmt.Errorf("record that the job of batch %s is still open: %w", b.ID, err)
	}
	return nil
}

// undelivered decides what a failed Submit means for the batch.
func (l *lane) undelivered(b migration.Batch, err error) error {
	var d *destination.Error
	if !errors.As(err, &d) || !d.NoEffect() {
		if d != nil && d.Kind == destination.Blocked {
			l.slowUp.grow(l.in.Timings.RateWindow)
		}
		return l.doubt(b, l.note(err), false)
	}
	evidence := migration.Evidence{Kind: migration.EvidenceRefused, Note: l.note(err)}
	switch d.Kind {
	case destination.Refused, destination.TooLarge:
		if b.Level >= migration.SingleLevel && len(b.SourceIDs) == 1 {
			return l.settleWith(b, evidence, verdictResults, refusedItems(b.SourceIDs, d))
		}
		if err := l.settleWith(b, evidence, verdictSplit, notSent(b.SourceIDs)); err != nil {
			return err
		}
		l.requeue(b.SourceIDs, min(b.Level+1, migration.SingleLevel))
		return nil
	default:
		if err := l.settleWith(b, evidence, verdictRefused, notSent(b.SourceIDs)); err != nil {
			return err
		}
		l.requeue(b.SourceIDs, b.Level)
		return l.retreat(d)
	}
}

// retreat slows the lane down after a refusal that may pass, or halts it after
// one that will not.
func (l *lane) retreat(d *destination.Error) error {
	if p, ok := parking(l.in.Partition.ID, d); ok {
		l.halt(migration.ExportOutcome{Parked: &p})
		return nil
	}
	if d.RetryAfter > l.in.Timings.LaneWait {
		l.rest(d)
		return nil
	}
	if l.slowUp.grow(d.RetryAfter) > l.in.Timings.LaneWait {
		l.rest(d)
	}
	return nil
}

func refusedItems(ids []string, d *destination.Error) []migration.Item {
	items := notSent(ids)
	for i := range items {
		items[i].Outcome, items[i].Code, items[i].Text = migration.Failed, d.Code, d.Error()
	}
	return items
}

func notSent(ids []string) []migration.Item {
	items := make([]migration.Item, len(ids))
	for i, id := range ids {
		items[i] = migration.Item{SourceID: id, Outcome: migration.NotSent}
	}
	return items
}

// note is what the ledger keeps of an error: its kind and code, no more.
func (l *lane) note(err error) string {
	var d *destination.Error
	if errors.As(err, &d) {
		return string(d.Kind) + " " + d.Code
	}
	return "no answer"
}

// settle decides a batch for which no new evidence came.
func (l *lane) settle(b migration.Batch, verdict string, items []migration.Item) error {
	s, err := l.settlement(b, verdict, items)
	if err != nil {
		return err
	}
	return l.settled(b, s, l.a.Ledger.Settle(l.restCtx, l.hold, b.ID, s))
}

// settleWith writes evidence and decision in one step.
func (l *lane) settleWith(b migration.Batch, e migration.Evidence, verdict string, items []migration.Item) error {
	s, err := l.settlement(b, verdict, items)
	if err != nil {
		return err
	}
	if err := l.settled(b, s, l.a.Ledger.RecordAndSettle(l.restCtx, l.hold, b.ID, e, s)); err != nil {
		return err
	}
	if verdict == verdictResults {
		l.sendAgain(b, s.Items)
	}
	return nil
}

// sendAgain queues the records on which the destination's answer says that
// nothing was done, after a while: the same may be said again.
func (l *lane) sendAgain(b migration.Batch, items []migration.Item) {
	var ids []string
	for _, item := range items {
		if item.Outcome == migration.NotSent {
			ids = append(ids, item.SourceID)
		}
	}
	if len(ids) > 0 {
		l.slowUp.grow(0)
		l.requeue(ids, b.Level)
	}
}

// settlement puts the items into the batch's order, in which they mostly are; a
// record without an outcome is an error, never a guess.
func (l *lane) settlement(b migration.Batch, verdict string, items []migration.Item) (migration.Settlement, error) {
	if !slices.EqualFunc(b.SourceIDs, items, func(id string, i migration.Item) bool { return i.SourceID == id }) {
		byID := itemsByID(items)
		items = make([]migration.Item, len(b.SourceIDs))
		for i, id := range b.SourceIDs {
			item, ok := byID[id]
			if !ok {
				return migration.Settlement{}, fmt.Errorf("settle batch %s: the destination gave no outcome for %s %s", b.ID, b.Entity, id)
			}
			items[i] = item
		}
	}
	files, err := l.fileItems(b, items)
	return migration.Settlement{Items: items, Verdict: verdict, Files: files}, err
}

func itemsByID(items []migration.Item) map[string]migration.Item {
	byID := make(map[string]migration.Item, len(items))
	for _, item := range items {
		byID[item.SourceID] = item
	}
	return byID
}

// settled notes a decision that was written: for the heart, for the tolerance.
func (l *lane) settled(b migration.Batch, s migration.Settlement, err error) error {
	if errors.Is(err, ledger.ErrFenced) {
		// Somebody else has taken the partition over and decides. The
		// evidence is kept; there is nothing left to do here.
		l.halt(migration.ExportOutcome{Stopped: migration.ControlCancel})
		return err
	}
	if err != nil {
		return fmt.Errorf("settle batch %s: %w", b.ID, err)
	}
	l.pulse.progress(len(s.Items))
	l.remember(s.Items)
	l.weigh(s.Items)
	l.weighFiles(s.Files)
	return nil
}

// remember lets the run's lanes know how people were settled.
func (l *lane) remember(items []migration.Item) {
	switch e := l.in.Partition.Entity; e {
	case migration.Organizations, migration.Users, migration.Memberships: // whom tickets name
		l.people.settle(e, items)
	}
}

// weigh halts the lane when more records fail for one reason than an operator
// would want to find out afterwards.
func (l *lane) weigh(items []migration.Item) {
	l.mu.Lock()
	// People on demand are in no plan, and a range grows after it was planned.
	rows := max(l.in.Partition.Rows, int64(len(l.known)))
	reason, tooMany := l.failures.add(items, l.in.Tolerance, rows)
	l.mu.Unlock()
	if !tooMany || l.in.Tolerated {
		return
	}
	l.halt(migration.ExportOutcome{Parked: &migration.Parked{
		Partition: l.in.Partition.ID,
		Code:      "too_many_failures",
		Text:      reason,
		Fix:       "see `starter failures`; mend the cause and retry, or skip the partition",
		Since:     time.Now(),
	}})
}

// doubt notes that nobody knows what became of a batch, then finds out.
func (l *lane) doubt(b migration.Batch, note string, whole bool, jobs ...string) error {
	if whole {
		note = noteWhole + note
	}
	if err := l.a.Ledger.Record(l.restCtx, l.in.Migration, b.ID, migration.Evidence{Kind: migration.EvidenceUnanswered, Note: note}); err != nil {
		return fmt.Errorf("record the doubt about batch %s: %w", b.ID, err)
	}
	return l.resolve(b, jobs, whole)
}

// noteWhole marks the evidence of a job that failed as a whole, so that a later
// attempt splits the batch too.
const noteWhole = "whole: "

// resolve looks a batch in doubt up until its fate is known. It is never sent
// again blind, and never dropped: a lane that halts leaves it to the next.
func (l *lane) resolve(b migration.Batch, jobs []string, whole bool) error {
	if l.settleOnly {
		return nil
	}
	// Said before the first look, which alone may take longer than a lane may be
	// quiet without a reason.
	l.a.Reasons.set(l.reason, "in_doubt", "a batch is in doubt: its fate is being looked up", time.Time{})
	defer l.a.Reasons.set(l.reason, "", "", time.Time{})
	for l.halted() == nil {
		finding, err := l.dest.Lookup(l.feedCtx, destination.Doubt{Batch: l.addressed(b), SentAfter: b.SendBy.Add(-l.in.Timings.SendWithin), JobIDs: jobs}, l.a.Ledger.OwnsJobs)
		switch {
		case err != nil && l.feedCtx.Err() != nil:
			return nil
		case destination.KindOf(err) == destination.Credentials:
			return l.haltOn(err)
		case err != nil:
			l.a.Reasons.set(l.reason, "in_doubt", "a batch is in doubt and the look-up fails: "+l.note(err), time.Time{})
			if pause(l.feedCtx, l.in.Timings.LookupEvery) != nil {
				return nil
			}
		case finding.Decided:
			return l.found(b, finding, whole)
		default:
			l.pulse.progress(0)
			l.a.Reasons.set(l.reason, "in_doubt", "a batch is in doubt: "+finding.Pending, time.Time{})
			if time.Since(b.SendBy) > l.in.Timings.AbsentAfter+l.in.Timings.JobOverdue {
				l.giveUp(finding.Pending)
				return nil
			}
		}
	}
	return nil
}

// giveUp leaves a batch in doubt to an operator: what keeps it there, such as a
// job that stays queued, has not moved for so long that waiting is no answer.
// The lane goes on with the others first.
func (l *lane) giveUp(pending string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.undecided = &migration.Parked{
		Partition: l.in.Partition.ID,
		Code:      "in_doubt",
		Text:      "a batch is in doubt: " + pending,
		Fix:       "ask Zendesk's support about it, then retry to look again; skip leaves the batch in doubt",
		Since:     time.Now(),
	}
}

// found settles a batch by what the account holds; the rest never arrived and
// goes out again.
func (l *lane) found(b migration.Batch, finding destination.Finding, whole bool) error {
	items := finding.Items
	absent := without(b.SourceIDs, itemIDs(items))
	verdict, level := verdictFound, b.Level
	if whole {
		verdict, level = verdictSplit, min(b.Level+1, migration.SingleLevel)
	}
	if whole && b.Level >= migration.SingleLevel {
		items = append(items, failedWhole(absent)...)
		absent = nil
	}
	all := append(append([]migration.Item{}, items...), notSent(absent)...)
	if err := l.settleWith(b, migration.Evidence{Kind: migration.EvidenceFound, Items: items, Note: finding.By}, verdict, all); err != nil {
		return err
	}
	l.requeue(absent, level)
	return nil
}

func failedWhole(ids []string) []migration.Item {
	items := notSent(ids)
	for i := range items {
		items[i].Outcome, items[i].Code, items[i].Text = migration.Failed, "job_failed", "the import of this single record failed without a reason"
	}
	return items
}

// resume goes on with a batch that an earlier attempt left open.
func (l *lane) resume(s migration.BatchState) error {
	b := s.Batch
	var jobs []string
	unanswered, whole := false, false
	for _, e := range s.Evidence {
		switch e.Kind {
		case migration.EvidenceResults:
			return l.settle(b, verdictResults, e.Items)
		case migration.EvidenceFound:
			// Written together with its decision, so a lone one is from an
			// attempt that was fenced: look again.
			unanswered = true
		case migration.EvidenceRefused:
			if err := l.settle(b, verdictRefused, notSent(b.SourceIDs)); err != nil {
				return err
			}
			l.requeue(b.SourceIDs, b.Level)
			return nil
		case migration.EvidenceAccepted:
			jobs = append(jobs, e.JobID)
		case migration.EvidenceUnanswered:
			unanswered = true
			whole = whole || len(e.Note) >= len(noteWhole) && e.Note[:len(noteWhole)] == noteWhole
		}
	}
	if len(jobs) > 0 && !unanswered {
		return l.await(b, jobs[len(jobs)-1], func() {})
	}
	return l.resolve(b, jobs, whole)
}

// pause waits, or returns the context's error.
func pause(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-timer.C:
		return nil
	}
}
