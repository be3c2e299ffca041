package activities

import (
	"context"
	"errors"
	"fmt"
	"time"

	"farewell/destination"
	"farewell/migration"
	"farewell/source"
)

// run feeds the lane until there is nothing left to send or a word to halt,
// and returns when everything on its way has ended.
func (l *lane) run() error {
	for {
		feedErr := l.feed()
		if feedErr != nil {
			l.stopFeed() // look-ups are the next attempt's; what is open is brought to its end
		}
		flightErr := l.wait()
		if flightErr != nil && errors.Is(feedErr, context.Canceled) {
			feedErr = nil // it stopped because of the other
		}
		if err := errors.Join(feedErr, flightErr); err != nil {
			return err
		}
		l.mu.Lock()
		idle := len(l.again) == 0 || l.outcome != nil
		if idle && l.outcome == nil && l.undecided != nil {
			l.outcome = &migration.ExportOutcome{Parked: l.undecided}
		}
		l.mu.Unlock()
		if idle {
			return nil
		}
	}
}

// feed sends what is queued, then what the range still holds.
func (l *lane) feed() error {
	err := l.feedQueue()
	if err == nil && l.halted() == nil && !l.in.Partition.IsOnDemand() && !l.isPlaceholder() {
		if l.ended {
			err = l.feedMissing()
		} else {
			err = l.feedRange()
		}
	}
	if err != nil && l.halted() != nil && errors.Is(err, context.Canceled) {
		return nil // our own word ended the wait
	}
	return l.haltOn(err)
}

// stopOn ends the feeding after an error of a batch on its way: the next
// attempt goes on where the ledger ends, and begins with that batch.
func (l *lane) stopOn(err error) error {
	if err != nil {
		l.stopFeed()
	}
	return err
}

// haltOn turns errors that are not the partition's fault into an outcome.
func (l *lane) haltOn(err error) error {
	var d *destination.Error
	if err == nil || !errors.As(err, &d) {
		return err
	}
	if p, ok := parking(l.in.Partition.ID, err); ok {
		l.halt(migration.ExportOutcome{Parked: &p})
		return nil
	}
	if d.Kind == destination.Waiting || d.Kind == destination.Temporary || d.Kind == destination.Blocked {
		l.rest(d)
		return nil
	}
	return err
}

// rest ends the lane for a wait that is too long to hold it for.
func (l *lane) rest(d *destination.Error) {
	after := d.RetryAfter
	if after == 0 {
		after = l.in.Timings.PollEvery
	}
	reason := l.dest.WaitingFor()
	if reason.Code == "" {
		reason = migration.Reason{Code: d.Code, Text: d.Op + " must wait", Since: time.Now()}
	}
	reason.Until = time.Now().Add(after)
	l.halt(migration.ExportOutcome{Waiting: &reason})
}

func (l *lane) feedQueue() error {
	for l.halted() == nil {
		t, ok := l.nextAgain()
		if !ok {
			return nil
		}
		if err := l.sendByID(t); err != nil {
			return err
		}
	}
	return nil
}

// sendByID reads records by their ids and sends them. Those that the source
// does not have any more are skipped, with that reason, if they were read once.
func (l *lane) sendByID(t task) error {
	left := t.ids
	for after := ""; ; {
		page, err := l.read(source.PageQuery{IDs: t.ids, After: after, Limit: len(t.ids)})
		if err != nil {
			return err
		}
		left = without(left, page.IDs())
		if err := l.sendPage(page, t.level, false); err != nil || l.halted() != nil {
			return err
		}
		if !page.More {
			return l.miss(left, t.level, page.ReadAt)
		}
		after = page.Last
	}
}

// miss deals with records that were asked for by id and are not at the source.
func (l *lane) miss(ids []string, level int, readAt time.Time) error {
	var gone []string
	for _, id := range ids {
		if l.knows(id) {
			gone = append(gone, id)
		}
	}
	if len(gone) == 0 {
		return nil
	}
	return l.decide(deletedItems(gone), level, readAt, nil, nil)
}

func (l *lane) knows(id string) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.known[id]
}

func deletedItems(ids []string) []migration.Item {
	items := make([]migration.Item, len(ids))
	for i, id := range ids {
		items[i] = migration.Item{SourceID: id, Outcome: migration.Skipped, Code: "deleted_at_source", Text: "the source does not have it any more"}
	}
	return items
}

// without returns the ids of all that are not among some.
func without(all, some []string) []string {
	has := make(map[string]bool, len(some))
	for _, id := range some {
		has[id] = true
	}
	var rest []string
	for _, id := range all {
		if !has[id] {
			rest = append(rest, id)
		}
	}
	return rest
}

// feedRange reads the range page by page, from where the last attempt was.
func (l *lane) feedRange() error {
	if err := l.knowElsewhere(); err != nil {
		return err
	}
	if l.in.Limit > 0 {
		return l.feedSome()
	}
	return l.feedAhead()
}

// feedSome feeds no more of the range than the limit.
func (l *lane) feedSome() error {
	size := l.dest.BatchSize(l.kind())
	for l.halted() == nil {
		limit := min(size, int(l.in.Limit)-len(l.known)+l.stayed) // who stays behind takes nobody's place
		if limit <= 0 {
			return nil
		}
		page, err := l.read(source.PageQuery{After: l.cursor, Limit: limit})
		if err != nil {
			return err
		}
		if page.Len() > 0 {
			l.cursor = page.Last
			if err := l.sendPage(l.fresh(page), 0, true); err != nil {
				return err
			}
		}
		if !page.More {
			return nil
		}
	}
	return nil
}

// feedMissing compares the range's ids with the ledger and sends those that
// have no outcome: records that came after the cursor had passed.
func (l *lane) feedMissing() error {
	if err := l.knowElsewhere(); err != nil {
		return err
	}
	listed, err := l.a.Source.IDs(l.feedCtx, l.in.Migration.Customer, l.in.Partition)
	if err != nil {
		return fmt.Errorf("list the ids of %s: %w", l.in.Partition.ID, err)
	}
	l.pulse.progress(0)
	var missing []string
	for _, r := range listed {
		if !l.known[r.ID] {
			missing = append(missing, r.ID)
		}
	}
	l.requeue(missing, 0)
	return l.feedQueue()
}

// knowElsewhere makes known who was brought on demand, so that nobody is
// counted in two partitions.
func (l *lane) knowElsewhere() error {
	if l.in.Partition.Entity == migration.Tickets {
		return nil
	}
	demanded, err := l.a.Ledger.Outcomes(l.feedCtx, l.in.Migration, migration.OnDemand(l.in.Partition.Entity).ID)
	if err != nil {
		return fmt.Errorf("read who was brought on demand: %w", err)
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	for id := range demanded {
		l.known[id] = true
	}
	return nil
}

// read reads a page of the partition.
func (l *lane) read(q source.PageQuery) (migration.Page, error) {
	if l.isPlaceholder() {
		return migration.Page{Users: []migration.User{{ID: unknownPerson, Name: "Unknown person"}}, ReadAt: time.Now()}, nil
	}
	q.Customer, q.Partition = l.in.Migration.Customer, l.in.Partition
	page, err := l.a.Source.Page(l.feedCtx, q)
	if err != nil {
		return page, fmt.Errorf("read %s after %q: %w", l.in.Partition.ID, q.After, err)
	}
	l.pulse.progress(0)
	return page, nil
}

// fresh leaves out the records that are decided or on their way.
func (l *lane) fresh(page migration.Page) migration.Page {
	l.mu.Lock()
	defer l.mu.Unlock()
	return page.Without(l.known)
}

// sendPage sends the records of a page in batches of the level's size.
func (l *lane) sendPage(page migration.Page, level int, inOrder bool) error {
	size := l.groupSize(level)
	for from := 0; from < page.Len() && l.halted() == nil; from += size {
		chunk := page.Slice(from, min(from+size, page.Len()))
		if err := l.send(chunk, level, inOrder); err != nil {
			return err
		}
	}
	return nil
}

// send makes a batch ready and puts it on its way; several, when the tickets
// have many attachments.
func (l *lane) send(page migration.Page, level int, inOrder bool) error {
	for _, part := range byFiles(page) {
		if l.halted() != nil {
			return nil
		}
		parcel, err := l.prepare(part, level)
		if err != nil {
			return err
		}
		if err := l.dispatch(part, parcel, level, inOrder); err != nil {
			return err
		}
	}
	return nil
}

// prepare decides about those whom the mapping leaves behind, uploads the
// attachments of the others and makes the request for them.
func (l *lane) prepare(page migration.Page, level int) (destination.Parcel, error) {
	page, left := l.leaveBehind(page)
	if page.Len() == 0 {
		return destination.Parcel{Decided: left}, nil
	}
	parcel, err := l.request(page, level)
	parcel.Decided = append(left, parcel.Decided...)
	return parcel, err
}

func (l *lane) request(page migration.Page, level int) (destination.Parcel, error) {
	if l.in.Partition.Entity == migration.Users {
		l.people.keepHomes(page.Users)
	}
	directory, err := l.directory(page)
	if err != nil {
		return destination.Parcel{}, err
	}
	return l.dest.Prepare(l.feedCtx, destination.PrepareInput{
		Entity:    l.kind(),
		Partition: l.in.Partition.ID,
		Run:       l.in.Run,
		Rows:      l.in.Partition.Rows,
		Page:      page,
		Level:     level,
		Mapping:   l.mapping,
		Directory: directory,
		OpenFile:  l.openFile,
	})
}

// dispatch writes the intent and puts the batch on its way.
func (l *lane) dispatch(page migration.Page, parcel destination.Parcel, level int, inOrder bool) error {
	if len(parcel.Decided) > 0 {
		if err := l.decide(parcel.Decided, level, page.ReadAt, parcel.Changes, filesOf(page, itemIDs(parcel.Decided))); err != nil {
			return err
		}
	}
	if len(parcel.Sent) == 0 {
		return nil
	}
	if err := l.slowUp.wait(l.feedCtx); err != nil {
		return err
	}
	leave, err := l.takeSeat()
	if err != nil {
		return err
	}
	release, err := l.dest.Reserve(l.feedCtx)
	if err != nil {
		leave()
		return err
	}
	if l.isStale(parcel) {
		release()
		leave()
		return l.sendAnew(page, parcel, level, inOrder)
	}
	b := l.batch(parcel.Sent, level, inOrder, page.ReadAt)
	b.Changes, b.Files = changesOf(parcel.Sent, parcel.Changes), parcel.Files
	sendBy := time.Now().Add(l.in.Timings.SendWithin) // by this machine's clock, and no later than the ledger's
	// The word to halt does not end this: it would leave a batch in doubt that
	// may be written down and was never sent.
	b.SendBy, err = l.a.Ledger.Intend(l.restCtx, l.hold, b, l.in.Timings.SendWithin)
	if err != nil {
		release()
		leave()
		return fmt.Errorf("write the intent of batch %s: %w", b.ID, err)
	}
	b.Changes, parcel.Changes = nil, nil // the job may take a while
	l.flight.Go(func() error {
		defer leave()
		return l.stopOn(l.deliver(b, sendBy, parcel, release))
	})
	return nil
}

// takeSeat waits until one batch more may be on its way. It comes before the
// intent: what waits after it is sent even when the lane has halted meanwhile,
// and may miss its deadline.
func (l *lane) takeSeat() (leave func(), err error) {
	select {
	case l.seats <- struct{}{}:
		return func() { <-l.seats }, nil
	case <-l.feedCtx.Done():
		return nil, l.feedCtx.Err()
	}
}

// changesOf are those of the records with the ids.
func changesOf(ids []string, changes []migration.Change) []migration.Change {
	if len(changes) == 0 {
		return nil
	}
	has := make(map[string]bool, len(ids))
	for _, id := range ids {
		has[id] = true
	}
	var of []migration.Change
	for _, c := range changes {
		if has[c.SourceID] {
			of = append(of, c)
		}
	}
	return of
}

func itemIDs(items []migration.Item) []string {
	ids := make([]string, len(items))
	for i := range items {
		ids[i] = items[i].SourceID
	}
	return ids
}

// decide settles records whose fate is known without sending anything.
func (l *lane) decide(items []migration.Item, level int, readAt time.Time, changes []migration.Change, files []migration.FileFate) error {
	ids := itemIDs(items)
	b := l.batch(ids, level, false, readAt)
	b.Changes, b.Files = changesOf(ids, changes), files
	if _, err := l.a.Ledger.Intend(l.restCtx, l.hold, b, l.in.Timings.SendWithin); err != nil {
		return fmt.Errorf("write down the decided batch %s: %w", b.ID, err)
	}
	return l.settle(b, verdictDecided, items)
}
