package main

import (
	"fmt"
	"strings"

	"farewell/migration"
)

// totalLine is all migrations in one line.
func totalLine(views []view) string {
	var moving, waiting, ended, attention int
	var settled, planned int64
	for _, v := range views {
		switch {
		case v.State.Ended():
			ended++
		case v.State == migration.StateNeedsAttention:
			attention++
		case v.Reason.Code != "" || v.State == migration.StateWaiting:
			waiting++
		default:
			moving++
		}
		done := v.counts(migration.Tickets).Settled()
		settled += done
		planned += max(done, v.Run.Planned[migration.Tickets].Read)
	}
	var parts []string
	for _, p := range []struct {
		n    int
		what string
	}{{moving, "moving"}, {waiting, "waiting"}, {attention, "needing attention"}, {ended, "ended"}} {
		if p.n > 0 {
			parts = append(parts, number(int64(p.n))+" "+p.what)
		}
	}
	return fmt.Sprintf("%s: %s; %s/%s tickets", count(int64(len(views)), "migration", "migrations"),
		strings.Join(parts, ", "), number(settled), number(planned))
}
