package main

import "farewell/migration"

// printSummary is the end of a watch: a table whose sums agree, and what to do
// about what did not go well.
func (a *app) printSummary(s *session, views []view) {
	a.printf("")
	summaryTable(views).writeTo(a.out, "")
	a.printHints(s, views)
	if line := nothingToDo(views, s.cfg.Development); line != "" {
		a.printf("")
		a.printf("%s", line)
	}
}

func summaryTable(views []view) *table {
	var sum migration.Counts
	for _, v := range views {
		sum = sum.Add(v.counts(migration.Tickets))
	}
	t := &table{columns: []column{
		left("CUSTOMER"), left("DESTINATION"), left("STATE"), right("TICKETS READ"), right("CREATED"), right("ALREADY THERE"), right("SKIPPED"), right("FAILED"),
	}}
	if sum.InDoubt > 0 {
		t.columns = append(t.columns, right("IN DOUBT"))
	}
	row := func(customer, destination, state string, c migration.Counts) {
		cells := []string{
			customer, destination, state,
			number(c.Read), number(c.Created), number(c.AlreadyThere), number(c.Skipped), number(c.Failed),
		}
		if sum.InDoubt > 0 {
			cells = append(cells, number(c.InDoubt))
		}
		t.add(cells...)
	}
	for _, v := range views {
		row(v.Customer, v.Destination, stateWord(v.State), v.counts(migration.Tickets))
	}
	if len(views) > 1 {
		row("total", "", "", sum)
	}
	return t
}

// printHints says, for each migration that did not simply complete, which
// command comes next.
func (a *app) printHints(s *session, views []view) {
	separate := true
	for _, v := range views {
		h := s.hint(v)
		if h == "" {
			continue
		}
		if separate {
			a.printf("")
			separate = false
		}
		a.printf("%s: %s", clean(v.Customer), h)
	}
}

func (s *session) hint(v view) string {
	failed := v.Run.Counts.Total().Failed
	switch {
	case v.State == migration.StateNeedsAttention:
		return "waits for you: " + clean(v.Reason.Text) + ": " + s.again("retry", v.Migration) + ", or skip, or cancel"
	case v.State == migration.StatePaused:
		return clean(v.Reason.Text) + ": " + s.again("resume", v.Migration)
	case v.State == migration.StateFailed:
		return "failed: " + clean(v.Reason.Text) + ": " + s.again("status", v.Migration)
	case v.State == migration.StateCancelled:
		return "was cancelled: " + s.again("start", v.Migration) + " goes on"
	case failed > 0:
		return count(failed, "record failed", "records failed") + ": " + s.again("failures", v.Migration)
	case v.State == migration.StateCompletedWithFailures:
		return "ended without what was skipped: " + s.again("status", v.Migration)
	}
	return ""
}

// nothingToDo says that every migration found its records there already.
func nothingToDo(views []view, development bool) string {
	var there int64
	for _, v := range views {
		if !v.State.Ended() || v.Run.Counts.Total().Created > 0 {
			return ""
		}
		there += v.counts(migration.Tickets).AlreadyThere
	}
	if there == 0 {
		return ""
	}
	line := "nothing to do: " + number(there) + " already there"
	if development {
		line += "; ./temporal-dev.sh reset starts afresh"
	}
	return line
}
