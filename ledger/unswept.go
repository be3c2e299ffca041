package ledger

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"

	"farewell/migration"
)

// Unswept are the runs of a migration whose records no sweep has seen yet: the
// active one, and those before it that ended without completing.
type Unswept struct {
	Since time.Time       // when the first of them began
	Runs  map[string]bool // nil: all runs that there ever were
}

// Has tells whether a run is among them.
func (u Unswept) Has(run string) bool { return u.Runs == nil || u.Runs[run] }

// Unswept finds them: a run that completed was swept, and so was whatever came
// before it.
func (l *Ledger) Unswept(ctx context.Context, m migration.Migration) (Unswept, error) {
	ctx, cancel := l.bound(ctx)
	defer cancel()
	rows, err := l.pool.Query(ctx, `
		select run, begun_at
		from runs r
		where migration_id = `+theMigration+` and begun_at is not null and id > coalesce((
			select max(id) from runs
			where migration_id = r.migration_id and state in ('completed', 'completed_with_failures') and ended_at is not null), 0)
		order by id`, key(m)...)
	if err != nil {
		return Unswept{}, failed("list the runs of "+m.String()+" to be swept", err)
	}
	found := Unswept{Runs: map[string]bool{}}
	var run string
	var began time.Time
	_, err = pgx.ForEachRow(rows, []any{&run, &began}, func() error {
		found.Runs[run] = true
		if found.Since.IsZero() || began.Before(found.Since) {
			found.Since = began
		}
		return nil
	})
	if err == nil && len(found.Runs) == 0 {
		err = ErrNoRun
	}
	if err != nil {
		return Unswept{}, failed("list the runs of "+m.String()+" to be swept", err)
	}
	return found, nil
}

// FirstBegan is when the first run of the migration began.
func (l *Ledger) FirstBegan(ctx context.Context, m migration.Migration) (time.Time, error) {
	ctx, cancel := l.bound(ctx)
	defer cancel()
	var began *time.Time
	err := l.pool.QueryRow(ctx, "select min(begun_at) from runs where migration_id = "+theMigration, key(m)...).Scan(&began)
	if err == nil && began == nil {
		err = ErrNoRun
	}
	if err != nil {
		return time.Time{}, failed("read when "+m.String()+" began", err)
	}
	return *began, nil
}
