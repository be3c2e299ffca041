package activities

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"time"

	"farewell/ledger"
	"farewell/migration"
)

// CompareSource lists the ids of every partition at the source again and
// compares them, as sets, with the ledger. It names the partitions that have
// ids without an outcome, and lists what was deleted or changed meanwhile.
func (a *Activities) CompareSource(ctx context.Context, in migration.CompareInput) (migration.CompareOutcome, error) {
	pulse := startPulse(ctx, func() migration.Reason { return migration.Reason{} })
	defer pulse.stopBeating()
	plan, err := a.plan(ctx, in.Migration)
	if err != nil {
		return migration.CompareOutcome{}, err
	}
	c := comparer{a: a, in: in, asOf: plan.AsOf, found: map[migration.Entity][]migration.Failure{}}
	entities := in.Entities
	if len(entities) == 0 {
		entities = migration.Work()
	}
	plan.Partitions = slices.DeleteFunc(plan.Partitions, func(p migration.Partition) bool {
		return in.Limited || !slices.Contains(entities, p.Entity) // a trial knows that it left records out
	})
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	next := c.readAhead(ctx, plan.Partitions)
	for _, p := range plan.Partitions {
		select {
		case read := <-next:
			if read.err != nil {
				return migration.CompareOutcome{}, read.err
			}
			c.partition(p, read)
			pulse.progress(0)
		case <-ctx.Done():
			return migration.CompareOutcome{}, ctx.Err()
		}
	}
	for _, e := range entities {
		if err := a.Ledger.Compared(ctx, in.Migration, in.Run, e, c.found[e]); err != nil {
			return migration.CompareOutcome{}, fmt.Errorf("list what the comparison found: %w", err)
		}
	}
	c.out.Counts, err = a.Ledger.Counts(ctx, in.Migration, in.Run)
	return c.out, err
}

// comparer compares one partition after the other.
type comparer struct {
	a     *Activities
	in    migration.CompareInput
	asOf  time.Time
	out   migration.CompareOutcome
	found map[migration.Entity][]migration.Failure
}

// bothSides is what source and ledger know of a partition.
type bothSides struct {
	listed   []migration.Listed
	known    ledger.Outcomes
	demanded ledger.Outcomes // of people: who was brought on demand
	err      error
}

// readAhead reads each partition while the one before it is compared. It ends
// with the context.
func (c *comparer) readAhead(ctx context.Context, partitions []migration.Partition) <-chan bothSides {
	next := make(chan bothSides)
	go func() {
		for _, p := range partitions {
			read := c.read(ctx, p)
			select {
			case next <- read:
			case <-ctx.Done():
				return
			}
		}
	}()
	return next
}

func (c *comparer) read(ctx context.Context, p migration.Partition) (both bothSides) {
	var unknown error
	var reading sync.WaitGroup
	reading.Go(func() { both.known, unknown = c.a.Ledger.Outcomes(ctx, c.in.Migration, p.ID) })
	both.listed, both.err = c.a.Source.IDs(ctx, c.in.Migration.Customer, p)
	reading.Wait()
	switch {
	case both.err != nil:
		both.err = fmt.Errorf("list the ids of %s: %w", p.ID, both.err)
	case unknown != nil:
		both.err = fmt.Errorf("read the outcomes of %s: %w", p.ID, unknown)
	case p.Entity != migration.Tickets:
		both.demanded, both.err = c.a.Ledger.Outcomes(ctx, c.in.Migration, migration.OnDemand(p.Entity).ID)
		if both.err != nil {
			both.err = fmt.Errorf("read who was brought on demand: %w", both.err)
		}
	}
	return both
}

func (c *comparer) partition(p migration.Partition, read bothSides) {
	listed, known := read.listed, read.known
	if p.Entity == migration.Tickets {
		c.out.Comparison.Tickets += int64(len(listed))
	}
	late := false
	for _, r := range listed {
		state, ok := known.Of(r.ID)
		if !ok {
			state, ok = read.demanded.Of(r.ID)
		}
		delete(known, r.ID)
		if !ok {
			late = true
			c.missing(p, r)
			continue
		}
		if !p.Entity.IsRecord() {
			continue // the user's own partition tells what became of them
		}
		if mayHaveChanged(r, state.ReadAt) {
			c.out.Comparison.ChangedSince++
			c.list(p, r.ID, "changed_since", "updated at the source after it was read, or at that moment")
		}
		if state.ReadAt.After(c.asOf) && r.CreatedAt.After(c.asOf) {
			c.out.Comparison.ArrivedLate++
		}
	}
	for id := range known {
		if !p.Entity.IsRecord() {
			break
		}
		if state, _ := known.Of(id); state.Outcome != migration.Skipped {
			c.out.Comparison.DeletedAtSource++
			c.list(p, id, "deleted_at_source", "gone from the source since it was read")
		}
	}
	if late {
		c.out.Partitions = append(c.out.Partitions, p)
	}
}

// datedBefore is how much earlier a change may be dated than it can be seen:
// its date is that of the beginning of a transaction, by the clock of whoever
// wrote it, and often in whole seconds.
const datedBefore = 5 * time.Second

// mayHaveChanged tells whether a record may be another one than that which was
// read. One that was made that shortly before is the same, unless its date
// says more.
func mayHaveChanged(r migration.Listed, readAt time.Time) bool {
	if r.UpdatedAt.Sub(r.CreatedAt) < datedBefore {
		return r.UpdatedAt.After(readAt)
	}
	return r.UpdatedAt.After(readAt.Add(-datedBefore))
}

// missing judges an id without an outcome: before the last pass it is simply
// brought; after it, it is listed, and one that was there when the plan was
// made needs attention.
func (c *comparer) missing(p migration.Partition, r migration.Listed) {
	if !c.in.Final {
		return
	}
	if r.CreatedAt.After(c.asOf) {
		c.out.Comparison.ArrivedLate++
		c.list(p, r.ID, "arrived_late", "came after the last catch-up; start again to bring it")
		return
	}
	c.out.Comparison.Missing++
	c.list(p, r.ID, "missing", "was at the source when the plan was made, and has no outcome")
}

func (c *comparer) list(p migration.Partition, id, outcome, text string) {
	c.found[p.Entity] = append(c.found[p.Entity], migration.Failure{
		Entity: p.Entity, SourceID: id, Outcome: outcome, Code: outcome, Text: text, Partition: p.ID,
	})
}
