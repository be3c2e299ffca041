package mapping

import (
	"fmt"
	"slices"
	"time"

	"farewell/migration"
)

// The codes of tickets that a mapping leaves behind.
const (
	FilteredByDate   = "filtered_by_date"
	FilteredByStatus = "filtered_by_status"
)

// Reason tells why a ticket is left behind; an empty code: it is not. A ticket
// without a time is neither before nor after anything.
func (s *Skip) Reason(t *migration.Ticket) (code, text string) {
	for _, bound := range []struct {
		day  Day
		at   time.Time
		word string
		out  bool
	}{
		{s.CreatedBefore, t.CreatedAt, "created before", t.CreatedAt.Before(s.CreatedBefore.Time)},
		{s.CreatedAfter, t.CreatedAt, "created after", t.CreatedAt.After(s.CreatedAfter.Time)},
		{s.UpdatedBefore, t.UpdatedAt, "updated before", t.UpdatedAt.Before(s.UpdatedBefore.Time)},
		{s.UpdatedAfter, t.UpdatedAt, "updated after", t.UpdatedAt.After(s.UpdatedAfter.Time)},
	} {
		if bound.out && !bound.day.IsZero() && !bound.at.IsZero() {
			return FilteredByDate, fmt.Sprintf("%s %s, which the mapping leaves behind", bound.word, bound.day)
		}
	}
	if slices.Contains(s.Status, t.Status) {
		return FilteredByStatus, "of a status that the mapping leaves behind"
	}
	return "", ""
}

// Skips tells whether any ticket may be left behind.
func (s *Skip) Skips() bool {
	return len(s.Status) > 0 || !s.CreatedBefore.IsZero() || !s.CreatedAfter.IsZero() || !s.UpdatedBefore.IsZero() || !s.UpdatedAfter.IsZero()
}
