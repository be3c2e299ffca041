package main

import (
	"slices"
	"testing"
	"time"

	"farewell/migration"
)

func TestBookAsksWhatBecameOfARunThatLeftTheList(t *testing.T) {
	t.Parallel()
	id := migrationOf("acme").WorkflowID()
	temporal := &fakeTemporal{executions: map[string]execution{id: {Run: "r1", Status: statusRunning}}}
	book := newTemporalBook("farewell").refreshed(t.Context(), temporal, nil, describesPerRound, noon)
	temporal.executions[id] = execution{Run: "r1", Status: statusTerminated, Closed: noon}
	book = book.refreshed(t.Context(), temporal, nil, describesPerRound, noon)
	if got := book.executions[id]; got.Status != statusTerminated {
		t.Errorf("got %+v", got)
	}
	temporal.said = nil
	book.refreshed(t.Context(), temporal, nil, describesPerRound, noon)
	if len(temporal.said) > 0 {
		t.Errorf("asked again about what has ended: %q", temporal.said)
	}
}

func TestBookAsksFirstWhatItAskedLongestAgo(t *testing.T) {
	t.Parallel()
	temporal := &fakeTemporal{}
	var ids []string
	for _, c := range []string{"a", "b", "c"} {
		ids = append(ids, migrationOf(c).WorkflowID())
	}
	book := newTemporalBook("farewell").refreshed(t.Context(), temporal, ids[:1], 2, noon)
	temporal.said = nil
	book.refreshed(t.Context(), temporal, ids, 2, noon.Add(time.Second))
	slices.Sort(temporal.said)
	if want := []string{"describe " + ids[1], "describe " + ids[2]}; !slices.Equal(temporal.said, want) {
		t.Errorf("asked %q, want %q", temporal.said, want)
	}
}

func TestRunBookAsksOnceMoreAboutARunThatEnded(t *testing.T) {
	t.Parallel()
	w := newWorld("a", "b", "c", "d", "e")
	var of []migration.Migration
	for _, a := range w.accounts {
		w.has(a.Customer, migration.StateExporting, created(10))
		of = append(of, migrationOf(a.Customer))
	}
	book := runBook{memory: w.memory}
	for range 2 {
		if err := book.refresh(t.Context(), of, nil); err != nil {
			t.Fatal(err)
		}
	}
	w.changes("c", func(r *migration.RunRecord) { r.State = migration.StateCompleted })
	if err := book.refresh(t.Context(), of, nil); err != nil {
		t.Fatal(err)
	}
	if got := book.of(of[2]).State; got != migration.StateCompleted {
		t.Errorf("state %s", got)
	}
	asked := w.memory.asked
	if err := book.refresh(t.Context(), of, nil); err != nil {
		t.Fatal(err)
	}
	if w.memory.asked != asked+1 {
		t.Errorf("asked %d times about what has ended", w.memory.asked-asked-1)
	}
}
