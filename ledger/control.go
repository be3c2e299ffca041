package ledger

import (
	"context"

	"farewell/migration"
)

// channel is where a change of the control channel is notified. The payload is
// empty: a notification only wakes the followers, who then read the tables.
const channel = "farewell_control"

// setControl gives run $4 (empty: the active one) the word $5, unless $8 is the
// number of a word and the run's last one had none lower. It answers whether
// there is such an active run.
const setControl = `
	with active as (
		select m.id, r.id as run_id
		from migrations m
		join runs r on r.id = m.current_run
		where m.id = ` + theMigration + ` and $4 in ('', r.run) and ($8 = 0 or r.said < $8)
	), said as (
		update runs r set said = $8
		from active a
		where r.id = a.run_id and $8 > 0
	), changed as (
		update migrations m set control = $5, control_by = $6, control_why = $7, control_at = clock_timestamp()
		from active a
		where m.id = a.id and (m.control, m.control_by, m.control_why) is distinct from ($5, $6, $7)
			and (m.control <> $5 or $6 <> '') -- who says nothing new about who said it does not erase that
		returning m.id
	), notified as materialized (
		select pg_notify('` + channel + `', '') from changed
	)
	select exists (select from active), (select count(*) from notified)`

// SetControl tells every worker to run, pause or cancel a run, in under a
// second; an empty run means the active one. by and why are shown to operators.
// ErrNoRun: there is no such run to tell. It may be repeated.
func (l *Ledger) SetControl(ctx context.Context, m migration.Migration, run string, c migration.Control, by, why string) error {
	ctx, cancel := l.bound(ctx)
	defer cancel()
	op := "tell " + m.String() + " to " + string(c)
	var active bool
	var notified int
	err := l.pool.QueryRow(ctx, setControl, key(m, run, c, clean(by), clean(why), 0)...).Scan(&active, &notified)
	if err == nil && !active {
		err = ErrNoRun
	}
	if err != nil {
		return failed(op, err)
	}
	return nil
}
