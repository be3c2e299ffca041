package ledger

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"

	"farewell/migration"
)

// BeatWorker writes a worker's sign of life; Seen is set by the ledger. Meant
// to be called every two seconds.
func (l *Ledger) BeatWorker(ctx context.Context, p migration.Presence) error {
	ctx, cancel := l.bound(ctx)
	defer cancel()
	_, err := l.pool.Exec(ctx, `
		with gone as (
			delete from workers where seen < clock_timestamp() - interval '1 day' and worker <> $1
		), forgotten as (
			delete from reasons where at < clock_timestamp() - interval '1 day'
		)
		insert into workers (worker, egress, queue, started, seen)
		values ($1, $2, $3, $4, clock_timestamp())
		on conflict (worker) do update set egress = excluded.egress, queue = excluded.queue, started = excluded.started, seen = excluded.seen`,
		p.Worker, p.Egress, p.Queue, p.Started)
	if err != nil {
		return failed("write the presence of worker "+p.Worker, err)
	}
	return nil
}

// Workers lists the workers of the last day, the most recently seen first.
// Seen is by the caller's clock: its age is what the ledger's clock says, so a
// worker seen less than ten seconds ago is there, whatever the clocks.
func (l *Ledger) Workers(ctx context.Context) ([]migration.Presence, error) {
	ctx, cancel := l.bound(ctx)
	defer cancel()
	rows, err := l.pool.Query(ctx, `
		select worker, egress, queue, started, extract(epoch from clock_timestamp() - seen)::double precision
		from workers
		where seen > clock_timestamp() - interval '1 day'
		order by seen desc`)
	if err != nil {
		return nil, failed("list the workers", err)
	}
	now := time.Now()
	workers, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (migration.Presence, error) {
		var p migration.Presence
		var age float64
		err := row.Scan(&p.Worker, &p.Egress, &p.Queue, &p.Started, &age)
		p.Seen = now.Add(-time.Duration(age * float64(time.Second)))
		return p, err
	})
	if err != nil {
		return nil, failed("list the workers", err)
	}
	return workers, nil
}

// ReportReasons writes down why each of a worker's migrations does not move
// right now, in place of what the worker said before: a migration that moves is
// left out. Migrations that the ledger does not know are left out too.
func (l *Ledger) ReportReasons(ctx context.Context, worker string, reasons map[migration.Migration]migration.Reason) error {
	ctx, cancel := l.bound(ctx)
	defer cancel()
	var customers, destinations, accounts, codes, texts []string
	var since, until []*time.Time
	for m, r := range reasons {
		customers, destinations, accounts = append(customers, m.Customer), append(destinations, m.Destination), append(accounts, m.Account)
		codes, texts = append(codes, clean(r.Code)), append(texts, clean(r.Text))
		since, until = append(since, orNull(r.Since)), append(until, orNull(r.Until))
	}
	_, err := l.pool.Exec(ctx, `
		with said as (
			select m.id, u.code, u.text, u.since, u.until
			from unnest($2::text[], $3::text[], $4::text[], $5::text[], $6::text[], $7::timestamptz[], $8::timestamptz[])
				u(customer, destination, account, code, text, since, until)
			join migrations m using (customer, destination, account)
		), over as (
			delete from reasons where worker = $1 and migration_id not in (select id from said)
		)
		insert into reasons (migration_id, worker, code, text, since, until, at)
		select id, $1, code, text, since, until, clock_timestamp() from said
		on conflict (migration_id, worker) do update set
			code = excluded.code, text = excluded.text, since = excluded.since, until = excluded.until, at = excluded.at`,
		worker, customers, destinations, accounts, codes, texts, since, until)
	if err != nil {
		return failed("write the reasons of worker "+worker, err)
	}
	return nil
}
