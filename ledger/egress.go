package ledger

import (
	"context"
	"errors"
	"time"

	"github.com/jackc/pgx/v5"

	"farewell/migration"
)

const (
	// EgressPart of the cap is given out: what a slow network bunches together
	// stays below the cap too.
	EgressPart = 0.95
	// firstProbe is how long after a block the first probe may leave: what was
	// on its way is home then.
	firstProbe = 2 * time.Second
	// probeAgain is the pause after a probe that the edge refused; it doubles,
	// since each request may lengthen a block.
	probeAgain   = 10 * time.Second
	longestProbe = time.Minute
	// probeWithin is how long a claimed probe keeps others away.
	probeWithin = 20 * time.Second
	// longestBlock bounds the pause of an account that the edge keeps refusing.
	longestBlock = 30 * time.Minute
)

// SetEgressCap bounds the requests per second of all workers behind an egress,
// over all accounts; 0 takes the bound away. Every worker follows in a second.
func (l *Ledger) SetEgressCap(ctx context.Context, egress string, perSecond float64, by, why string) error {
	return l.tellEgress(ctx, "set the cap of egress "+egress, `
		insert into egresses (egress, per_second, by_whom, why) values ($1, nullif($2::float8, 0), $3, $4)
		on conflict (egress) do update set
			per_second = excluded.per_second, by_whom = excluded.by_whom, why = excluded.why, changed_at = clock_timestamp()`,
		egress, perSecond, clean(by), clean(why))
}

// OpenEgress lets requests leave again, those of accounts that the edge refused
// included.
func (l *Ledger) OpenEgress(ctx context.Context, egress, by, why string) error {
	return l.tellEgress(ctx, "open egress "+egress, `
		with freed as (
			update edge_blocks set until = clock_timestamp(), times = 0, changed_at = clock_timestamp()
			where egress = $1 and until > clock_timestamp()
		)
		insert into egresses (egress, by_whom, why) values ($1, $2, $3)
		on conflict (egress) do update set
			state = 'open', since = clock_timestamp(), failed = 0, by_whom = excluded.by_whom, why = excluded.why, changed_at = clock_timestamp()`,
		egress, clean(by), clean(why))
}

// CloseEgress keeps every request from leaving until OpenEgress.
func (l *Ledger) CloseEgress(ctx context.Context, egress, by, why string) error {
	return l.tellEgress(ctx, "close egress "+egress, `
		insert into egresses (egress, state, by_whom, why) values ($1, 'closed', $2, $3)
		on conflict (egress) do update set
			state = 'closed', since = clock_timestamp(), by_whom = excluded.by_whom, why = excluded.why, changed_at = clock_timestamp()`,
		egress, clean(by), clean(why))
}

func (l *Ledger) tellEgress(ctx context.Context, op, statement string, args ...any) error {
	ctx, cancel := l.bound(ctx)
	defer cancel()
	var b pgx.Batch
	b.Queue(statement, args...)
	b.Queue("select pg_notify('" + channel + "', '')")
	if err := l.pool.SendBatch(ctx, &b).Close(); err != nil {
		return failed(op, err)
	}
	return nil
}

// Egresses lists every egress that a worker or an operator has named, by name.
// Times are by the caller's clock.
func (l *Ledger) Egresses(ctx context.Context) ([]migration.Egress, error) {
	ctx, cancel := l.bound(ctx)
	defer cancel()
	var now time.Time
	var list []migration.Egress
	blocks := make(map[string][]migration.EdgeBlock)
	var b pgx.Batch
	b.Queue("select clock_timestamp()").QueryRow(func(row pgx.Row) error { return row.Scan(&now) })
	b.Queue(`
		select name, coalesce(per_second, 0), coalesce(state, 'open'), coalesce(since, clock_timestamp()), coalesce(account, ''),
			coalesce(evidence, ''), coalesce(failed, 0), greatest(coalesce(probe_at, '1970-01-01'), '1970-01-01'), coalesce(by_whom, ''), coalesce(why, '')
		from (select egress as name from egresses union select egress from workers where seen > clock_timestamp() - interval '1 day') n
		left join egresses e on e.egress = n.name
		order by name`).Query(func(rows pgx.Rows) error {
		var err error
		list, err = pgx.CollectRows(rows, func(row pgx.CollectableRow) (e migration.Egress, err error) {
			err = row.Scan(&e.Name, &e.PerSecond, &e.State, &e.Since, &e.Account, &e.Evidence, &e.Failed, &e.ProbeAt, &e.By, &e.Why)
			return e, err
		})
		return err
	})
	b.Queue(`
		select egress, account, since, until, times, evidence
		from edge_blocks where until > clock_timestamp() order by egress, account`).Query(func(rows pgx.Rows) error {
		var egress string
		var e migration.EdgeBlock
		_, err := pgx.ForEachRow(rows, []any{&egress, &e.Account, &e.Since, &e.Until, &e.Times, &e.Evidence}, func() error {
			blocks[egress] = append(blocks[egress], e)
			return nil
		})
		return err
	})
	if err := l.pool.SendBatch(ctx, &b).Close(); err != nil {
		return nil, failed("list the egresses", err)
	}
	ahead := time.Until(now)
	for i := range list {
		list[i].Since, list[i].ProbeAt = list[i].Since.Add(-ahead), list[i].ProbeAt.Add(-ahead)
		list[i].Accounts = blocks[list[i].Name]
	}
	return list, nil
}

// takeSlots gives out the moments from next_slot on, at most a second ahead.
const takeSlots = `
	with at as (select clock_timestamp() as now, set_config('synchronous_commit', 'off', true))
	update egresses e set
		granted = case when greatest(e.next_slot, a.now) > a.now + interval '1 second' then 0 else
			least($2::int, 1 + floor(extract(epoch from a.now + interval '1 second' - greatest(e.next_slot, a.now)) * e.per_second * $3)::int) end,
		next_slot = greatest(e.next_slot, a.now) + make_interval(secs => 1 / (e.per_second * $3) *
			case when greatest(e.next_slot, a.now) > a.now + interval '1 second' then 0 else
			least($2::int, 1 + floor(extract(epoch from a.now + interval '1 second' - greatest(e.next_slot, a.now)) * e.per_second * $3)::int) end)
	from at a
	where e.egress = $1 and e.per_second > 0
	returning a.now, e.granted, e.per_second, e.next_slot`

// slots gives out up to want moments at which a request may leave. The sum over
// all callers cannot exceed the cap; a moment that passes unused is lost.
func (l *Ledger) slots(ctx context.Context, egress string, want int, c *ledgerClock) (migration.Departures, error) {
	ctx, cancel := l.bound(ctx)
	defer cancel()
	var now, next time.Time
	var granted int
	var perSecond float64
	asked := time.Now()
	err := repeated(ctx, func() error {
		return l.pool.QueryRow(ctx, takeSlots, egress, want, EgressPart).Scan(&now, &granted, &perSecond, &next)
	})
	switch {
	case errors.Is(err, pgx.ErrNoRows):
		return migration.Departures{First: time.Now(), Granted: want}, nil // no cap
	case err != nil:
		return migration.Departures{}, failed("take slots of egress "+egress, err)
	}
	c.observe(asked, now, time.Now())
	every := time.Duration(float64(time.Second) / (perSecond * EgressPart))
	d := migration.Departures{Every: every, Granted: granted}
	if granted == 0 {
		d.Retry = max(next.Sub(now)-time.Second, time.Millisecond)
		return d, nil
	}
	d.First = c.ours(next.Add(-time.Duration(granted) * every))
	return d, nil
}

// block notes that the edge refused a request of the account, sent so long ago:
// the account rests, and until a probe says otherwise the whole egress does.
// What was sent before the last change of the egress, or while it is blocked,
// adds nothing: then the refusal need not be the account's.
func (l *Ledger) block(ctx context.Context, egress, account, evidence string, ago, atLeast time.Duration) error {
	return l.tellEgress(ctx, "block egress "+egress, `
		with sent as (
			select clock_timestamp() - make_interval(secs => $4) as at
		), blocked as (
			insert into egresses as e (egress, state, account, evidence, probe_at)
			values ($1, 'blocked', $2, $3, clock_timestamp() + make_interval(secs => $7))
			on conflict (egress) do update set
				state = 'blocked', since = clock_timestamp(), account = excluded.account, evidence = excluded.evidence, failed = 0,
				probe_at = excluded.probe_at, probe_ends = '-infinity', changed_at = clock_timestamp()
			where e.state = 'open' and e.since < (select at from sent)
			returning egress
		)
		insert into edge_blocks as b (egress, account, since, until, times, evidence, changed_at)
		select $1, $2, clock_timestamp(), clock_timestamp() + make_interval(secs => $5), 1, $3, clock_timestamp() from blocked
		on conflict (egress, account) do update set
			since = excluded.since, evidence = excluded.evidence, changed_at = excluded.changed_at,
			times = case when b.until < clock_timestamp() - interval '10 minutes' then 1 else b.times + 1 end,
			until = clock_timestamp() + least(make_interval(secs => $6), make_interval(secs => $5) *
				case when b.until < clock_timestamp() - interval '10 minutes' then 1 else power(2, least(b.times, 10)) end)`,
		egress, account, clean(evidence), ago.Seconds(), atLeast.Seconds(), longestBlock.Seconds(), firstProbe.Seconds())
}

// claimProbe is true for the one caller that may send the next probe now.
func (l *Ledger) claimProbe(ctx context.Context, egress string) (bool, error) {
	ctx, cancel := l.bound(ctx)
	defer cancel()
	tag, err := l.pool.Exec(ctx, `
		update egresses set probe_ends = clock_timestamp() + make_interval(secs => $2)
		where egress = $1 and state = 'blocked' and probe_at <= clock_timestamp() and probe_ends < clock_timestamp()`,
		egress, probeWithin.Seconds())
	if err != nil {
		return false, failed("claim the probe of egress "+egress, err)
	}
	return tag.RowsAffected() == 1, nil
}

// probed ends a probe. One that is well opens the egress; when the edge had
// refused probes of other accounts too, the block was not the account's, whose
// own then ends as well.
func (l *Ledger) probed(ctx context.Context, egress string, r migration.ProbeResult) error {
	op := "end the probe of egress " + egress
	switch r {
	case migration.ProbeWell:
		return l.tellEgress(ctx, op, `
			with opened as (
				update egresses set state = 'open', since = clock_timestamp(), probe_ends = '-infinity', changed_at = clock_timestamp()
				where egress = $1 and state = 'blocked'
				returning account, failed
			)
			update edge_blocks b set until = clock_timestamp(), changed_at = clock_timestamp(), times = 0
			from opened o where b.egress = $1 and b.account = o.account and o.failed > 0`, egress)
	case migration.ProbeRefused:
		return l.tellEgress(ctx, op, `
			update egresses set failed = failed + 1, probe_ends = '-infinity', changed_at = clock_timestamp(),
				probe_at = clock_timestamp() + least(make_interval(secs => $3), make_interval(secs => $2) * power(2, least(failed, 10)))
			where egress = $1 and state = 'blocked'`, egress, probeAgain.Seconds(), longestProbe.Seconds())
	default:
		return l.tellEgress(ctx, op, `
			update egresses set probe_ends = '-infinity', changed_at = clock_timestamp(), probe_at = clock_timestamp() + make_interval(secs => $2)
			where egress = $1 and state = 'blocked'`, egress, firstProbe.Seconds())
	}
}
