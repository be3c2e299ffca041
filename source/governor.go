package source

import (
	"context"
	"fmt"
	"log/slog"
	"net"
	"strconv"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"

	"farewell/migration"
)

// Pace is what all workers share about a source.
type Pace interface {
	// Queries tells how many queries this worker may run at a time, when it
	// runs so many and so many callers wait.
	Queries(ctx context.Context, used, waiting, limit int) (allowed int, err error)
	// Spend counts rows that were read, and returns how long nothing more
	// should be read for the rate to hold over all workers.
	Spend(ctx context.Context, rows int, perSecond float64) (time.Duration, error)
	// Lead returns the pace in force, and whether this worker is the one that
	// looks at the source now.
	Lead(ctx context.Context) (p migration.SourcePace, lead bool, err error)
	// Govern writes down what that worker has found.
	Govern(ctx context.Context, p migration.SourcePace) error
}

const (
	// atWork is how long after the last read the source is looked at.
	atWork = 10 * time.Second
	// placesEvery is how often a worker shares out the queries.
	placesEvery = 100 * time.Millisecond
	// knownWithin is how long the first reads wait for the first looks, which
	// show how the source is without them.
	knownWithin = 3 * time.Second
	// shownAfter is when a wait for the governor is a reason: shorter ones are
	// its everyday work.
	shownAfter = 2 * time.Second
)

// Governor bounds what this worker reads by what all workers together may.
// While the ledger cannot be reached, the last known pace stays.
type Governor struct {
	source *Source
	pace   Pace
	log    *slog.Logger
	stop   context.CancelFunc
	ended  chan struct{}

	mu       sync.Mutex
	now      migration.SourcePace
	known    bool // whether now is
	used     int
	waiting  map[string]*waiter // by customer
	callers  int                // of all customers that wait
	allowed  int
	shared   time.Time // when the places were last shared out
	readFrom time.Time // nothing is read before
	lastUse  time.Time
	resting  int // streams that wait until then
	changed  chan struct{}

	outage *outage
}

type waiter struct {
	callers int
	since   time.Time
}

// Govern starts a governor; Close ends it.
func (s *Source) Govern(p Pace, log *slog.Logger) *Governor {
	ctx, stop := context.WithCancel(context.Background())
	g := &Governor{
		source: s, pace: p, log: log, stop: stop, ended: make(chan struct{}),
		waiting: make(map[string]*waiter), changed: make(chan struct{}), allowed: 1,
		outage: newOutage(),
	}
	go g.run(ctx)
	return g
}

// Close ends the looking and waits for it.
func (g *Governor) Close() {
	g.stop()
	<-g.ended
}

// Name is how the source is called in the ledger: where it is, without
// credentials.
func Name(url string) (string, error) {
	c, err := pgx.ParseConfig(url)
	if err != nil {
		return "", fmt.Errorf("name the source: its connection URL cannot be read") // the cause would quote the password
	}
	return net.JoinHostPort(c.Host, strconv.Itoa(int(c.Port))) + "/" + c.Database, nil
}

// begin waits until one more query of the customer's may run; end must be
// called with the rows that it read.
func (g *Governor) begin(ctx context.Context, customer string) (end func(rows int), err error) {
	began := time.Now()
	defer g.waits(customer, began)()
	for {
		g.mu.Lock()
		now := time.Now()
		g.lastUse = now
		bound := g.now.Governed && g.now.Rows > 0
		rested := !g.readFrom.After(now) || g.now.RowsAllowed() == 0
		if !g.known && now.Sub(began) < knownWithin {
			rested = false
		}
		if rested && (!bound || g.used < g.allowed) {
			g.used++
			g.mu.Unlock()
			return g.end, nil
		}
		wait := placesEvery
		if until := g.readFrom.Sub(now); !rested && until > 0 {
			wait = min(until, time.Second)
		}
		share := rested && now.Sub(g.shared) >= placesEvery
		changed := g.changed
		g.mu.Unlock()
		if share {
			g.share(ctx)
			continue
		}
		timer := time.NewTimer(wait)
		select {
		case <-timer.C:
		case <-changed:
			timer.Stop()
		case <-ctx.Done():
			timer.Stop()
			return nil, ctx.Err()
		}
	}
}

// end gives the place back and counts the rows.
func (g *Governor) end(rows int) {
	g.mu.Lock()
	g.used--
	g.lastUse = time.Now()
	g.wake()
	g.mu.Unlock()
	g.spend(context.Background(), rows)
}

// spend counts rows and holds later reads back.
func (g *Governor) spend(ctx context.Context, rows int) {
	g.mu.Lock()
	perSecond := g.now.RowsAllowed()
	g.mu.Unlock()
	wait, err := g.pace.Spend(ctx, rows, perSecond)
	if err != nil {
		g.log.Warn("rows that were read could not be counted for all workers", "error", err)
		return
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	g.readFrom = time.Now().Add(wait)
}

// step is how many rows a stream may move before it looks at the pace again.
func (g *Governor) step() int {
	g.mu.Lock()
	defer g.mu.Unlock()
	if rate := g.now.RowsAllowed(); rate > 0 {
		return max(1, min(streamStep, int(rate/2)))
	}
	return streamStep
}

// rest waits as long as the rows that were read so far ask for.
func (g *Governor) rest(ctx context.Context) error {
	g.mu.Lock()
	wait := time.Until(g.readFrom)
	if g.now.RowsAllowed() == 0 {
		wait = 0
	}
	if wait <= 0 {
		g.mu.Unlock()
		return nil
	}
	g.resting++
	g.mu.Unlock()
	defer func() {
		g.mu.Lock()
		defer g.mu.Unlock()
		g.resting--
	}()
	timer := time.NewTimer(wait)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (g *Governor) wake() {
	close(g.changed)
	g.changed = make(chan struct{})
}

// waits notes a caller that waits; the returned function ends that.
func (g *Governor) waits(customer string, began time.Time) func() {
	g.mu.Lock()
	defer g.mu.Unlock()
	w := g.waiting[customer]
	if w == nil {
		w = &waiter{since: began}
		g.waiting[customer] = w
	}
	w.callers++
	g.callers++
	return func() {
		g.mu.Lock()
		defer g.mu.Unlock()
		g.callers--
		if w.callers--; w.callers == 0 {
			delete(g.waiting, customer)
		}
	}
}

// Down is set while the source does not answer.
func (g *Governor) Down() migration.Reason { return g.outage.reason(time.Now()) }

// WaitingFor is why the customer's reads wait; the zero Reason when they do
// not, or not long.
func (g *Governor) WaitingFor(customer string) migration.Reason {
	g.mu.Lock()
	defer g.mu.Unlock()
	w := g.waiting[customer]
	if w == nil || time.Since(w.since) < shownAfter {
		return migration.Reason{}
	}
	return migration.Reason{Code: "source_governor", Text: paceWords(g.now), Since: w.since}
}

func paceWords(p migration.SourcePace) string {
	if p.MaxRows > 0 && p.RowsAllowed() == p.MaxRows {
		return fmt.Sprintf("the source is read with at most %.0f rows a second, as an operator said", p.MaxRows)
	}
	return fmt.Sprintf("the source is spared: at most %.0f rows a second and %d queries at a time; a small query takes %.1f ms, usually %.1f ms",
		p.RowsAllowed(), int(p.Queries), p.Canary.Seconds()*1000, p.Base.Seconds()*1000)
}

// share learns how many queries may run here.
func (g *Governor) share(ctx context.Context) {
	g.mu.Lock()
	g.shared = time.Now()
	used, callers, limit := g.used, g.callers, max(1, int(g.now.Queries))
	g.mu.Unlock()
	allowed, err := g.pace.Queries(ctx, used, callers, limit)
	if err != nil {
		if ctx.Err() == nil {
			g.log.Warn("the queries at the source could not be shared with the other workers", "error", err)
		}
		return
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	g.allowed = max(1, allowed) // else a worker might wait for another's whole migration
	g.wake()
}

// giveBack lets other workers have the places that this one held.
func (g *Governor) giveBack() {
	ctx, cancel := context.WithTimeout(context.Background(), canaryWithin)
	defer cancel()
	g.share(ctx)
}

// run follows the pace, and looks at the source when it is this worker's turn.
func (g *Governor) run(ctx context.Context) {
	defer close(g.ended)
	c := &canary{source: g.source}
	defer c.close()
	ticker := time.NewTicker(lookEvery)
	defer ticker.Stop()
	var w watch
	var decided time.Time
	lead, idle := false, true
	for {
		select {
		case <-ctx.Done():
			if !idle {
				g.giveBack()
			}
			return
		case <-ticker.C:
		}
		if !g.busy() {
			if !idle {
				g.giveBack()
				c.close()
			}
			idle, lead, w = true, false, watch{}
			continue
		}
		idle = false
		if lead {
			g.look(ctx, c, &w)
		}
		if time.Since(decided) >= decideEvery {
			decided = time.Now()
			led := lead
			if lead = g.decide(ctx, &w); led && !lead {
				g.outage.end() // who looks from now on will say so
				w = watch{}
			}
			g.share(ctx)
		}
	}
}

// look takes in how the source is now, and what the reads here wait for. A
// source that does not answer is asked less often.
func (g *Governor) look(ctx context.Context, c *canary, w *watch) {
	if !w.failing || w.ticks%countEvery == 0 {
		err := g.see(ctx, c, w)
		if err != nil && !w.failing && ctx.Err() == nil {
			g.log.Warn("the source could not be looked at", "error", err)
		}
		w.failing = err != nil
	}
	w.ticks++
	g.mu.Lock()
	defer g.mu.Unlock()
	rests := g.readFrom.After(time.Now())
	if rests && g.callers+g.resting > 0 {
		w.shortOfRows++
	}
	if !rests && g.callers > 0 && g.used >= g.allowed {
		w.shortOfQueries++
	}
}

func (g *Governor) see(ctx context.Context, c *canary, w *watch) error {
	answered := g.outage.begin()
	took, err := c.look(ctx)
	answered(err)
	if err == nil || g.isKnown() {
		w.took = append(w.took, took)[max(0, len(w.took)+1-looks):]
	}
	if err != nil || w.ticks%countEvery != 0 {
		return err
	}
	active, err := c.count(ctx)
	if err == nil {
		w.active = append(w.active, active)[max(0, len(w.active)+1-counts):]
	}
	return err
}

func (g *Governor) isKnown() bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.known
}

// busy tells whether the source is read. Lanes may have read ahead for longer
// than an operator should wait to hear of an outage, and of its end.
func (g *Governor) busy() bool {
	if g.Down().Code != "" {
		return true
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.used > 0 || g.callers > 0 || time.Since(g.lastUse) < atWork
}

// watch is what the worker that looks has seen lately.
type watch struct {
	took   []time.Duration
	active []int
	// Since the last decision: how often it looked, and how often then reads
	// waited for the bound on rows or for that on queries.
	ticks, shortOfRows, shortOfQueries int
	failing                            bool // the last look had no answer
}

// sights judges a bound to be short when reads wait for it a quarter of the
// time: a moment after each page is how any bound is kept.
func (w *watch) sights() sights {
	quarter := max(1, w.ticks/4)
	return sights{took: w.took, active: w.active, shortOfRows: w.shortOfRows >= quarter, shortOfQueries: w.shortOfQueries >= quarter}
}

// decide takes over the pace in force, and sets it when this worker looks.
func (g *Governor) decide(ctx context.Context, w *watch) (lead bool) {
	p, lead, err := g.pace.Lead(ctx)
	if err == nil && lead && len(w.took) > 0 && p.Governed {
		before := p
		p = govern(p, w.sights())
		if p.Pressed && !before.Pressed {
			g.log.Info("the source shows strain: less is read", "canary_ms", p.Canary.Seconds()*1000, "usual_ms", p.Base.Seconds()*1000,
				"active", p.Active, "rows_per_second", p.Rows, "queries", p.Queries)
		}
		err = g.pace.Govern(ctx, p)
	}
	if p.Pressed || !p.Governed {
		*w = watch{failing: w.failing} // what follows shows what the change has done
	}
	w.ticks, w.shortOfRows, w.shortOfQueries = 0, 0, 0
	if err != nil {
		if ctx.Err() == nil {
			g.log.Warn("the source's pace could not be read or written; the last known stays", "error", err)
		}
		return lead
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	g.now = p
	g.known = !p.Governed || p.Rows > 0
	g.wake()
	return lead
}
