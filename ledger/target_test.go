package ledger_test

import (
	"reflect"
	"testing"

	"farewell/migration"
)

func TestTargetsComeFromSettlements(t *testing.T) {
	t.Parallel()
	l, _ := open(t)
	h := takeOver(t, l, users(1), "run-1")
	b := intend(t, l, h, inOrder(h, "1", "2", "3", "4"))
	s := settlement(b, "acf-")
	s.Items[0].Agent = true
	must(t, l.Settle(t.Context(), h, b.ID, s))

	got, err := l.Targets(t.Context(), acme, migration.Users, []string{"1", "2", "3", "4", "9"})
	must(t, err)
	want := map[string]migration.Target{"1": {ID: "90001", Agent: true}, "2": {ID: "90002", Made: true}}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("targets %v, want %v", got, want)
	}
	if other, err := l.Targets(t.Context(), acme, migration.Organizations, []string{"1"}); err != nil || len(other) != 0 {
		t.Errorf("organizations took the users' targets: %v, %v", other, err)
	}
	checkCounts(t, l, "run-1", migration.Users, migration.Counts{Read: 4, Created: 1, AlreadyThere: 1, Failed: 1})
}

func TestSettledTargetsListEveryTargetThatABatchHolds(t *testing.T) {
	t.Parallel()
	l, _ := open(t)
	h := takeOver(t, l, tickets(1), "run-1")
	first := intend(t, l, h, inOrder(h, "1", "2", "3"))
	must(t, l.Settle(t.Context(), h, first.ID, settlement(first, "cf-")))
	second := intend(t, l, h, batch(h, 0, 1, false, []string{"1", "2"}))
	must(t, l.Settle(t.Context(), h, second.ID, migration.Settlement{Items: []migration.Item{
		{SourceID: "1", Outcome: migration.AlreadyThere, TargetID: "91-again"},
		{SourceID: "2", Outcome: migration.Created, TargetID: "92"},
	}}))
	got, err := l.SettledTargets(t.Context(), acme, migration.Tickets, []string{"1", "2", "3", "4"})
	must(t, err)
	want := map[string][]string{"1": {"91-again", "90001"}, "2": {"92"}}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("targets %v, want %v", got, want)
	}
}
