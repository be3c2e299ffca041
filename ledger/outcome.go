package ledger

import (
	"context"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"farewell/migration"
)

// RecordState is what the ledger knows about one record.
type RecordState struct {
	Outcome  migration.Outcome // 0: in a batch that is not settled
	TargetID string            // empty: none is known
	ReadAt   time.Time         // when the page with the record was read, by the source's clock
	Run      string            // that settled it, or that holds it
	Batch    string
}

// decided is what the records of a batch share.
type decided struct {
	batch, run string
	readAt     time.Time
	settled    int64 // the settlement's place among all; 0: not settled
}

// overrides tells which of two batches speaks for a record that was in both:
// the open one, else the one that was settled later.
func (d *decided) overrides(other *decided) bool {
	if d.settled == 0 || other.settled == 0 {
		return d.settled == 0
	}
	return d.settled > other.settled
}

// fate is what became of a record in the batch that speaks for it.
type fate struct {
	*decided
	target  string
	outcome migration.Outcome
}

func (f fate) state() RecordState {
	return RecordState{Outcome: f.outcome, TargetID: f.target, ReadAt: f.readAt, Run: f.run, Batch: f.batch}
}

// Outcomes tell how records ended, by source id, from the latest batch that
// decided about each. Records of an open batch have outcome 0. Records that no
// batch has sent so far, and no open one holds, are missing.
type Outcomes map[string]fate

// Of tells how a record ended; false: it is missing.
func (o Outcomes) Of(sourceID string) (RecordState, bool) {
	f, ok := o[sourceID]
	if !ok {
		return RecordState{}, false
	}
	return f.state(), true
}

// Outcomes tells how each record of a partition ended.
func (l *Ledger) Outcomes(ctx context.Context, m migration.Migration, partitionID string) (Outcomes, error) {
	batches, err := l.batchesOf(ctx, m, partitionID)
	if err != nil {
		return nil, failed("read the outcomes of "+partitionID+" of "+m.String(), err)
	}
	records := 0
	for _, b := range batches {
		records += b.records()
	}
	fates := make(Outcomes, records)
	for _, b := range batches {
		b.decide(fates)
	}
	return fates, nil
}

// batchLists is a batch as the tables keep it.
type batchLists struct {
	decided
	sources, targets, outcomes string
}

func (b *batchLists) records() int { return strings.Count(b.sources, separator) + 1 }

// decide notes the fate of each record for which no other batch speaks.
func (b *batchLists) decide(fates Outcomes) {
	ids, targets := b.sources, b.targets
	for i := range b.records() {
		var id string
		f := fate{decided: &b.decided}
		id, ids, _ = strings.Cut(ids, separator)
		f.target, targets, _ = strings.Cut(targets, separator)
		if i < len(b.outcomes) {
			f.outcome = migration.Outcome(b.outcomes[i])
		}
		if f.outcome == migration.NotSent {
			continue
		}
		if known, ok := fates[id]; !ok || f.overrides(known.decided) {
			fates[id] = f
		}
	}
}

func (l *Ledger) batchesOf(ctx context.Context, m migration.Migration, partitionID string) ([]*batchLists, error) {
	ctx, cancel := l.bound(ctx)
	defer cancel()
	rows, err := l.pool.Query(ctx, `
		select i.batch_id, i.source_ids, i.read_at, r.run, coalesce(s.seq, 0), coalesce(s.outcomes, ''), coalesce(s.target_ids, '')
		from partitions p
		join intents i on i.partition_id = p.id
		left join settlements s on s.migration_id = i.migration_id and s.batch_id = i.batch_id
		join runs r on r.id = coalesce(s.run_id, i.run_id)
		where p.migration_id = `+theMigration+` and p.name = $4`, key(m, partitionID)...)
	if err != nil {
		return nil, err
	}
	var batches []*batchLists
	var b batchLists
	var readAt *time.Time
	_, err = pgx.ForEachRow(rows, []any{&b.batch, &b.sources, &readAt, &b.run, &b.settled, &b.outcomes, &b.targets}, func() error {
		batch := b
		batch.readAt = orZero(readAt)
		batches = append(batches, &batch)
		readAt = nil
		return nil
	})
	return batches, err
}

// AllOutcomes calls fn once for each record of an entity, as Outcomes would
// show it, partition by partition in the order of the plan; people that were
// met on demand and in a range appear where they were decided last. It reads a
// partition while fn is given the one before it, and holds no more than these.
func (l *Ledger) AllOutcomes(ctx context.Context, m migration.Migration, e migration.Entity, fn func(partition, sourceID string, st RecordState) error) error {
	planned, onDemand, err := l.partitionsOf(ctx, m, e)
	if err != nil {
		return failed("list the partitions of "+m.String(), err)
	}
	others := make(map[string]Outcomes, len(onDemand))
	for _, p := range onDemand {
		if others[p], err = l.Outcomes(ctx, m, p); err != nil {
			return err
		}
	}
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	next := l.readAhead(ctx, m, planned)
	for _, p := range planned {
		var read partitionFates
		select {
		case read = <-next:
		case <-ctx.Done():
			return ctx.Err()
		}
		if read.err != nil {
			return read.err
		}
		for id, f := range read.fates {
			if !claim(others, id, f) {
				continue
			}
			if err := fn(p, id, f.state()); err != nil {
				return err
			}
		}
	}
	for _, p := range onDemand {
		for id, f := range others[p] {
			if err := fn(p, id, f.state()); err != nil {
				return err
			}
		}
	}
	return nil
}

type partitionFates struct {
	fates Outcomes
	err   error
}

// readAhead reads one partition after the other. It ends with the context.
func (l *Ledger) readAhead(ctx context.Context, m migration.Migration, partitions []string) <-chan partitionFates {
	next := make(chan partitionFates)
	go func() {
		for _, p := range partitions {
			fates, err := l.Outcomes(ctx, m, p)
			select {
			case next <- partitionFates{fates, err}:
			case <-ctx.Done():
				return
			}
		}
	}()
	return next
}

// claim tells whether f speaks for the record, and if so removes the others'
// word for it.
func claim(others map[string]Outcomes, id string, f fate) bool {
	for _, fates := range others {
		if other, ok := fates[id]; ok && other.overrides(f.decided) {
			return false
		}
	}
	for _, fates := range others {
		delete(fates, id)
	}
	return true
}

func (l *Ledger) partitionsOf(ctx context.Context, m migration.Migration, e migration.Entity) (planned, onDemand []string, err error) {
	ctx, cancel := l.bound(ctx)
	defer cancel()
	rows, err := l.pool.Query(ctx, `
		select name, ordinal is not null
		from partitions
		where migration_id = `+theMigration+` and entity = $4
		order by ordinal, name`, key(m, e)...)
	if err != nil {
		return nil, nil, err
	}
	var name string
	var inPlan bool
	_, err = pgx.ForEachRow(rows, []any{&name, &inPlan}, func() error {
		if inPlan {
			planned = append(planned, name)
		} else {
			onDemand = append(onDemand, name)
		}
		return nil
	})
	return planned, onDemand, err
}

// SettledTargets lists every target id that a settled batch holds for each of
// the source ids, the one in force first. A copy in the account that is in
// none of these lists was never acknowledged by the ledger.
func (l *Ledger) SettledTargets(ctx context.Context, m migration.Migration, e migration.Entity, sourceIDs []string) (map[string][]string, error) {
	ctx, cancel := l.bound(ctx)
	defer cancel()
	op := "look up the settled targets of " + m.String()
	rows, err := l.pool.Query(ctx, `
		select u.id, u.target
		from partitions p
		join intents i on i.partition_id = p.id
		join settlements s on s.migration_id = i.migration_id and s.batch_id = i.batch_id
		cross join lateral unnest(id_list(i.source_ids), id_list(s.target_ids)) with ordinality u(id, target, n)
		join unnest($5::text[]) w(id) on w.id = u.id
		where p.migration_id = `+theMigration+` and p.entity = $4 and u.target <> ''
		order by substr(s.outcomes, u.n::int, 1) in ('c', 'a') desc, s.seq desc`, key(m, e, sourceIDs)...)
	if err != nil {
		return nil, failed(op, err)
	}
	targets := make(map[string][]string)
	var source, target string
	_, err = pgx.ForEachRow(rows, []any{&source, &target}, func() error {
		for _, known := range targets[source] {
			if known == target {
				return nil
			}
		}
		targets[source] = append(targets[source], target)
		return nil
	})
	if err != nil {
		return nil, failed(op, err)
	}
	return targets, nil
}
