package main

import (
	"strings"
	"time"

	"farewell/migration"
)

// stateWord is a state for people.
func stateWord(s migration.State) string { return strings.ReplaceAll(string(s), "_", " ") }

// stateColour lets the eye find what needs it.
func stateColour(s migration.State) paint {
	switch s {
	case migration.StateCompleted:
		return green
	case migration.StateFailed, migration.StateNeedsAttention:
		return red
	case migration.StateCompletedWithFailures, migration.StatePaused, migration.StateCancelling, migration.StateCancelled:
		return yellow
	case stateNotStarted:
		return dim
	}
	return plain
}

// reasonWords is a reason in one line, with since when.
func reasonWords(r migration.Reason, now time.Time) string {
	if r.Text == "" {
		return clean(r.Code)
	}
	var when []string
	if !r.Since.IsZero() {
		when = append(when, "since "+moment(r.Since, now))
	}
	if r.Until.After(now) {
		when = append(when, "until "+moment(r.Until, now))
	}
	if len(when) == 0 {
		return clean(r.Text)
	}
	return clean(r.Text) + " (" + strings.Join(when, ", ") + ")"
}
