package main

import (
	"testing"
	"time"

	"farewell/migration"
)

func TestSourceSetReachesTheOnlySource(t *testing.T) {
	t.Parallel()
	w := newWorld()
	w.expect(t, exitUsage, "source", "set", "--max-rows-per-second", "500")
	w.says(t, "FAREWELL_SOURCE_URL")
	w.memory.sources = []migration.SourcePace{{Source: "db:5432/crm"}}
	w.expect(t, exitOK, "source", "set", "--max-rows-per-second", "500", "--reason", "sale today")
	w.expect(t, exitOK, "source", "set", "--max-rows-per-second", "none")
	w.expect(t, exitOK, "source", "set", "--governor", "off", "--source", "other:5432/crm")
	w.controls(t, "source db:5432/crm rows 500 by ann: sale today", "source db:5432/crm rows 0 by ann", "source other:5432/crm governed false by ann")
	for _, wrong := range [][]string{{}, {"--governor", "perhaps"}, {"--max-rows-per-second", "many"}} {
		w.expect(t, exitUsage, append([]string{"source", "set"}, wrong...)...)
	}
	w.memory.sources = append(w.memory.sources, migration.SourcePace{Source: "second"})
	w.expect(t, exitUsage, "source", "set", "--max-rows-per-second", "500")
}

func TestSourceStatusShowsTheSigns(t *testing.T) {
	t.Parallel()
	w := newWorld()
	w.memory.sources = []migration.SourcePace{
		{Source: "db:5432/crm", Governed: true, MaxRows: 5000, Rows: 700, Queries: 2.4, Canary: 9 * time.Millisecond, Base: 1200 * time.Microsecond,
			Active: 14, Usual: 3.2, Pressed: true, SeenAt: noon, Less: 3, By: "ann", Why: "sale today"},
		{Source: "new:5432/crm", Governed: true},
		{Source: "idle:5432/crm"},
	}
	w.expect(t, exitOK, "source", "status")
	golden(t, "source", w.out.String())
}
