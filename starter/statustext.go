package main

import (
	"fmt"
	"slices"
	"strings"

	"farewell/migration"
)

// printStatus shows one migration at length.
func (a *app) printStatus(s *session, v view) {
	a.printf("%s", clean(v.String()))
	state := stateWord(v.State)
	if v.State != stateNotStarted && !v.State.Ended() {
		state += fmt.Sprintf(", %d %%", v.Percent)
	}
	a.field("state", a.out.paint(stateColour(v.State), state))
	if v.Reason.Code != "" {
		a.field("reason", reasonWords(v.Reason, a.now()))
	}
	a.printRun(s, v, s.temporal.Link(v.WorkflowID(), v.RunID))
	if len(v.Run.Counts) > 0 || len(v.Run.Planned) > 0 {
		a.printf("")
		countsTable(v.Run).writeTo(a.out, "  ")
	}
	a.printParked(v)
	if next := s.nextCommand(v); next != "" {
		a.printf("")
		a.field("next", next)
	}
}

func (a *app) field(name, value string) { a.printf("  %s%s", pad(name, 9), value) }

// mappingShown is how many digits of a mapping's hash are shown.
const mappingShown = 8

func (a *app) printRun(s *session, v view, link string) {
	r := v.Run
	if !r.StartedAt.IsZero() {
		started := moment(r.StartedAt, a.now()) + said(r.By, r.Why)
		if r.Limit > 0 {
			started += fmt.Sprintf("; at most %s", count(r.Limit, "ticket", "tickets"))
		}
		a.field("started", started)
	}
	if !r.EndedAt.IsZero() {
		a.field("ended", fmt.Sprintf("%s, after %s", moment(r.EndedAt, a.now()), span(r.EndedAt.Sub(r.StartedAt))))
	}
	if r.Control != "" && r.Control != migration.ControlRun && !v.State.Ended() {
		a.field("told", string(r.Control)+said(r.ControlBy, r.ControlWhy))
	}
	if r.Mapping != "" {
		a.field("mapping", r.Mapping[:min(len(r.Mapping), mappingShown)]+", of the mapping file when the run began")
	}
	if source := sourceWords(r.Comparison); source != "" {
		a.field("source", source)
	}
	if r.Duplicates > 0 {
		a.field("repaired", count(r.Duplicates, "duplicate", "duplicates"))
	}
	if v.Changes > 0 {
		a.field("changed", count(v.Changes, "change", "changes")+" on the way: "+s.again("changes", v.Migration))
	}
	if link != "" && v.State != stateNotStarted {
		a.field("web", link)
	}
}

// said is who gave a command, and why.
func said(by, why string) string {
	var b strings.Builder
	if by != "" {
		b.WriteString(" by " + clean(by))
	}
	if why != "" {
		b.WriteString(": " + clean(why))
	}
	return b.String()
}

// sourceWords is how the source changed during the run.
func sourceWords(c migration.Comparison) string {
	var parts []string
	for _, p := range []struct {
		n    int64
		what string
	}{
		{c.ArrivedLate, "arrived late"},
		{c.ChangedSince, "changed since"},
		{c.DeletedAtSource, "deleted at source"},
		{c.Missing, "without an outcome"},
	} {
		if p.n > 0 {
			parts = append(parts, number(p.n)+" "+p.what)
		}
	}
	return strings.Join(parts, ", ")
}

func countsTable(r migration.RunRecord) *table {
	t := &table{columns: []column{
		left(""), right("PLANNED"), right("READ"), right("CREATED"), right("ALREADY THERE"), right("SKIPPED"), right("FAILED"), right("IN DOUBT"),
	}}
	for _, e := range append(migration.Work(), migration.Attachments, migration.Placeholders) {
		c := r.Counts[e]
		planned := number(r.Planned[e].Read)
		if !e.IsRecord() && c == (migration.Counts{}) {
			continue
		}
		if !slices.Contains(migration.Work(), e) {
			planned = "" // what is met on the way is in no plan
		}
		t.add(string(e), planned, number(c.Read), number(c.Created), number(c.AlreadyThere),
			number(c.Skipped), number(c.Failed), number(c.InDoubt))
	}
	return t
}

func (a *app) printParked(v view) {
	if len(v.Run.Parked) == 0 {
		return
	}
	t := &table{columns: []column{left("PARKED"), left("SINCE"), left("WHY"), left("WHAT TO DO")}}
	for _, p := range v.Run.Parked {
		t.add(p.Partition, moment(p.Since, a.now()), p.Text, p.Fix)
	}
	a.printf("")
	t.writeTo(a.out, "  ")
}

// nextCommand is what an operator most likely wants to do now.
func (s *session) nextCommand(v view) string {
	switch {
	case v.State == stateNotStarted:
		return s.again("start", v.Migration)
	case v.State == migration.StatePaused:
		return s.again("resume", v.Migration)
	case v.State == migration.StateNeedsAttention:
		return s.again("retry", v.Migration) + ", or skip, or cancel"
	case v.State == migration.StateFailed || v.State == migration.StateCancelled:
		return s.again("start", v.Migration) + " goes on where this run ended"
	case v.Run.Counts.Total().Failed > 0:
		return s.again("failures", v.Migration)
	}
	return ""
}
