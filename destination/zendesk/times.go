package zendesk

import (
	"time"

	"farewell/migration"
)

// epoch is the earliest time that Zendesk takes.
var epoch = time.Unix(0, 0).UTC()

// date settles the ticket's times and those of its lines, which must not
// contradict each other. Each rule goes over all of them before the next does:
// what is missing, what is before 1970, the order, what is later than now.
func (d *draft) date() {
	d.created, d.updated, d.solved = whole(d.t.CreatedAt), whole(d.t.UpdatedAt), whole(d.t.SolvedAt)
	for i := range d.lines {
		d.lines[i].created = whole(d.lines[i].created)
	}
	for _, rule := range [...]struct {
		name  migration.Rule
		apply func()
	}{
		{migration.RuleTimeMissing, d.fillTimes},
		{migration.RuleTimeEarly, d.raiseTimes},
		{migration.RuleTimeOrder, d.orderTimes},
		{migration.RuleTimeFuture, d.capTimes},
	} {
		if d.applies(rule.name) {
			rule.apply()
		}
	}
}

// whole is the time in whole seconds, which is what Zendesk stores. The very
// beginning of year 1 stays apart from a time that is missing.
func whole(t time.Time) time.Time {
	if w := t.Truncate(time.Second); !w.IsZero() {
		return w
	}
	return t
}

// move gives the ticket's own time another value and records that.
func (d *draft) move(at *time.Time, field string, r migration.Rule, to time.Time) {
	if !at.Equal(to) {
		d.note(field, "", r, migration.HashTime(*at), migration.HashTime(to))
		*at = to
	}
}

// moveLine is move for a line. Of those that the source does not have, and of
// further pieces, the rule that made them says when they are.
func (d *draft) moveLine(l *line, r migration.Rule, to time.Time) {
	if l.created.Equal(to) {
		return
	}
	if l.from != nil && l.piece == 0 {
		d.note("comments.created_at", l.of, r, migration.HashTime(l.created), migration.HashTime(to))
	}
	l.created = to
}

// fillTimes: Zendesk takes the time of the import for one that is missing. A
// ticket begins with its first comment and was updated with its last; a comment
// was written when the one before it was.
func (d *draft) fillTimes() {
	if d.created.IsZero() {
		d.move(&d.created, "created_at", migration.RuleTimeMissing, d.firstTime())
	}
	before := d.created
	for i := range d.lines {
		l := &d.lines[i]
		if l.created.IsZero() {
			d.moveLine(l, migration.RuleTimeMissing, before)
		}
		before = l.created
	}
	if d.updated.IsZero() {
		d.move(&d.updated, "updated_at", migration.RuleTimeMissing, before)
	}
}

// firstTime is the earliest that the ticket tells, 1970 if it tells none.
func (d *draft) firstTime() time.Time {
	first := epoch
	for i := len(d.lines) - 1; i >= 0; i-- {
		if at := d.lines[i].created; !at.IsZero() {
			first = at
		}
	}
	return first
}

// raiseTimes moves what is before 1970 up to it, as Zendesk does with tickets;
// it refuses such comments
// (https://developer.zendesk.com/api-reference/ticketing/tickets/ticket_import/).
func (d *draft) raiseTimes() {
	d.move(&d.created, "created_at", migration.RuleTimeEarly, latest(d.created, epoch))
	d.move(&d.updated, "updated_at", migration.RuleTimeEarly, latest(d.updated, epoch))
	if !d.solved.IsZero() {
		d.move(&d.solved, "solved_at", migration.RuleTimeEarly, latest(d.solved, epoch))
	}
	for i := range d.lines {
		d.moveLine(&d.lines[i], migration.RuleTimeEarly, latest(d.lines[i].created, epoch))
	}
}

// orderTimes makes the comments' times strictly increasing, a second apart at
// least, none before the ticket's, since Zendesk shows those of the same second
// in any order; and the ticket is not updated before it begins.
func (d *draft) orderTimes() {
	next := d.created
	for i := range d.lines {
		l := &d.lines[i]
		d.moveLine(l, migration.RuleTimeOrder, latest(l.created, next))
		next = l.created.Add(time.Second)
	}
	d.move(&d.updated, "updated_at", migration.RuleTimeOrder, latest(d.updated, d.created))
}

// capTimes moves what is later than the account's clock to the last seconds
// before it, in the same order: Zendesk refuses comments of the future. The
// ticket's beginning goes with its first comment.
func (d *draft) capTimes() {
	if d.in.Now.IsZero() {
		return
	}
	last := d.in.Now.Add(-time.Second).Truncate(time.Second)
	d.move(&d.updated, "updated_at", migration.RuleTimeFuture, earliest(d.updated, last))
	if !d.solved.IsZero() {
		d.move(&d.solved, "solved_at", migration.RuleTimeFuture, earliest(d.solved, last))
	}
	for i := len(d.lines) - 1; i >= 0 && d.lines[i].created.After(last); i-- {
		d.moveLine(&d.lines[i], migration.RuleTimeFuture, last)
		last = last.Add(-time.Second)
	}
	if len(d.lines) > 0 {
		d.move(&d.created, "created_at", migration.RuleTimeFuture, earliest(d.created, d.lines[0].created))
	}
}

func latest(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

func earliest(a, b time.Time) time.Time {
	if a.Before(b) {
		return a
	}
	return b
}
