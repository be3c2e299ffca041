package judge

import "time"

// clock is a time on its way through the rules, with those that changed it.
type clock struct {
	at    *int64
	steps []step
}

func (k *clock) to(rule string, at int64) {
	if k.at == nil || *k.at != at {
		k.at = &at
		k.steps = append(k.steps, step{rule, stamp(&at)})
	}
}

func stamp(at *int64) string {
	if at == nil {
		return ""
	}
	return time.Unix(*at, 0).UTC().Format("2006-01-02T15:04:05Z")
}

// times compares the times of the ticket and its comments. Each rule goes over
// all of them before the next does.
func (c *comparison) times(lines []line, solvedAt any) {
	created, updated, solved := &clock{at: c.t.Created}, &clock{at: c.t.Updated}, &clock{at: c.t.Solved}
	said := make([]*clock, len(lines))
	for i := range lines {
		said[i] = &clock{at: lines[i].created}
	}
	missing(created, updated, said)
	for _, k := range append([]*clock{created, updated, solved}, said...) {
		if k.at != nil && *k.at < 0 {
			k.to("time_early", 0)
		}
	}
	ordered(created, updated, said)
	c.future(created, updated, solved, said, solvedAt)
	c.moment("created_at", "", c.t.Created, created, c.got["created_at"])
	c.moment("updated_at", "", c.t.Updated, updated, c.got["updated_at"])
	c.moment("solved_at", "", c.t.Solved, solved, solvedAt)
	for i, l := range lines {
		if l.of != nil && !l.further {
			c.moment("comments.created_at", l.of.ID, l.created, said[i], c.comments[i]["created_at"])
		} else if got := word(c.comments[i]["created_at"]); got != stamp(said[i].at) {
			c.differs("comment %s: its time is not a second after the one before", l.part)
		}
	}
}

func (c *comparison) moment(field, part string, source *int64, k *clock, got any) {
	c.value(field, part, stamp(source), word(got), k.steps...)
}

// missing: the ticket began with its first comment, a comment was written when
// the one before was, and the ticket was updated with the last.
func missing(created, updated *clock, said []*clock) {
	if created.at == nil {
		first := int64(0)
		for i := len(said) - 1; i >= 0; i-- {
			if said[i].at != nil {
				first = *said[i].at
			}
		}
		created.to("time_missing", first)
	}
	before := *created.at
	for _, k := range said {
		if k.at == nil {
			k.to("time_missing", before)
		}
		before = *k.at
	}
	if updated.at == nil {
		updated.to("time_missing", before)
	}
}

// ordered: each comment is a second after the one before, at least, and none
// before the ticket, which is not updated before it begins.
func ordered(created, updated *clock, said []*clock) {
	next := *created.at
	for _, k := range said {
		k.to("time_order", max(*k.at, next))
		next = *k.at + 1
	}
	updated.to("time_order", max(*updated.at, *created.at))
}

// future: what was later than the account's clock when the ticket was sent is
// in the last seconds before that, in the same order. Nobody knows that moment
// afterwards: what the account shows for the last of them tells it.
func (c *comparison) future(created, updated, solved *clock, said []*clock, solvedAt any) {
	if n := len(said); n > 0 && *said[n-1].at > c.Now {
		last := c.instant(c.comments[n-1]["created_at"])
		for i := n - 1; i >= 0 && *said[i].at > last; i-- {
			said[i].to("time_future", last)
			last--
		}
	}
	for _, k := range []struct {
		*clock
		got any
	}{{updated, c.got["updated_at"]}, {solved, solvedAt}} {
		if k.at != nil && *k.at > c.Now {
			k.to("time_future", c.instant(k.got))
		}
	}
	if len(said) > 0 && *said[0].at < *created.at {
		created.to("time_future", *said[0].at)
	}
}

// instant is a time that the account shows, which is not of the future.
func (c *comparison) instant(got any) int64 {
	at, err := time.Parse(time.RFC3339, word(got))
	if err != nil {
		return c.Now
	}
	return min(at.Unix(), c.Now)
}
