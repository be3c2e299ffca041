package ledger

import (
	"context"
	"errors"
	"time"

	"github.com/jackc/pgx/v5"

	"farewell/migration"
)

// leadFor is how long a worker stays the one that looks at the source when it
// is not heard any more.
const leadFor = 3 * time.Second

const sourceColumns = `source, governed, coalesce(max_rows, 0), rows, queries, canary, base, active, usual, pressed, less,
	extract(epoch from clock_timestamp() - seen_at)::float8, by_whom, why`

func scanSource(row pgx.Row, more ...any) (p migration.SourcePace, err error) {
	var canary, base float64
	var age *float64
	err = row.Scan(append([]any{&p.Source, &p.Governed, &p.MaxRows, &p.Rows, &p.Queries, &canary, &base, &p.Active, &p.Usual, &p.Pressed,
		&p.Less, &age, &p.By, &p.Why}, more...)...)
	p.Canary, p.Base = seconds(canary), seconds(base)
	if age != nil {
		p.SeenAt = time.Now().Add(-seconds(*age)) // by our clock
	}
	return p, err
}

func seconds(s float64) time.Duration { return time.Duration(s * float64(time.Second)) }

// Sources lists every source that a worker or an operator has named.
func (l *Ledger) Sources(ctx context.Context) ([]migration.SourcePace, error) {
	ctx, cancel := l.bound(ctx)
	defer cancel()
	rows, err := l.pool.Query(ctx, "select "+sourceColumns+" from sources order by source")
	if err != nil {
		return nil, failed("list the sources", err)
	}
	list, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (migration.SourcePace, error) { return scanSource(row) })
	if err != nil {
		return nil, failed("list the sources", err)
	}
	return list, nil
}

// SetSourcePace changes what an operator decides about a source; nil leaves a
// part as it was, and a bound of 0 rows a second takes it away. Workers that
// read follow in a second.
func (l *Ledger) SetSourcePace(ctx context.Context, source string, maxRows *float64, governed *bool, by, why string) error {
	ctx, cancel := l.bound(ctx)
	defer cancel()
	_, err := l.pool.Exec(ctx, `
		insert into sources (source, max_rows, governed, by_whom, why) values ($1, nullif($2::float8, 0), coalesce($3, true), $4, $5)
		on conflict (source) do update set
			max_rows = case when $2::float8 is null then sources.max_rows else nullif($2, 0) end,
			governed = coalesce($3, sources.governed), by_whom = excluded.by_whom, why = excluded.why`,
		source, maxRows, governed, clean(by), clean(why))
	if err != nil {
		return failed("set the pace of source "+source, err)
	}
	return nil
}

// SourceSeat is a worker's place at what all workers share about a source.
type SourceSeat struct {
	ledger *Ledger
	worker string
	source string
}

// SourceSeat returns the place of a worker, whose name must be its own.
func (l *Ledger) SourceSeat(worker, source string) *SourceSeat {
	return &SourceSeat{ledger: l, worker: worker, source: source}
}

// Queries tells how many queries the worker may run at a time, when it runs so
// many and so many callers wait: over all workers at most limit. It is repeated
// every second while queries run.
func (s *SourceSeat) Queries(ctx context.Context, used, waiting, limit int) (allowed int, err error) {
	return s.ledger.share(ctx, "queries", s.source, s.worker, used, waiting, limit, queriesCount)
}

// Spend counts rows that were read, and returns how long nothing more should
// be read for the rate to hold over all workers. Without a bound it is 0.
func (s *SourceSeat) Spend(ctx context.Context, rows int, perSecond float64) (time.Duration, error) {
	if perSecond <= 0 || rows <= 0 {
		return 0, nil
	}
	ctx, cancel := s.ledger.bound(ctx)
	defer cancel()
	var wait float64
	err := s.ledger.pool.QueryRow(ctx, `
		with at as (select clock_timestamp() as now, set_config('synchronous_commit', 'off', true))
		update sources set next_rows = greatest(next_rows, a.now) + make_interval(secs => $2::int / $3::float8)
		from at a where source = $1
		returning extract(epoch from next_rows - a.now)::float8`, s.source, rows, perSecond).Scan(&wait)
	if errors.Is(err, pgx.ErrNoRows) {
		return 0, nil // nobody has looked at the source yet
	}
	if err != nil {
		return 0, failed("count rows of source "+s.source, err)
	}
	return seconds(wait), nil
}

// Lead returns the pace in force, and whether this worker is the one that looks
// at the source until its next call, at most leadFor.
func (s *SourceSeat) Lead(ctx context.Context) (p migration.SourcePace, lead bool, err error) {
	ctx, cancel := s.ledger.bound(ctx)
	defer cancel()
	var b pgx.Batch
	b.Queue(`
		insert into sources (source, leader, leads_until) values ($1, $2, clock_timestamp() + make_interval(secs => $3))
		on conflict (source) do update set leader = excluded.leader, leads_until = excluded.leads_until
		where sources.leader = excluded.leader or sources.leads_until < clock_timestamp()`, s.source, s.worker, leadFor.Seconds())
	b.Queue("select "+sourceColumns+", leader = $2 from sources where source = $1", s.source, s.worker).QueryRow(func(row pgx.Row) error {
		p, err = scanSource(row, &lead)
		return err
	})
	if err := s.ledger.pool.SendBatch(ctx, &b).Close(); err != nil {
		return p, false, failed("read the pace of source "+s.source, err)
	}
	return p, lead, nil
}

// Govern writes down what the one who looks has found. What an operator decided
// stays.
func (s *SourceSeat) Govern(ctx context.Context, p migration.SourcePace) error {
	ctx, cancel := s.ledger.bound(ctx)
	defer cancel()
	_, err := s.ledger.pool.Exec(ctx, `
		update sources set rows = $3, queries = $4, canary = $5, base = $6, active = $7, usual = $8, pressed = $9, less = $10, seen_at = clock_timestamp()
		where source = $1 and leader = $2`,
		s.source, s.worker, p.Rows, p.Queries, p.Canary.Seconds(), p.Base.Seconds(), p.Active, p.Usual, p.Pressed, p.Less)
	if err != nil {
		return failed("write the pace of source "+s.source, err)
	}
	return nil
}
