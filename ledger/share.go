package ledger

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
)

// How long a share counts after its worker was last heard.
const (
	jobsCount    = 20 * time.Second // longer than a job takes: the jobs of a worker that was killed go on
	queriesCount = 5 * time.Second  // a query whose session is gone ends
)

// shareSpare is how much a worker gets beyond what it asks for while nobody
// else waits, so that not each job costs a call.
const shareSpare = 8

const takeShare = `
	with gone as (
		delete from shares where what = $1 and name = $2 and seen < clock_timestamp() - interval '1 hour'
	), others as (
		select coalesce(sum(held), 0)::int as held, count(*)::int as n, coalesce(bool_or(waits), false) as wait
		from shares
		where what = $1 and name = $2 and worker <> $3 and (held > 0 or waits)
		  and seen > clock_timestamp() - make_interval(secs => $7)
	), mine as (
		select least(
			$4::int + $5::int + case when o.wait or $4 + $5 = 0 then 0 else $8::int end,
			case when o.wait then ceil($6::float8 / (o.n + 1))::int else $6 end,
			greatest($6 - o.held, 0)) as allowed
		from others o
	)
	insert into shares (what, name, worker, held, waits, seen)
	select $1, $2, $3, greatest($4, allowed), allowed < $4 + $5, clock_timestamp() from mine
	on conflict (what, name, worker) do update set held = excluded.held, waits = excluded.waits, seen = excluded.seen
	returning (select allowed from mine)`

// share divides limit places among workers. A worker tells how many it uses
// and how many callers wait for one, and learns how many it may use: never so
// many that all workers together exceed the limit, and no more than an even
// part while others wait. When that is fewer than it uses, it begins nothing
// new until enough have ended. The word stands for the given time; who uses a
// place repeats the call every second or so.
func (l *Ledger) share(ctx context.Context, what, name, worker string, used, waiting, limit int, stands time.Duration) (allowed int, err error) {
	ctx, cancel := l.bound(ctx)
	defer cancel()
	err = repeated(ctx, func() error {
		// Two statements: the second must see what the one who held the lock
		// before has written. A batch is one transaction.
		var b pgx.Batch
		b.Queue("select set_config('synchronous_commit', 'off', true), pg_advisory_xact_lock(hashtextextended($1, 0))", what+"\x1f"+name)
		b.Queue(takeShare, what, name, worker, used, waiting, limit, stands.Seconds(), shareSpare).
			QueryRow(func(row pgx.Row) error { return row.Scan(&allowed) })
		return l.pool.SendBatch(ctx, &b).Close()
	})
	if err != nil {
		return 0, failed(fmt.Sprintf("share the %s of %s", what, name), err)
	}
	return max(allowed, 0), nil
}
