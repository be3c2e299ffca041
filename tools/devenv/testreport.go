package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"
)

// testReport turns the events of test runs into lines for a person.
type testReport struct {
	console *console

	mu     sync.Mutex
	open   map[string]*packageRun
	builds map[string]string // output of failed builds by import path
	done   int
	total  tally
	failed []string
}

func newTestReport(c *console) *testReport {
	return &testReport{console: c, open: map[string]*packageRun{}, builds: map[string]string{}}
}

// read consumes the output of one `go test -json`.
func (r *testReport) read(from io.Reader) error {
	lines := bufio.NewReader(from)
	for {
		line, err := lines.ReadString('\n')
		if line != "" {
			r.line(line)
		}
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return fmt.Errorf("read the test events: %w", err)
		}
	}
}

func (r *testReport) line(line string) {
	var ev testEvent
	if !strings.HasPrefix(line, "{") || json.Unmarshal([]byte(line), &ev) != nil {
		r.console.say("%s", strings.TrimSuffix(line, "\n"))
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if ev.ImportPath != "" {
		r.builds[ev.ImportPath] += ev.Output
		return
	}
	run, known := r.open[ev.Package]
	if !known {
		run = newPackageRun(ev.Package)
		r.open[ev.Package] = run
	}
	if ev.Test == "" && (ev.Action == "pass" || ev.Action == "fail" || ev.Action == "skip") {
		delete(r.open, ev.Package)
		r.packageEnded(run, ev)
		return
	}
	run.add(ev, time.Now())
}

func (r *testReport) packageEnded(run *packageRun, ev testEvent) {
	result := run.end(ev, r.builds[ev.FailedBuild])
	r.done++
	r.total = r.total.plus(result.tally)
	if result.tally == (tally{}) {
		return // no tests in this package
	}
	word := "ok  "
	if !result.clean() {
		word = "FAIL"
	}
	r.console.say("%s  %-44s %8s  %v", word, ev.Package, brief(time.Duration(ev.Elapsed*float64(time.Second))), result.tally)
	for _, f := range result.failures {
		r.failed = append(r.failed, "failed: "+f.name)
		r.console.say("--- failed: %s\n%s", f.name, indent(f.output))
	}
	for _, f := range result.skips {
		r.failed = append(r.failed, "skipped: "+f.name)
		r.console.say("--- skipped: %s\n%s", f.name, indent(f.output))
	}
}

// fail counts something that went wrong outside any package.
func (r *testReport) fail(what, output string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.total.failed++
	r.failed = append(r.failed, "failed: "+what)
	r.console.say("--- failed: %s\n%s", what, indent(output))
}

func (r *testReport) failures() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.total.failed
}

// progress is one line about what goes on.
func (r *testReport) progress(now time.Time) string {
	r.mu.Lock()
	defer r.mu.Unlock()
	text := fmt.Sprintf("%d packages done, %v", r.done, r.total)
	for _, name := range slices.Sorted(maps.Keys(r.open)) {
		if test, began := r.open[name].running(); test != "" {
			text += fmt.Sprintf("; %s %s for %s", name, test, brief(now.Sub(began)))
		}
	}
	return text
}

// finish prints the end; its last line is the tally.
func (r *testReport) finish() tally {
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(r.failed) > 0 {
		r.console.say("\n%s", strings.Join(r.failed, "\n"))
	}
	r.console.say("\n%v", r.total)
	return r.total
}

func indent(text string) string {
	var b strings.Builder
	for line := range strings.Lines(text) {
		b.WriteString("    " + line)
	}
	return strings.TrimSuffix(b.String(), "\n")
}
