package ledger

import (
	"context"
	"encoding/json"

	"github.com/jackc/pgx/v5"

	"farewell/migration"
)

// BeginRun makes the run the active one of its migration and sets its control
// word to run. Repeating it changes nothing: an operator may have paused the
// run meanwhile.
func (l *Ledger) BeginRun(ctx context.Context, m migration.Migration, run string, o migration.Options) error {
	ctx, cancel := l.bound(ctx)
	defer cancel()
	op := "begin run " + run + " of " + m.String()
	options, err := json.Marshal(o)
	if err != nil {
		return failed(op, err)
	}
	var b pgx.Batch
	b.Queue(ensureMigration, key(m)...)
	b.Queue(ensureRun, key(m, run)...)
	b.Queue(`
		update runs set by_whom = $5, why = $6, ticket_limit = $7, options = $8, begun_at = coalesce(begun_at, clock_timestamp())
		where migration_id = `+theMigration+` and run = $4`, key(m, run, clean(o.By), clean(o.Reason), o.Limit, options)...)
	b.Queue(activate, key(m, run)...)
	if err := l.pool.SendBatch(ctx, &b).Close(); err != nil {
		return failed(op, err)
	}
	return nil
}

// activate makes run $4 the active one unless it is, or a later one is.
const activate = `
	with changed as (
		update migrations m set current_run = r.id, control = 'run', control_by = '', control_why = '', control_at = clock_timestamp()
		from runs r
		where m.id = ` + theMigration + ` and r.migration_id = m.id and r.run = $4 and (m.current_run is null or m.current_run < r.id)
		returning m.id
	)
	select pg_notify('` + channel + `', '') from changed`

// RecordState writes down what a run is doing, and its word to all workers,
// who are notified when the word changed. It may be repeated: a state or a word
// that has no higher number than the last one comes late, and changes nothing.
func (l *Ledger) RecordState(ctx context.Context, in migration.RecordStateInput) error {
	ctx, cancel := l.bound(ctx)
	defer cancel()
	op := "record the state of run " + in.Run + " of " + in.Migration.String()
	in.Reason.Text = clean(in.Reason.Text)
	var reason []byte
	comparison, err := json.Marshal(in.Comparison)
	if err != nil {
		return failed(op, err)
	}
	parked, err := json.Marshal(in.Parked)
	if err != nil {
		return failed(op, err)
	}
	if in.Reason.Code != "" {
		if reason, err = json.Marshal(in.Reason); err != nil {
			return failed(op, err)
		}
	}
	var b pgx.Batch
	b.Queue(ensureMigration, key(in.Migration)...)
	b.Queue(ensureRun, key(in.Migration, in.Run)...)
	b.Queue(`
		update runs set state = $5, reason = $6, comparison = $7, duplicates = $8, parked = $9, told = $11,
			begun_at = coalesce(begun_at, clock_timestamp()),
			ended_at = case when $10 then coalesce(ended_at, clock_timestamp()) end
		where migration_id = `+theMigration+` and run = $4 and ($11 = 0 or told < $11)`,
		key(in.Migration, in.Run, in.State, reason, comparison, in.Duplicates, parked, in.Ended, in.Number)...)
	b.Queue(activate, key(in.Migration, in.Run)...)
	if in.Control != "" {
		b.Queue(setControl, key(in.Migration, in.Run, in.Control, clean(in.By), clean(in.Why), in.Number)...)
	}
	if err := l.pool.SendBatch(ctx, &b).Close(); err != nil {
		return failed(op, err)
	}
	return nil
}

// Known tells whether the ledger knows what is in the account: it holds a
// settled batch of the migration, or a partition that was gone through to its
// end, as a reconciliation that found nothing does.
func (l *Ledger) Known(ctx context.Context, m migration.Migration) (bool, error) {
	ctx, cancel := l.bound(ctx)
	defer cancel()
	var known bool
	err := l.pool.QueryRow(ctx, `
		select exists (select from settlements where migration_id = `+theMigration+`)
			or exists (select from partitions where migration_id = `+theMigration+` and ended)`, key(m)...).Scan(&known)
	if err != nil {
		return false, failed("look for "+m.String(), err)
	}
	return known, nil
}
