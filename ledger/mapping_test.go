package ledger_test

import (
	"testing"

	"farewell/ledger"
	"farewell/migration"
)

func TestARunKeepsItsFirstMapping(t *testing.T) {
	t.Parallel()
	l, _ := open(t)
	must(t, l.BeginRun(t.Context(), acme, "run-1", migration.Options{}))
	if none, err := l.Mapping(t.Context(), acme, "run-1"); none != nil || err != nil {
		t.Errorf("before it has one: %q, %v", none, err)
	}
	for _, content := range []string{`{"first":1}`, `{"second":2}`} {
		inForce, err := l.KeepMapping(t.Context(), acme, "run-1", "hash of "+content, []byte(content))
		must(t, err)
		if string(inForce) != `{"first":1}` {
			t.Errorf("after %s: %s is in force", content, inForce)
		}
	}
	kept, err := l.Mapping(t.Context(), acme, "run-1")
	must(t, err)
	if string(kept) != `{"first":1}` {
		t.Errorf("kept %s", kept)
	}
	runs, err := l.Runs(t.Context(), ledger.RunFilter{Migration: &acme})
	must(t, err)
	if runs[0].Mapping != `hash of {"first":1}` {
		t.Errorf("the run's mapping is shown as %q", runs[0].Mapping)
	}
}

func TestTheMappingBeforeIsTheOneOfTheLastRun(t *testing.T) {
	t.Parallel()
	l, _ := open(t)
	before := func(run, want string, any bool) {
		t.Helper()
		hash, has, err := l.MappingBefore(t.Context(), acme, run)
		must(t, err)
		if hash != want || has != any {
			t.Errorf("before %q: %q, %t, want %q, %t", run, hash, has, want, any)
		}
	}
	before("", "", false)
	must(t, l.BeginRun(t.Context(), acme, "run-1", migration.Options{}))
	before("run-1", "", false)
	_, err := l.KeepMapping(t.Context(), acme, "run-1", "one", []byte("1"))
	must(t, err)
	must(t, l.BeginRun(t.Context(), acme, "run-2", migration.Options{}))
	before("run-2", "one", true)
	before("", "", true)
}
