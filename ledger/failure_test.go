package ledger_test

import (
	"fmt"
	"reflect"
	"testing"

	"farewell/migration"
)

func TestFailuresListWhatIsCurrentByEntityAndID(t *testing.T) {
	t.Parallel()
	l, _ := open(t)
	h := takeOver(t, l, tickets(1), "run-1")
	b := intend(t, l, h, inOrder(h, "1", "2", "3", "4"))
	must(t, l.Settle(t.Context(), h, b.ID, settlement(b, "fsf-")))
	retry := intend(t, l, h, batch(h, 0, 1, false, []string{"1"}))
	must(t, l.Settle(t.Context(), h, retry.ID, settlement(retry, "c")))
	people := takeOver(t, l, users(1), "run-1")
	b = intend(t, l, people, inOrder(people, "7"))
	must(t, l.Settle(t.Context(), people, b.ID, settlement(b, "f")))
	files := takeOver(t, l, migration.Partition{ID: "attachments-0001", Entity: "attachments"}, "run-1")
	b = intend(t, l, files, batch(files, 0, 0, false, []string{"5"}))
	must(t, l.Settle(t.Context(), files, b.ID, settlement(b, "s")))
	list := func(ids ...string) []migration.Failure {
		var list []migration.Failure
		for _, id := range ids {
			list = append(list, migration.Failure{SourceID: id, Outcome: "changed_since", Code: "changed", Partition: "tickets-0001"})
		}
		return list
	}
	must(t, l.Compared(t.Context(), acme, "run-1", migration.Tickets, list("1", "9")))
	must(t, l.Swept(t.Context(), acme, "run-1", migration.Tickets, []migration.Failure{{SourceID: "1", Outcome: "duplicate"}}))
	must(t, l.Compared(t.Context(), acme, "run-2", migration.Tickets, list("1", "3")))

	var got []string
	must(t, l.Failures(t.Context(), acme, func(f migration.Failure) error {
		if f.At.IsZero() || f.Outcome == "failed" && (f.Code != "poison" || f.Partition == "" || f.Text == "") {
			t.Errorf("failure %+v", f)
		}
		got = append(got, fmt.Sprint(f.Entity, " ", f.SourceID, " ", f.Outcome))
		return nil
	}))
	want := []string{
		"users 7 failed", "tickets 1 changed_since", "tickets 1 duplicate", "tickets 2 skipped", "tickets 3 changed_since", "tickets 3 failed",
		"attachments 5 skipped",
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("failures %q, want %q", got, want)
	}
}

func TestFailuresOfManyPages(t *testing.T) {
	t.Parallel()
	l, _ := open(t)
	var list []migration.Failure
	for i := range 4500 {
		list = append(list, migration.Failure{SourceID: fmt.Sprintf("%06d", i), Outcome: "deleted_at_source"})
	}
	must(t, l.Compared(t.Context(), acme, "run-1", migration.Users, list))
	n := 0
	must(t, l.Failures(t.Context(), acme, func(f migration.Failure) error {
		if want := fmt.Sprintf("%06d", n); f.SourceID != want {
			t.Fatalf("failure %d is %s", n, f.SourceID)
		}
		n++
		return nil
	}))
	if n != len(list) {
		t.Errorf("%d failures, want %d", n, len(list))
	}
}
