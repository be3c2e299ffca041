package main

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// testEvent is a line of `go test -json`, see `go doc test2json`, and `go help
// buildjson` for the lines about builds.
type testEvent struct {
	Action      string
	Package     string
	Test        string
	Elapsed     float64 // seconds
	Output      string
	ImportPath  string
	FailedBuild string
}

// tally counts tests. A test with subtests is counted by its subtests.
type tally struct{ passed, failed, skipped int }

func (t tally) String() string {
	return fmt.Sprintf("%d passed, %d failed, %d skipped", t.passed, t.failed, t.skipped)
}

func (t tally) plus(o tally) tally {
	return tally{t.passed + o.passed, t.failed + o.failed, t.skipped + o.skipped}
}

// clean says whether everything was run and passed: a skipped test has shown
// nothing.
func (t tally) clean() bool { return t.failed == 0 && t.skipped == 0 }

// packageRun collects the events of one package until it ends.
type packageRun struct {
	name    string
	output  []string // of the package itself, outside any test
	tests   map[string]*testCase
	started []string // names in the order of starting
}

type testCase struct {
	verdict  string // pass, fail, skip; empty while it runs
	began    time.Time
	waits    bool // for its turn, since it may run beside others
	output   []string
	hasChild bool
}

func newPackageRun(name string) *packageRun {
	return &packageRun{name: name, tests: map[string]*testCase{}}
}

func (p *packageRun) add(ev testEvent, now time.Time) {
	if ev.Test == "" {
		if ev.Action == "output" {
			p.output = append(p.output, ev.Output)
		}
		return
	}
	test := p.test(ev.Test, now)
	switch ev.Action {
	case "output":
		test.output = append(test.output, ev.Output)
	case "pause":
		test.waits = true
	case "cont":
		test.waits, test.began = false, now
	case "fail", "skip":
		test.verdict = ev.Action
	case "pass":
		test.verdict, test.output = ev.Action, nil
	}
}

func (p *packageRun) test(name string, now time.Time) *testCase {
	if t, known := p.tests[name]; known {
		return t
	}
	t := &testCase{began: now}
	p.tests[name] = t
	p.started = append(p.started, name)
	for parent := range ancestors(name) {
		if above, known := p.tests[parent]; known {
			above.hasChild = true
		}
	}
	return t
}

// ancestors yields the names of the tests that a subtest may belong to.
func ancestors(name string) func(yield func(string) bool) {
	return func(yield func(string) bool) {
		for {
			i := strings.LastIndexByte(name, '/')
			if i < 0 || !yield(name[:i]) {
				return
			}
			name = name[:i]
		}
	}
}

// failure is something for a person to read about.
type failure struct {
	name   string
	output string
}

// packageResult is what a package has shown.
type packageResult struct {
	tally
	failures []failure
	skips    []failure
}

// end judges the package when its last event, ev, has come. A package that
// fails without a failing test, for example because it does not build, counts
// as one failure, and so does a test that never ended.
func (p *packageRun) end(ev testEvent, buildOutput string) packageResult {
	var r packageResult
	for _, name := range p.started {
		p.count(name, &r)
	}
	if ev.Action == "fail" && r.failed == 0 {
		r.failed++
		r.failures = append(r.failures, failure{name: p.name, output: buildOutput + strings.Join(p.output, "")})
	}
	return r
}

func (p *packageRun) count(name string, r *packageResult) {
	test := p.tests[name]
	verdict := test.verdict
	if verdict == "" {
		verdict = "fail"
		test.output = append(test.output, "the test did not end\n")
	}
	if test.hasChild && (verdict == "pass" || p.descendantHas(name, test.verdict)) {
		return
	}
	told := failure{name: p.name + " " + name, output: strings.Join(test.output, "")}
	switch verdict {
	case "pass":
		r.passed++
	case "skip":
		r.skipped++
		r.skips = append(r.skips, told)
	default:
		r.failed++
		r.failures = append(r.failures, told)
	}
}

func (p *packageRun) descendantHas(name, verdict string) bool {
	return slices.ContainsFunc(p.started, func(other string) bool {
		return strings.HasPrefix(other, name+"/") && p.tests[other].verdict == verdict
	})
}

// running is the test that has run longest, and since when.
func (p *packageRun) running() (name string, began time.Time) {
	for _, started := range p.started {
		t := p.tests[started]
		if t.verdict == "" && !t.hasChild && !t.waits && (name == "" || t.began.Before(began)) {
			name, began = started, t.began
		}
	}
	return name, began
}
