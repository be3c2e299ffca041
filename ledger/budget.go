package ledger

import (
	"context"
	"time"
)

// Take asks for up to want of the limit requests that an account grants in the
// rate window that begins at window, and returns how many it may use. Over all
// workers, never more than limit are given out in a window. What is taken and
// not used is lost.
func (l *Ledger) Take(ctx context.Context, account string, window time.Time, want, limit int) (granted int, err error) {
	if want <= 0 || limit <= 0 {
		return 0, nil
	}
	ctx, cancel := l.bound(ctx)
	defer cancel()
	err = repeated(ctx, func() error {
		return l.pool.QueryRow(ctx, `
			with past as (
				delete from account_budgets where account = $1 and window_start < $2::timestamptz - interval '10 minutes'
			)
			insert into account_budgets as b (account, window_start, used, last_grant)
			values ($1, $2, least($3::int, $4::int), least($3::int, $4::int))
			on conflict (account, window_start) do update set
				used = b.used + least($3, greatest($4 - b.used, 0)), last_grant = least($3, greatest($4 - b.used, 0))
			returning last_grant`, account, window, want, limit).Scan(&granted)
	})
	if err != nil {
		return 0, failed("take requests of account "+account, err)
	}
	return granted, nil
}

// Pause tells every worker not to send to the account until then. A pause that
// lasts longer stays. Controls.PausedUntil answers from what was said here.
func (l *Ledger) Pause(ctx context.Context, account string, until time.Time, why string) error {
	ctx, cancel := l.bound(ctx)
	defer cancel()
	_, err := l.pool.Exec(ctx, `
		with changed as (
			insert into account_pauses as p (account, until, why, changed_at)
			values ($1, $2, $3, clock_timestamp())
			on conflict (account) do update set until = excluded.until, why = excluded.why, changed_at = excluded.changed_at
			where p.until < excluded.until
			returning account
		)
		select pg_notify('`+channel+`', '') from changed`, account, until, clean(why))
	if err != nil {
		return failed("pause account "+account, err)
	}
	return nil
}
