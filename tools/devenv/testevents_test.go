package main

import (
	"bytes"
	"os"
	"strings"
	"testing"
	"time"
)

// report runs the events in a file of testdata, recorded from `go test -json`,
// through a report and returns what a person sees.
func report(t *testing.T, recording string) (string, tally) {
	t.Helper()
	f, err := os.Open("testdata/" + recording)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	var out bytes.Buffer
	r := newTestReport(&console{out: &out})
	if err := r.read(f); err != nil {
		t.Fatal(err)
	}
	total := r.finish()
	return out.String(), total
}

func TestReportCountsTestsAndLeafSubtests(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		name, recording string
		want            tally
		says            []string
	}{
		{"subtests count and their parent does not", "subtests.json", tally{passed: 3}, []string{"3 passed"}},
		{"a parent that fails by itself counts", "parent_fails.json", tally{passed: 1, failed: 1}, []string{"failed: sample/parent TestParent", "the parent's own complaint"}},
		{"a failing and a skipped subtest", "mixed.json", tally{passed: 1, failed: 1, skipped: 1}, []string{"TestMixed/red", "got 1, want 2", "skipped: sample/mixed TestMixed/later", "no server here"}},
		{"a package that does not build", "build_fails.json", tally{failed: 1}, []string{"failed: sample/broken", "undefined: missing"}},
		{"a panic ends the package", "panic.json", tally{passed: 1, failed: 1}, []string{"failed: sample/panics TestPanics", "panic: at the disco"}},
		{"an exit without a verdict", "exit.json", tally{failed: 1}, []string{"TestExits", "the test did not end"}},
		{"a package without tests", "no_tests.json", tally{}, []string{"0 passed, 0 failed, 0 skipped"}},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			text, got := report(t, row.recording)
			if got != row.want {
				t.Errorf("counted %v, want %v", got, row.want)
			}
			for _, part := range row.says {
				if !strings.Contains(text, part) {
					t.Errorf("the report does not say %q:\n%s", part, text)
				}
			}
			lines := strings.Split(strings.TrimSpace(text), "\n")
			if last := lines[len(lines)-1]; last != row.want.String() {
				t.Errorf("the last line is %q, want %q", last, row.want)
			}
		})
	}
}

func TestProgressNamesTheTestThatRunsLongestAndNoneThatWaits(t *testing.T) {
	t.Parallel()
	run := newPackageRun("sample/parallel")
	begin := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	for i, ev := range []testEvent{
		{Test: "TestWaits", Action: "run"}, {Test: "TestWaits", Action: "pause"},
		{Test: "TestEnds", Action: "run"}, {Test: "TestEnds", Action: "pass"},
		{Test: "TestRuns", Action: "run"}, {Test: "TestRuns", Action: "pause"},
		{Test: "TestAlone", Action: "run"},
		{Test: "TestRuns", Action: "cont"},
	} {
		run.add(ev, begin.Add(time.Duration(i)*time.Second))
	}
	if name, since := run.running(); name != "TestAlone" || !since.Equal(begin.Add(6*time.Second)) {
		t.Errorf("%s since %s", name, since)
	}
	run.add(testEvent{Test: "TestAlone", Action: "pass"}, begin.Add(8*time.Second))
	if name, since := run.running(); name != "TestRuns" || !since.Equal(begin.Add(7*time.Second)) {
		t.Errorf("%s since %s", name, since)
	}
	run.add(testEvent{Test: "TestRuns", Action: "pass"}, begin.Add(9*time.Second))
	if name, _ := run.running(); name != "" {
		t.Errorf("%s", name)
	}
}
