package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"time"

	"farewell/destination"
)

// tests are those of the facts, compiled.
type tests struct {
	binary  string
	account string // file
	names   []string
}

// testLimit ends a test that hangs: the slowest waits for an account's index.
const testLimit = 15 * time.Minute

func build(ctx context.Context, dir string, a destination.Account) (*tests, error) {
	t := &tests{binary: filepath.Join(dir, "facts.test"), account: filepath.Join(dir, "account.json")}
	header, err := authorization(ctx, a)
	if err != nil {
		return nil, err
	}
	file, err := json.Marshal(map[string]string{"url": a.URL, "authorization": header})
	if err != nil {
		return nil, fmt.Errorf("write the account down for the tests: %w", err)
	}
	if err := os.WriteFile(t.account, file, 0o600); err != nil {
		return nil, fmt.Errorf("write the account down for the tests: %w", err)
	}
	if _, err := output(ctx, "go", "test", "-c", "-o", t.binary, "./destination/zendesk/zendesktest"); err != nil {
		return nil, err
	}
	list, err := output(ctx, t.binary, "-test.list", "^Test(Fact|Unconfirmed)[0-9]")
	if err != nil {
		return nil, err
	}
	t.names = strings.Fields(list)
	return t, nil
}

func output(ctx context.Context, name string, args ...string) (string, error) {
	cmd := exec.CommandContext(ctx, name, args...)
	var complaints bytes.Buffer
	cmd.Stderr = &complaints
	out, err := cmd.Output()
	if err != nil {
		return "", fmt.Errorf("%s %s: %w\n%s", filepath.Base(name), strings.Join(args, " "), err, complaints.String())
	}
	return string(out), nil
}

// runAll runs each test in a process of its own: what one leaves behind when
// it fails does not end the others.
func (t *tests) runAll(ctx context.Context) (*report, error) {
	r := &report{}
	for _, name := range t.names {
		cmd := exec.CommandContext(ctx, t.binary, "-test.run", "^"+name+"$", "-test.v", "-test.timeout", testLimit.String(), "-account", t.account)
		said, err := cmd.CombinedOutput()
		if ctx.Err() != nil {
			return nil, errors.New("interrupted: what the last test had made may still be in the account")
		}
		r.results = append(r.results, read(name, string(said), err))
		fmt.Fprintf(os.Stderr, "\r%d of %d tests", len(r.results), len(t.names))
	}
	fmt.Fprintln(os.Stderr)
	return r, nil
}

// result is what a test showed.
type result struct {
	test       string
	assumption string // "1a: …"; empty for the facts that are documented or recorded
	verdict    verdict
	why        string
	left       []string // records that it could not delete
}

// verdict on an assumption.
type verdict string

const (
	held        verdict = "held"
	differs     verdict = "differs"
	notTestable verdict = "not testable"
)

var (
	assumption = regexp.MustCompile(`_test\.go:\d+: assumption (.*)$`)
	excuse     = regexp.MustCompile(`_test\.go:\d+: not testable on an account: (.*)$`)
	remainder  = regexp.MustCompile(`_test\.go:\d+: left behind in the account: (.*)$`)
	complaint  = regexp.MustCompile(`_test\.go:\d+: (.*)$`)
)

// read understands what a test said. A test whose subtests were all left out
// has shown nothing; one of which some were run has shown those.
func read(name, said string, err error) result {
	r := result{test: name, verdict: held}
	if err != nil {
		r.verdict, r.why = differs, "the test ended with "+err.Error()
	}
	passed, excused := 0, ""
	lines := bufio.NewScanner(strings.NewReader(said))
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		line := lines.Text()
		switch m := assumption.FindStringSubmatch(line); {
		case m != nil:
			r.assumption = m[1]
		case remainder.MatchString(line):
			r.left = append(r.left, remainder.FindStringSubmatch(line)[1])
		case excuse.MatchString(line):
			excused = excuse.FindStringSubmatch(line)[1]
		case strings.Contains(line, "--- PASS: "+name):
			passed++
		case err != nil && strings.HasPrefix(r.why, "the test ended") && complaint.MatchString(line):
			r.why = complaint.FindStringSubmatch(line)[1]
		}
	}
	if err == nil && excused != "" && passed <= 1 {
		r.verdict, r.why = notTestable, excused
	}
	return r
}
