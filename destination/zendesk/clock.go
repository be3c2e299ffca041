package zendesk

import (
	"net/http"
	"sync"
	"time"
)

// clock knows how far the account's clock is from ours, from the Date headers
// of its answers. A Date has whole seconds, so each answer gives an interval
// for the difference; the intervals narrow each other down.
type clock struct {
	mu       sync.Mutex
	known    bool
	from, to time.Duration // theirs minus ours lies between
}

func (c *clock) observe(sent, received time.Time, date string) {
	at, err := http.ParseTime(date)
	if err != nil {
		return // no Date, nothing learnt
	}
	// The header was written between sent and received, up to a second after
	// the time that it shows.
	from, to := at.Sub(received), at.Add(time.Second).Sub(sent)
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.known && max(from, c.from) <= min(to, c.to) {
		from, to = max(from, c.from), min(to, c.to)
	}
	c.known, c.from, c.to = true, from, to // a contradiction means that a clock was set: begin anew
}

// ahead is the difference nearest to none that the answers allow, since clocks
// that agree are the rule.
func (c *clock) ahead() time.Duration {
	c.mu.Lock()
	defer c.mu.Unlock()
	switch {
	case !c.known, c.from <= 0 && c.to >= 0:
		return 0
	case c.from > 0:
		return c.from
	}
	return c.to
}

// theirs translates a time of our clock.
func (c *clock) theirs(ours time.Time) time.Time { return ours.Add(c.ahead()) }

// ours translates a time of the account's clock.
func (c *clock) ours(theirs time.Time) time.Time { return theirs.Add(-c.ahead()) }
