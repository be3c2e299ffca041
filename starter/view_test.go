package main

import (
	"testing"

	"farewell/migration"
)

func TestPercentOfThePlan(t *testing.T) {
	t.Parallel()
	plan := migration.EntityCounts{migration.Users: {Read: 100}, migration.Tickets: {Read: 100}}
	for _, c := range []struct {
		name   string
		state  migration.State
		limit  int64
		counts migration.EntityCounts
		want   int
	}{
		{"half", migration.StateExporting, 0, migration.EntityCounts{migration.Users: created(100)}, 50},
		{"in doubt is not settled", migration.StateExporting, 0, migration.EntityCounts{migration.Tickets: {Read: 100, InDoubt: 100}}, 0},
		{"attachments are in no plan", migration.StateExporting, 0, migration.EntityCounts{migration.Attachments: created(500)}, 0},
		{"late records do not make up for missing ones", migration.StateExporting, 0, migration.EntityCounts{migration.Tickets: created(150)}, 50},
		{"a trial takes people on demand", migration.StateExporting, 100, migration.EntityCounts{migration.Tickets: created(50), migration.Users: created(3)}, 50},
		{"all, but not ended", migration.StateVerifying, 0, migration.EntityCounts{migration.Tickets: created(100), migration.Users: created(100)}, 99},
		{"completed without a record", migration.StateCompleted, 0, nil, 100},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			if got := percent(c.state, migration.RunRecord{Limit: c.limit, Planned: plan, Counts: c.counts}); got != c.want {
				t.Errorf("got %d, want %d", got, c.want)
			}
		})
	}
}
