package main

import (
	"context"
	"fmt"
	"time"
)

// span is a stretch of time.
type span struct{ from, to time.Time }

// listenEvery is how often is asked what migrations wait for.
const listenEvery = time.Second

// listen notes when migrations say that they wait for the fate of a batch in
// doubt or for an operator: who then settles nothing does not hang.
func (w *world) listen(ctx context.Context, quiet <-chan struct{}) {
	for !wait(ctx, quiet, listenEvery) {
		asking, cancel := context.WithTimeout(ctx, 5*time.Second)
		rows, err := w.db.Query(asking, `
			select m.customer from farewell_ledger.migrations m join farewell_ledger.runs r on r.id = m.current_run
			where r.ended_at is null and (r.state = 'needs_attention' or exists (
				select from farewell_ledger.reasons x where x.migration_id = m.id and x.code = 'in_doubt'))`)
		if err != nil {
			cancel()
			continue // the server is down; the next look is soon
		}
		now := time.Now()
		var customer string
		for rows.Next() {
			if rows.Scan(&customer) == nil {
				w.mu.Lock()
				w.waited[customer] = append(w.waited[customer], span{now.Add(-listenEvery), now})
				w.mu.Unlock()
			}
		}
		rows.Close()
		cancel()
	}
}

// recovery is how long migrations took to settle again after a kill.
type recovery struct {
	measured int
	longest  time.Duration
}

// recovery measures from each kill to the next settled batch of each migration
// that was under way, within a run, unless another kill came between. What the migration said
// to be waiting for is not counted.
func (w *world) recovery(ctx context.Context) (recovery, error) {
	var r recovery
	rows, err := w.db.Query(ctx, `
		select m.customer, array_agg(s.settled_at order by s.settled_at)
		from farewell_ledger.settlements s join farewell_ledger.migrations m on m.id = s.migration_id
		group by m.customer, s.run_id`)
	if err != nil {
		return r, fmt.Errorf("read the settlements: %w", err)
	}
	defer rows.Close()
	for rows.Next() {
		var customer string
		var settled []time.Time
		if err := rows.Scan(&customer, &settled); err != nil {
			return r, err
		}
		w.measure(&r, customer, settled)
	}
	return r, rows.Err()
}

func (w *world) measure(r *recovery, customer string, settled []time.Time) {
	var kills []time.Time
	for _, d := range w.done {
		if d.act.kills() {
			kills = append(kills, d.at)
		}
	}
	for i, next := range settled[1:] {
		before := settled[i]
		var last time.Time
		for _, k := range kills {
			if k.After(before) && k.Before(next) {
				last = k
			}
		}
		if last.IsZero() {
			continue
		}
		gap := next.Sub(last)
		for _, s := range w.waited[customer] {
			gap -= overlap(s, span{last, next})
		}
		r.measured++
		if gap > r.longest {
			r.longest = gap
		}
		if gap > time.Minute {
			w.say("%s settled nothing for %s after the kill at %s", customer, gap.Round(time.Second), last.Format("15:04:05"))
		}
	}
}

func overlap(a, b span) time.Duration {
	if a.from.Before(b.from) {
		a.from = b.from
	}
	if a.to.After(b.to) {
		a.to = b.to
	}
	return max(0, a.to.Sub(a.from))
}

// lookups is what became of batches in doubt.
type lookups struct {
	doubts   int
	by       map[string]int // decided by a look-up, by its name
	repaired int
}

// lookups reads from the evidence which look-up decided about each batch.
func (w *world) lookups(ctx context.Context) (lookups, error) {
	l := lookups{by: map[string]int{}}
	err := w.db.QueryRow(ctx, `
		select count(distinct (migration_id, batch_id)), (select coalesce(sum(duplicates), 0) from farewell_ledger.runs)
		from farewell_ledger.evidence where kind in ('unanswered', 'found')`).Scan(&l.doubts, &l.repaired)
	if err != nil {
		return l, fmt.Errorf("count the doubts: %w", err)
	}
	rows, err := w.db.Query(ctx, `
		select coalesce(note, ''), count(distinct (migration_id, batch_id)) from farewell_ledger.evidence where kind = 'found' group by 1`)
	if err != nil {
		return l, fmt.Errorf("count the look-ups: %w", err)
	}
	defer rows.Close()
	for rows.Next() {
		var by string
		var n int
		if err := rows.Scan(&by, &n); err != nil {
			return l, err
		}
		l.by[by] = n
	}
	return l, rows.Err()
}
