package ledger_test

import (
	"testing"

	"farewell/migration"
)

func TestOneWorkerAtATimeIsOnAnErrand(t *testing.T) {
	t.Parallel()
	l, url := open(t)
	granted := func(e migration.Entity, worker string, running bool) bool {
		t.Helper()
		granted, err := l.Errand(t.Context(), acme, e, worker, running)
		must(t, err)
		return granted
	}
	if !granted(migration.Users, "one", false) || !granted(migration.Users, "one", true) {
		t.Error("the first worker was not let on its way")
	}
	if granted(migration.Users, "two", false) {
		t.Error("the second worker was let on its way beside the first")
	}
	if !granted(migration.Users, "one", true) {
		t.Error("the first worker lost its place to one that waits")
	}
	if !granted(migration.Organizations, "two", false) {
		t.Error("the people of another entity had to wait")
	}
	must(t, l.EndErrand(t.Context(), acme, migration.Users, "one"))
	if !granted(migration.Users, "two", false) {
		t.Error("the second worker was not let on its way after the first")
	}
	query(t, url, "update farewell_ledger.shares set seen = clock_timestamp() - interval '21 seconds' where worker = 'two'")
	if !granted(migration.Users, "one", false) {
		t.Error("a worker that is not heard of keeps its place")
	}
}
