package ledger

import (
	"context"
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

// fate is a record's state with what orders it among others of the same record.
type fate struct {
	RecordState
	settled int64 // the settlement's place among all; 0: not settled
}

// overrides tells which of two batches speaks for a record that was in both:
// the open one, else the one that was settled later.
func (f fate) overrides(g fate) bool {
	if f.settled == 0 || g.settled == 0 {
		return f.settled == 0
	}
	return f.settled > g.settled
}

// Outcomes tells how each record of a partition ended, by source id, from the
// latest batch that decided about it. Records of an open batch have outcome 0.
// Records that no batch has sent so far, and no open one holds, are missing.
func (l *Ledger) Outcomes(ctx context.Context, m migration.Migration, partitionID string) (map[string]RecordState, error) {
	fates, err := l.fates(ctx, m, partitionID)
	if err != nil {
		return nil, failed("read the outcomes of "+partitionID+" of "+m.String(), err)
	}
	states := make(map[string]RecordState, len(fates))
	for id, f := range fates {
		states[id] = f.RecordState
	}
	return states, nil
}

func (l *Ledger) fates(ctx context.Context, m migration.Migration, partitionID string) (map[string]fate, error) {
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
	fates := make(map[string]fate)
	var f fate
	var idText, targetText, outcomes string
	var readAt *time.Time
	_, err = pgx.ForEachRow(rows, []any{&f.Batch, &idText, &readAt, &f.Run, &f.settled, &outcomes, &targetText}, func() error {
		targets := fromList(targetText)
		for i, id := range fromList(idText) {
			record := f
			record.ReadAt = orZero(readAt)
			if i < len(targets) {
				record.TargetID = targets[i]
			}
			if i < len(outcomes) {
				record.Outcome = migration.Outcome(outcomes[i])
			}
			if record.Outcome == migration.NotSent {
				continue
			}
			if known, ok := fates[id]; !ok || record.overrides(known) {
				fates[id] = record
			}
		}
		readAt = nil
		return nil
	})
	return fates, err
}

// AllOutcomes calls fn once for each record of an entity, as Outcomes would
// show it, partition by partition in the order of the plan; people that were
// met on demand and in a range appear where they were decided last. It holds
// one partition in memory, and no connection while fn runs.
func (l *Ledger) AllOutcomes(ctx context.Context, m migration.Migration, e migration.Entity, fn func(partition, sourceID string, st RecordState) error) error {
	planned, onDemand, err := l.partitionsOf(ctx, m, e)
	if err != nil {
		return failed("list the partitions of "+m.String(), err)
	}
	others := make(map[string]map[string]fate, len(onDemand))
	for _, p := range onDemand {
		if others[p], err = l.fates(ctx, m, p); err != nil {
			return failed("read the outcomes of "+p+" of "+m.String(), err)
		}
	}
	for _, p := range planned {
		fates, err := l.fates(ctx, m, p)
		if err != nil {
			return failed("read the outcomes of "+p+" of "+m.String(), err)
		}
		for id, f := range fates {
			if !claim(others, id, f) {
				continue
			}
			if err := fn(p, id, f.RecordState); err != nil {
				return err
			}
		}
	}
	for _, p := range onDemand {
		for id, f := range others[p] {
			if err := fn(p, id, f.RecordState); err != nil {
				return err
			}
		}
	}
	return nil
}

// claim tells whether f speaks for the record, and if so removes the others'
// word for it.
func claim(others map[string]map[string]fate, id string, f fate) bool {
	for _, fates := range others {
		if other, ok := fates[id]; ok && other.overrides(f) {
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
