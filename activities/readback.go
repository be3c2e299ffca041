package activities

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"farewell/destination"
	"farewell/ledger"
	"farewell/migration"
	"farewell/source"
)

const (
	// readBackLeast is how many requests a read-back may cost in any case.
	readBackLeast = 60
	// readBackShare is the other bound: 2 % of the migration's requests, of
	// which there is at least one for a hundred records, and one for each file.
	readBackShare = 100 * 50
	filesShare    = 50
	// filesMost bounds what a migration's files add to it: on the smallest plan
	// the activity must end in time.
	filesMost = 300
	// readBackMost bounds what is kept of the sample: the share of five million
	// tickets.
	readBackMost = 1000
	// hardestOfEach is how many of the largest, the oldest and so on are read.
	hardestOfEach = 3
	// readBackPage is how many tickets are read from the source at once.
	readBackPage = 25
	// leastRequests is what reading a ticket back takes: one for the ticket, one
	// for its comments.
	leastRequests = 2
	// examplesOfDifferences is how many records an operator is shown at once.
	examplesOfDifferences = 5
)

// ReadBack reads tickets that were created back from the account and compares
// them, field by field, with what the source and the rules make of them now:
// first the hardest, with half of the requests that it may cost, then a sample
// that the run's id decides. What the ledger lists as changed on the way is no
// difference, and what changed at the source since it was read is left alone.
func (a *Activities) ReadBack(ctx context.Context, in migration.ReadBackInput) (migration.ReadBackOutcome, error) {
	opened, err := a.Destinations.Open(ctx, in.Migration)
	if err != nil {
		return migration.ReadBackOutcome{}, err
	}
	dest, ok := opened.(destination.Batches)
	if !ok {
		return migration.ReadBackOutcome{}, nil // a bundle proves itself by its checksums
	}
	lane, leave := a.Reasons.join(in.Migration, dest.WaitingFor)
	defer leave()
	pulse := startPulse(ctx, func() migration.Reason { return a.Reasons.of(lane) })
	defer pulse.stopBeating()
	r := &rereader{a: a, in: in, dest: dest, pulse: pulse}
	if err := r.run(ctx); err != nil {
		return r.out, err
	}
	if err := a.Ledger.ReadBack(ctx, in.Migration, in.Run, migration.Tickets, r.listed); err != nil {
		return r.out, fmt.Errorf("list what %d tickets differ in: %w", len(r.listed), err)
	}
	return r.out, nil
}

// rereader is one read-back.
type rereader struct {
	a     *Activities
	in    migration.ReadBackInput
	dest  destination.Batches
	pulse *pulse

	states map[string]sampled // by source id, of those that are to be read
	turn   map[string]int     // by source id: whom the requests go to first
	budget int
	out    migration.ReadBackOutcome
	listed []migration.Failure
}

func (r *rereader) run(ctx context.Context) error {
	hardest, err := r.a.Source.Hardest(ctx, r.in.Migration.Customer, hardestOfEach)
	if err != nil {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		// The sample shows more than the hardest: a source too large to be
		// asked for them must not keep it from being taken.
		r.a.Log.Warn("the hardest tickets are not known: only a sample is read back", "customer", r.in.Migration.Customer, "error", err)
	}
	r.pulse.progress(0)
	sample, err := r.choose(ctx, hardest)
	if err != nil {
		return err
	}
	if err := r.read(ctx, hardest, r.budget/2); err != nil {
		return err
	}
	return r.read(ctx, sample, r.budget-int(r.out.Requests))
}

// choose draws the sample, and keeps what the ledger knows of it and of the
// hardest.
func (r *rereader) choose(ctx context.Context, hardest []string) ([]string, error) {
	hard := make(map[string]bool, len(hardest))
	for _, id := range hardest {
		hard[id] = true
	}
	r.states = make(map[string]sampled)
	seed := rank(0, r.in.Run)
	drawn := draw{most: readBackMost}
	err := r.a.Ledger.AllOutcomes(ctx, r.in.Migration, migration.Tickets, func(partition, id string, st ledger.RecordState) error {
		if st.Outcome != migration.Created {
			return nil
		}
		r.out.Created++
		s := sampled{RecordState: st, id: id, partition: partition, rank: rank(seed, id)}
		if hard[id] {
			r.states[id] = s
		} else {
			drawn.add(s)
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("draw a sample of the tickets: %w", err)
	}
	counts, err := r.a.Ledger.Counts(ctx, r.in.Migration, r.in.Run)
	if err != nil {
		return nil, fmt.Errorf("count the attachments: %w", err)
	}
	files := counts[migration.Attachments]
	r.budget = max(readBackLeast, int(r.out.Created/readBackShare+min((files.Created+files.AlreadyThere)/filesShare, filesMost)))
	ids := make([]string, 0, r.budget)
	for _, s := range drawn.lowest(r.budget) {
		r.states[s.id] = s
		ids = append(ids, s.id)
	}
	return ids, nil
}

// read reads tickets back until the requests are used up.
func (r *rereader) read(ctx context.Context, ids []string, requests int) error {
	end := r.out.Requests + int64(requests)
	r.turn = make(map[string]int, len(ids))
	for i, id := range ids {
		r.turn[id] = i
	}
	for chunk := range slices.Chunk(ids, readBackPage) {
		if r.out.Requests+leastRequests > end {
			return nil
		}
		query := source.PageQuery{Customer: r.in.Migration.Customer, Partition: migration.Partition{Entity: migration.Tickets}, IDs: chunk}
		for more := true; more; {
			page, err := r.a.Source.Page(ctx, query)
			if err != nil {
				return fmt.Errorf("read %d tickets from the source again: %w", len(chunk), err)
			}
			r.pulse.progress(0)
			if err := r.compare(ctx, page, int(end-r.out.Requests)); err != nil {
				return err
			}
			r.pulse.progress(0)
			more, query.After = page.More, page.Last
		}
	}
	return nil
}

func (r *rereader) compare(ctx context.Context, page migration.Page, requests int) error {
	files, err := r.files(ctx, page)
	if err != nil {
		return err
	}
	sent := make(map[string]destination.SentRecord, len(page.Tickets))
	page.Tickets = slices.DeleteFunc(page.Tickets, func(t migration.Ticket) bool {
		st, ours := r.states[t.ID]
		if ours && changedAfter(&t, st.ReadAt) {
			r.out.ChangedSince++
			return true
		}
		sent[t.ID] = destination.SentRecord{TargetID: st.TargetID, Partition: st.partition, Files: files[t.ID]}
		return !ours
	})
	slices.SortFunc(page.Tickets, func(a, b migration.Ticket) int { return cmp.Compare(r.turn[a.ID], r.turn[b.ID]) })
	end := r.out.Requests + int64(requests)
	for len(page.Tickets) > 0 {
		run := r.states[page.Tickets[0].ID].Run // each run has its own mapping
		of := page
		of.Tickets = nil
		page.Tickets = slices.DeleteFunc(page.Tickets, func(t migration.Ticket) bool {
			same := r.states[t.ID].Run == run
			if same {
				of.Tickets = append(of.Tickets, t)
			}
			return same
		})
		if err := r.compareRun(ctx, run, destination.ReadBackInput{Page: of, Sent: sent, Directory: r.directory, Requests: int(end - r.out.Requests), Moved: r.moved, Since: r.in.Since}); err != nil {
			return err
		}
	}
	return nil
}

// files tells what became of the attachments of the page's tickets, by ticket
// and attachment.
func (r *rereader) files(ctx context.Context, page migration.Page) (map[string]map[string]migration.FileFate, error) {
	var batches, ids []string
	for i := range page.Tickets {
		if t := &page.Tickets[i]; countFiles(t) > 0 {
			ids, batches = append(ids, t.ID), append(batches, r.states[t.ID].Batch)
		}
	}
	if len(ids) == 0 {
		return nil, nil
	}
	fates, err := r.a.Ledger.SentFiles(ctx, r.in.Migration, batches, ids)
	if err != nil {
		return nil, fmt.Errorf("read what became of the attachments of %d tickets: %w", len(ids), err)
	}
	files := make(map[string]map[string]migration.FileFate, len(ids))
	for _, f := range fates {
		if files[f.TicketID] == nil {
			files[f.TicketID] = make(map[string]migration.FileFate)
		}
		files[f.TicketID][f.ID] = f
	}
	return files, nil
}

func (r *rereader) moved() { r.pulse.progress(0) }

// compareRun reads tickets back that one run has sent.
func (r *rereader) compareRun(ctx context.Context, run string, in destination.ReadBackInput) (err error) {
	if in.Mapping, err = r.a.mappingOf(ctx, r.in.Migration, run); err != nil {
		return err
	}
	back, err := r.dest.ReadBack(ctx, in)
	r.out.Requests += int64(back.Requests)
	if err != nil {
		return fmt.Errorf("read %d tickets back: %w", len(in.Page.Tickets), err)
	}
	r.out.Compared += int64(len(back.Compared))
	r.out.Touched += int64(len(back.Touched))
	return r.list(ctx, back.Differences)
}

// changedAfter tells whether the source may have changed the ticket after it
// was read.
func changedAfter(t *migration.Ticket, readAt time.Time) bool {
	readAt = readAt.Add(-datedBefore)
	return t.UpdatedAt.After(readAt) ||
		slices.ContainsFunc(t.Comments, func(c migration.Comment) bool { return c.CreatedAt.After(readAt) }) ||
		slices.ContainsFunc(t.Files(), func(f migration.Attachment) bool { return f.CreatedAt.After(readAt) })
}

// directory finds people where the export has put them.
func (r *rereader) directory(ctx context.Context, e migration.Entity, ids []string) (map[string]migration.Target, error) {
	return r.a.Ledger.Targets(ctx, r.in.Migration, e, ids)
}

// list takes up the differences that the ledger does not list as changes.
func (r *rereader) list(ctx context.Context, found []destination.Difference) error {
	if len(found) == 0 {
		return nil
	}
	var ids []string
	for _, d := range found {
		if !slices.Contains(ids, d.SourceID) {
			ids = append(ids, d.SourceID)
		}
	}
	changes, err := r.a.Ledger.ChangesTo(ctx, r.in.Migration, migration.Tickets, ids)
	if err != nil {
		return fmt.Errorf("read the changes of %d tickets: %w", len(ids), err)
	}
	for _, id := range ids {
		fields := unlisted(id, found, changes)
		if len(fields) == 0 {
			continue
		}
		st := r.states[id]
		r.out.Differing++
		words := strings.Join(fields, ", ")
		if len(r.out.Examples) < examplesOfDifferences {
			r.out.Examples = append(r.out.Examples, id+" ("+words+")")
		}
		r.listed = append(r.listed, migration.Failure{
			Entity: migration.Tickets, SourceID: id, Outcome: migration.Differs, Code: migration.Differs, Partition: st.partition,
			Text: "ticket " + st.TargetID + " in the account differs from what was sent in " + words,
		})
	}
	return nil
}

// unlisted names the fields of a record in which what was found is not what
// the last change of that value says.
func unlisted(id string, found []destination.Difference, changes []migration.Change) []string {
	var fields []string
	for _, d := range found {
		if d.SourceID != id {
			continue
		}
		last := ""
		for _, c := range changes {
			if c.SourceID == id && c.Field == d.Field && (c.Part == d.Part || d.Part == destination.AnyPart) {
				last = c.After
			}
		}
		if last != d.Found && !slices.Contains(fields, d.Field) {
			fields = append(fields, d.Field)
		}
	}
	return fields
}
