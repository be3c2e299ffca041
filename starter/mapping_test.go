package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestMappingCheckNamesEachProblemWhereItIs(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "mapping.yaml")
	for _, row := range []struct {
		name, text string
		code       int
		want       []string
	}{
		{"a good one", "version: 1\ncustomers: {globex: {}, acme: {}}\n", exitOK, []string{"✓ " + file + " can be used; entries of their own have acme, globex", "starter check CUSTOMER"}},
		{"one for all", "version: 1\n", exitOK, []string{"no customer has entries of their own"}},
		{"two problems", "version: 1\ndefault:\n  tickets: {priorty: {}}\n  user: {}\n", exitAttention,
			[]string{`✗ mapping.yaml:3:13: unknown key "priorty"`, `did you mean "priority"?`, `✗ mapping.yaml:4:3: unknown key "user"`}},
	} {
		w := newWorld("acme")
		if err := os.WriteFile(file, []byte(row.text), 0o600); err != nil {
			t.Fatal(err)
		}
		code := w.run(t, "mapping", "check", file)
		for _, want := range row.want {
			if !strings.Contains(w.out.String(), want) {
				t.Errorf("%s: it should say %q:\n%s", row.name, want, w.out)
			}
		}
		if code != row.code {
			t.Errorf("%s: exit code %d, want %d: %s", row.name, code, row.code, w.err)
		}
	}
	w := newWorld("acme")
	if code := w.run(t, "mapping", "check", file+".old"); code != exitError || !strings.Contains(w.err.String(), "no such file") {
		t.Errorf("of a file that is not there: %d, %s", code, w.err)
	}
	if code := newWorld("acme").run(t, "mapping", "check"); code != exitUsage {
		t.Errorf("without a file: %d", code)
	}
}

func TestMappingSchemaIsJSON(t *testing.T) {
	t.Parallel()
	w := newWorld("acme")
	if code := w.run(t, "mapping", "schema"); code != exitOK || !json.Valid(w.out.Bytes()) {
		t.Errorf("exit code %d, %s", code, w.out)
	}
}
