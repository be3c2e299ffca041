package main

import (
	"encoding/json"
	"strings"
	"testing"
)

func listed(t *testing.T, text string) migrations {
	t.Helper()
	var all migrations
	if err := json.Unmarshal([]byte(text), &all); err != nil {
		t.Fatal(err)
	}
	return all
}

func TestDemoSumsUpTheTickets(t *testing.T) {
	t.Parallel()
	all := listed(t, `[
		{"customer":"a","state":"exporting","percent":40,"tickets":{"read":9,"created":5,"already_there":1,"skipped":1,"failed":1,"in_doubt":1}},
		{"customer":"b","state":"completed","percent":100,"tickets":{"created":2}}]`)
	if got := all.settledTickets(); got != 10 {
		t.Errorf("%d tickets settled, want 10", got)
	}
	if all.allEnded() {
		t.Error("one is still exporting")
	}
	if (migrations{}).allEnded() {
		t.Error("nothing has ended where nothing was started")
	}
}

func TestDemoEndsWithWhatToTryNext(t *testing.T) {
	t.Parallel()
	e := environment{checkout: checkout{root: "/src/farewell"}, settings: settingsFrom(t, nil)}
	text := e.epilogue(listed(t, `[
		{"customer":"a","destination":"csv","state":"completed","tickets":{"created":7}},
		{"customer":"b","destination":"zendesk","state":"completed_with_failures","tickets":{"created":9,"failed":1}}]`))
	for _, part := range []string{"bin/starter status b", "bin/starter failures b", "http://127.0.0.1:8480", "/src/farewell/.dev/bundles"} {
		if !strings.Contains(text, part) {
			t.Errorf("does not say %q:\n%s", part, text)
		}
	}
}
