package activities

import (
	"context"
	"fmt"

	"farewell/destination"
	"farewell/migration"
)

// How many records a partition holds: coarse enough that 100,000 tickets take
// 20 activities and their 20,000 users one, which is what keeps a migration of
// them under 400 events and 200 actions; fine enough to park and try again.
// People's partitions come one after the other, and each ends with a wait for
// its last jobs in which nothing is sent.
const (
	ticketRows = 6000
	peopleRows = 25_000
)

// streamedTicketRows is a partition of a bundle: its files become the bundle's
// as they are, so they should be few and large. 100,000 tickets are six, two
// for each lane.
const streamedTicketRows = 17_000

// sideBySide is how many ticket partitions of a migration are worked on at a
// time, as the workflow starts them.
const sideBySide = 3

// cut divides the customer's records of an entity into partitions.
func (a *Activities) cut(ctx context.Context, customer string, e migration.Entity, streams bool) ([]migration.Partition, error) {
	switch {
	case e == migration.Tickets && streams:
		return a.Source.Cut(ctx, customer, e, streamedTicketRows)
	case e == migration.Tickets:
		thirds, err := a.Source.Cut(ctx, customer, e, ticketRows/sideBySide)
		return staggered(thirds), err
	}
	return a.Source.Cut(ctx, customer, e, peopleRows)
}

// staggered joins thirds of partitions to whole ones. A small migration is cut
// evenly into one for each lane. Of a large one the first partition is one third
// and the second is two: partitions of one size, begun together, would come to
// their ends together, and until the last job of them has ended most of the
// account's job slots would be empty. The last ones are thirds, so that no lane
// is left to work alone on a whole one.
func staggered(thirds []migration.Partition) []migration.Partition {
	var whole []migration.Partition
	small, even := len(thirds) <= sideBySide*sideBySide, (len(thirds)+sideBySide-1)/sideBySide
	for len(thirds) > 0 {
		n := min(len(whole)+1, sideBySide, max(1, len(thirds)/2))
		if small {
			n = min(even, len(thirds))
		}
		whole = append(whole, joined(thirds[:n], len(whole)+1))
		thirds = thirds[n:]
	}
	return whole
}

// joined is one partition with the range of several that follow each other.
func joined(parts []migration.Partition, ordinal int) migration.Partition {
	p := parts[0]
	p.ID, p.UpTo, p.Rows = migration.PartitionID(p.Entity, ordinal), parts[len(parts)-1].UpTo, 0
	for _, part := range parts {
		p.Rows += part.Rows
	}
	return p
}

// MakePlan cuts the customer's records into partitions and writes the plan to
// the ledger, where the first one stays. It says which partitions still have
// something to do.
func (a *Activities) MakePlan(ctx context.Context, in migration.MakePlanInput) (migration.MakePlanOutcome, error) {
	pulse := startPulse(ctx, func() migration.Reason { return migration.Reason{} })
	defer pulse.stopBeating()
	plan, err := a.plan(ctx, in.Migration)
	if err != nil {
		return migration.MakePlanOutcome{}, err
	}
	unfinished, err := a.Ledger.Unfinished(ctx, in.Migration)
	if err != nil {
		return migration.MakePlanOutcome{}, fmt.Errorf("ask the ledger what is left of %s: %w", in.Migration, err)
	}
	dest, err := a.Destinations.Open(ctx, in.Migration)
	if err != nil {
		return migration.MakePlanOutcome{}, err
	}
	_, streams := dest.(destination.Streams)
	out := migration.MakePlanOutcome{Rows: map[migration.Entity]int64{}, Streams: streams}
	for _, p := range plan.Partitions {
		out.Rows[p.Entity] += p.Rows
		onlyFailures, left := unfinished[p]
		delete(unfinished, p)
		out.Partitions = append(out.Partitions, migration.PlannedPartition{
			Partition: p,
			Work:      left && (!onlyFailures || in.Options.RetryFailed),
		})
	}
	for p, onlyFailures := range unfinished { // beside the plan: people on demand
		if p.IsOnDemand() && (!onlyFailures || in.Options.RetryFailed) {
			out.Partitions = append(out.Partitions, migration.PlannedPartition{Partition: p, Work: true})
		}
	}
	if in.Options.Limit > 0 {
		out.Rows[migration.Tickets] = min(out.Rows[migration.Tickets], in.Options.Limit)
		if !streams { // people come on demand
			for _, e := range migration.Work() {
				if e != migration.Tickets {
					delete(out.Rows, e)
				}
			}
		}
	}
	return out, nil
}

// plan returns the migration's plan, making it if there is none.
func (a *Activities) plan(ctx context.Context, m migration.Migration) (migration.Plan, error) {
	plan, ok, err := a.Ledger.Plan(ctx, m)
	if err != nil || ok {
		return plan, err
	}
	plan.AsOf, err = a.Source.Now(ctx)
	if err != nil {
		return plan, fmt.Errorf("read the source's clock: %w", err)
	}
	dest, err := a.Destinations.Open(ctx, m)
	if err != nil {
		return plan, err
	}
	_, streams := dest.(destination.Streams)
	work := migration.Work()
	if streams {
		work = migration.Entities() // a bundle shows what belongs to users in their own rows
	}
	for _, e := range work {
		cut, err := a.cut(ctx, m.Customer, e, streams)
		if err != nil {
			return plan, fmt.Errorf("cut %s into partitions: %w", e, err)
		}
		plan.Partitions = append(plan.Partitions, cut...)
	}
	return a.Ledger.SavePlan(ctx, m, plan)
}
