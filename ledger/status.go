package ledger

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"farewell/migration"
)

// RunFilter selects what Runs returns; the zero value selects everything.
type RunFilter struct {
	Migration *migration.Migration // nil: all
	Active    bool                 // only runs that have not ended
}

// Runs returns the newest run of each migration with its counts, by customer,
// destination and account. It takes two round trips, whatever their number.
//
// The reason is the one that the workflow wrote down with the state, which
// holds until the next state (ReasonAt is the time of the answer), else the
// last one that a worker gave.
func (l *Ledger) Runs(ctx context.Context, filter RunFilter) ([]migration.RunRecord, error) {
	ctx, cancel := l.bound(ctx)
	defer cancel()
	list, err := l.newestRuns(ctx, filter)
	if err != nil {
		return nil, failed("list the runs", err)
	}
	if err := l.addProgress(ctx, list); err != nil {
		return nil, failed("count the runs", err)
	}
	runs := make([]migration.RunRecord, len(list))
	for i := range list {
		runs[i] = list[i].RunRecord
	}
	return runs, nil
}

// run is a run with its keys in the ledger.
type run struct {
	migration.RunRecord
	id, migrationID int32
}

func (l *Ledger) newestRuns(ctx context.Context, filter RunFilter) ([]run, error) {
	var m migration.Migration
	if filter.Migration != nil {
		m = *filter.Migration
	}
	rows, err := l.pool.Query(ctx, `
		select r.id, m.id, m.customer, m.destination, m.account, r.run, r.begun_at, r.ended_at, r.state, r.by_whom, r.why, r.ticket_limit,
			r.comparison, r.duplicates, m.control, m.control_by, m.control_why, r.reason, clock_timestamp(), r.parked, m.planned, r.mapping
		from migrations m
		join runs r on r.id = m.current_run
		where (not $4 or m.id = `+theMigration+`) and (not $5 or r.ended_at is null)
		order by m.customer, m.destination, m.account`, key(m, filter.Migration != nil, filter.Active)...)
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, scanRun)
}

func scanRun(row pgx.CollectableRow) (run, error) {
	var r run
	var begunAt, endedAt *time.Time
	var comparison, reason, parked, planned []byte
	var rows map[migration.Entity]int64
	err := row.Scan(&r.id, &r.migrationID, &r.Migration.Customer, &r.Migration.Destination, &r.Migration.Account, &r.Run, &begunAt, &endedAt,
		&r.State, &r.By, &r.Why, &r.Limit, &comparison, &r.Duplicates, &r.Control, &r.ControlBy, &r.ControlWhy, &reason, &r.ReasonAt, &parked, &planned, &r.Mapping)
	if err != nil {
		return r, err
	}
	r.StartedAt, r.EndedAt = orZero(begunAt), orZero(endedAt)
	for _, field := range []struct {
		text []byte
		into any
	}{{comparison, &r.Comparison}, {reason, &r.Reason}, {parked, &r.Parked}, {planned, &rows}} {
		if field.text == nil {
			continue
		}
		if err := json.Unmarshal(field.text, field.into); err != nil {
			return r, fmt.Errorf("run %s of %s: %w", r.Run, r.Migration, err)
		}
	}
	if r.Reason.Code == "" {
		r.ReasonAt = time.Time{}
	}
	r.Counts, r.Planned = migration.EntityCounts{}, migration.EntityCounts{}
	for e, n := range rows {
		if e == migration.Tickets && r.Limit > 0 {
			n = min(n, r.Limit)
		}
		r.Planned[e] = migration.Counts{Read: n}
	}
	return r, nil
}

// addProgress fills in what is summed up over partitions, in one round trip.
func (l *Ledger) addProgress(ctx context.Context, runs []run) error {
	byID := make(map[int32]*run, len(runs))
	migrations, ids := make([]int32, len(runs)), make([]int32, len(runs))
	for i := range runs {
		migrations[i], ids[i] = runs[i].migrationID, runs[i].id
		byID[runs[i].migrationID] = &runs[i]
	}
	var b pgx.Batch
	b.Queue(`
		with wanted as (
			select migration_id, run_id, null::int as partition_id
			from unnest($1::int[], $2::int[]) u(migration_id, run_id)
		)`+countSQL, migrations, ids).Query(func(rows pgx.Rows) error {
		return eachCount(rows, func(id int32, e migration.Entity, c migration.Counts, lastSettle time.Time) {
			r := byID[id]
			r.Counts[e] = c
			if lastSettle.After(r.LastSettle) {
				r.LastSettle = lastSettle
			}
		})
	})
	b.Queue(`
		select distinct on (migration_id) migration_id, code, text, since, until, at
		from reasons
		where migration_id = any($1)
		order by migration_id, at desc`, migrations).Query(func(rows pgx.Rows) error {
		var id int32
		var given migration.Reason
		var since, until *time.Time
		var at time.Time
		_, err := pgx.ForEachRow(rows, []any{&id, &given.Code, &given.Text, &since, &until, &at}, func() error {
			if r := byID[id]; r.Reason.Code == "" {
				given.Since, given.Until = orZero(since), orZero(until)
				r.Reason, r.ReasonAt = given, at
			}
			return nil
		})
		return err
	})
	return l.pool.SendBatch(ctx, &b).Close()
}
