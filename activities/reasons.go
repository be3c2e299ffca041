package activities

import (
	"sync"
	"time"

	"farewell/migration"
)

// Reasons collects, for the migrations that this worker works on, the one
// reason why each does not move. The worker reports them to the ledger.
type Reasons struct {
	// Source is why a customer's reads wait; nil: they never do.
	Source func(customer string) migration.Reason
	// SourceDown is set while the source does not answer; nil: it always does.
	SourceDown func() migration.Reason

	mu    sync.Mutex
	lanes map[migration.Migration]map[*laneReason]struct{}
}

type laneReason struct {
	own     migration.Reason
	account func() migration.Reason
	spoken  bool // another lane, which this one has begun, speaks for it
}

// NewReasons returns an empty collection.
func NewReasons() *Reasons {
	return &Reasons{lanes: map[migration.Migration]map[*laneReason]struct{}{}}
}

// Current returns a reason for each migration of which every lane waits. The
// account's own reason explains more than a lane's.
func (r *Reasons) Current() map[migration.Migration]migration.Reason {
	r.mu.Lock()
	defer r.mu.Unlock()
	current := map[migration.Migration]migration.Reason{}
	for m, lanes := range r.lanes {
		var worst migration.Reason
		for lane := range lanes {
			if lane.spoken {
				continue
			}
			reason := lane.account()
			if reason.Code == "" {
				reason = lane.own
			}
			if reason.Code == "" {
				worst = migration.Reason{}
				break
			}
			if worst.Code == "" || reason.Since.Before(worst.Since) {
				worst = reason
			}
		}
		if worst.Code != "" {
			current[m] = worst
		}
	}
	return current
}

// join adds a lane of a migration; leave must be called when it ends.
func (r *Reasons) join(m migration.Migration, account func() migration.Reason) (lane *laneReason, leave func()) {
	r.mu.Lock()
	defer r.mu.Unlock()
	lane = &laneReason{account: r.withSource(m, account)}
	if r.lanes[m] == nil {
		r.lanes[m] = map[*laneReason]struct{}{}
	}
	r.lanes[m][lane] = struct{}{}
	return lane, func() {
		r.mu.Lock()
		defer r.mu.Unlock()
		delete(r.lanes[m], lane)
		if len(r.lanes[m]) == 0 {
			delete(r.lanes, m)
		}
	}
}

// withSource is the account's reason, else the source's; but first, that the
// source is down: what was read before may keep the account busy for a while.
func (r *Reasons) withSource(m migration.Migration, account func() migration.Reason) func() migration.Reason {
	return func() migration.Reason {
		if r.SourceDown != nil {
			if down := r.SourceDown(); down.Code != "" {
				return down
			}
		}
		reason := account()
		if reason.Code == "" && r.Source != nil {
			return r.Source(m.Customer)
		}
		return reason
	}
}

// set notes why the lane waits; an empty code says that it does not.
func (r *Reasons) set(lane *laneReason, code, text string, until time.Time) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if lane.own.Code == code && lane.own.Text == text {
		lane.own.Until = until
		return
	}
	lane.own = migration.Reason{Code: code, Text: text, Until: until}
	if code != "" {
		lane.own.Since = time.Now()
	}
}

// speakFor says whether a lane that this one has begun tells the reason for both.
func (r *Reasons) speakFor(lane *laneReason, spoken bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	lane.spoken = spoken
}

// of is the reason of one lane.
func (r *Reasons) of(lane *laneReason) migration.Reason {
	if reason := lane.account(); reason.Code != "" {
		return reason
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	return lane.own
}
