package zendesk

import (
	"context"
	"log/slog"
	"slices"
	"sync"
	"time"

	"farewell/destination"
	"farewell/migration"
)

const (
	// slotChunk is how many moments a process asks for at a time.
	slotChunk = 8
	// slotLate is how late a moment may be used: later ones would bunch with
	// those that follow.
	slotLate = 100 * time.Millisecond
	// longLine is how many requests may wait for a moment before no further
	// batch is made ready: each has a time by which it must be on its way.
	longLine = 16
	// gateRecheck is how often a wait looks at the egress again.
	gateRecheck = 100 * time.Millisecond
)

// Exit is the way out of this process for the requests of all accounts: one
// value for each egress, which all its accounts get in their Options.
type Exit struct {
	egress Egress
	log    *slog.Logger

	mu       sync.Mutex
	accounts map[*Account]struct{}
	line     []*departure // who waits for a moment, in order
	asking   bool
	held     int // callers that a blocked egress holds
	probing  bool
}

// departure is a caller in the line.
type departure struct {
	at  chan time.Time // has room for the one answer
	err chan error
}

// NewExit makes the way out through the egress. log may be nil.
func NewExit(e Egress, log *slog.Logger) *Exit {
	if log == nil {
		log = slog.New(slog.DiscardHandler)
	}
	return &Exit{egress: e, log: log, accounts: make(map[*Account]struct{})}
}

func (x *Exit) join(a *Account) {
	x.mu.Lock()
	defer x.mu.Unlock()
	x.accounts[a] = struct{}{}
}

func (x *Exit) leave(a *Account) {
	x.mu.Lock()
	defer x.mu.Unlock()
	delete(x.accounts, a)
}

// obstacle is why no request of the account may leave now, and until when at
// least.
func (x *Exit) obstacle(account string, now time.Time) (code string, until time.Time) {
	e, blocked := x.egress.Gate(account)
	switch {
	case e.State == migration.EgressClosed:
		return reasonEgressClosed, now.Add(recheck)
	case blocked.After(now):
		return reasonEdge, blocked
	case e.State == migration.EgressBlocked:
		return reasonEgressBlocked, latest(e.ProbeAt, now.Add(gateRecheck))
	}
	return "", time.Time{}
}

// depart returns when a request of the account may leave: now, or not at all.
func (x *Exit) depart(ctx context.Context, a *Account) error {
	caller, began := a.waits.caller(), time.Now()
	defer caller.over()
	for {
		now := time.Now()
		if code, until := x.obstacle(a.name, now); code != "" {
			if until.Sub(began) > a.timings.LaneWait {
				return waitingError("leave through the egress", code, max(until.Sub(now), minWaiting))
			}
			caller.becauseOf(code, until)
			if err := x.hold(ctx, code, until); err != nil {
				return err
			}
			continue
		}
		if e, _ := x.egress.Gate(a.name); e.PerSecond == 0 {
			return nil
		}
		caller.becauseOf(reasonEgress, time.Time{})
		at, err := x.slot(ctx)
		if err != nil {
			return err
		}
		if err := sleep(ctx, time.Until(at)); err != nil {
			return err
		}
		if code, _ := x.obstacle(a.name, time.Now()); code == "" && time.Since(at) < slotLate {
			return nil
		}
	}
}

// shortLine waits until few enough requests wait for a moment.
func (x *Exit) shortLine(ctx context.Context, a *Account) error {
	caller, began := a.waits.caller(), time.Now()
	defer caller.over()
	for {
		x.mu.Lock()
		short := len(x.line) < longLine
		x.mu.Unlock()
		if short {
			return nil
		}
		if time.Since(began) > a.timings.LaneWait {
			return waitingError("leave through the egress", reasonEgress, minWaiting)
		}
		caller.becauseOf(reasonEgress, time.Time{})
		if err := sleep(ctx, gateRecheck); err != nil {
			return err
		}
	}
}

// hold waits a little for an egress or an account that is blocked, and sees to
// it that a blocked egress is probed.
func (x *Exit) hold(ctx context.Context, code string, until time.Time) error {
	if code == reasonEgressBlocked {
		x.mu.Lock()
		x.held++
		if !x.probing {
			x.probing = true
			go x.probe()
		}
		x.mu.Unlock()
		defer func() {
			x.mu.Lock()
			defer x.mu.Unlock()
			x.held--
		}()
	}
	return sleep(ctx, min(max(time.Until(until), time.Millisecond), gateRecheck))
}

// slot waits in the line for a moment.
func (x *Exit) slot(ctx context.Context) (time.Time, error) {
	d := &departure{at: make(chan time.Time, 1), err: make(chan error, 1)}
	x.mu.Lock()
	x.line = append(x.line, d)
	if !x.asking {
		x.asking = true
		go x.ask()
	}
	x.mu.Unlock()
	select {
	case at := <-d.at:
		return at, nil
	case err := <-d.err:
		return time.Time{}, &destination.Error{Op: "take a slot of the egress", Kind: destination.Temporary, Code: "egress", Err: err}
	case <-ctx.Done():
		x.mu.Lock()
		defer x.mu.Unlock()
		x.line = slices.DeleteFunc(x.line, func(o *departure) bool { return o == d })
		return time.Time{}, ctx.Err()
	}
}

// ask gets moments for the line until it is empty. Without the ledger there are
// none.
func (x *Exit) ask() {
	for {
		x.mu.Lock()
		want := min(len(x.line), slotChunk)
		if want == 0 {
			x.asking = false
			x.mu.Unlock()
			return
		}
		x.mu.Unlock()
		slots, err := x.egress.Slots(context.Background(), want)
		x.hand(slots, err)
		if err == nil && slots.Granted == 0 {
			_ = sleep(context.Background(), slots.Retry) // it ends by itself
		}
	}
}

// hand gives moments to the first in the line, or an error to all.
func (x *Exit) hand(slots migration.Departures, err error) {
	x.mu.Lock()
	defer x.mu.Unlock()
	if err != nil {
		for _, d := range x.line {
			d.err <- err
		}
		x.line = nil
		return
	}
	n := min(slots.Granted, len(x.line))
	for i, d := range x.line[:n] {
		d.at <- slots.First.Add(time.Duration(i) * slots.Every)
	}
	x.line = slices.Clone(x.line[n:])
}
