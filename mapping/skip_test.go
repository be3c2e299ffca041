package mapping

import (
	"testing"
	"time"

	"farewell/migration"
)

func TestSkipLeavesBehindWhatItSays(t *testing.T) {
	t.Parallel()
	at := func(text string) time.Time {
		when, err := time.Parse(time.DateOnly, text)
		if err != nil {
			t.Fatal(err)
		}
		return when
	}
	s := parse(t, "version: 1\ndefault: {tickets: {skip: {created_before: 2018-01-01, created_after: 2023-01-01T01:00:00+01:00, updated_before: 2019-01-01, updated_after: 2024-01-01, status: [spam, deleted]}}}\n").Of("acme").Tickets.Skip
	for _, row := range []struct {
		name             string
		created, updated string
		status           string
		code, text       string
	}{
		{name: "brought", created: "2018-01-01", updated: "2024-01-01", status: "open"},
		{name: "brought on the last moment", created: "2023-01-01", updated: "2019-01-01", status: "open"},
		{"too old", "2017-12-31", "2020-01-01", "open", FilteredByDate, "created before 2018-01-01, which the mapping leaves behind"},
		{"too new", "2023-01-02", "2023-01-02", "open", FilteredByDate, "created after 2023-01-01, which the mapping leaves behind"},
		{"not touched for long", "2018-01-01", "2018-12-31", "open", FilteredByDate, "updated before 2019-01-01, which the mapping leaves behind"},
		{"touched too late", "2018-01-01", "2024-01-02", "open", FilteredByDate, "updated after 2024-01-01, which the mapping leaves behind"},
		{"of a status", "2019-01-01", "2020-01-01", "deleted", FilteredByStatus, "of a status that the mapping leaves behind"},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			code, text := s.Reason(&migration.Ticket{CreatedAt: at(row.created), UpdatedAt: at(row.updated), Status: row.status})
			if code != row.code || text != row.text {
				t.Errorf("got %q, %q, want %q, %q", code, text, row.code, row.text)
			}
		})
	}
	if code, _ := s.Reason(&migration.Ticket{}); code != "" {
		t.Errorf("a ticket without times is %s", code)
	}
	var none Skip
	if code, _ := none.Reason(&migration.Ticket{CreatedAt: at("2000-01-01")}); code != "" || none.Skips() || !s.Skips() {
		t.Errorf("a skip of nothing: %q", code)
	}
}
