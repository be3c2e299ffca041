package integration_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os/exec"
	"strings"
	"testing"
	"time"
)

// Exit codes that the product promises.
const (
	exitOK          = 0
	exitError       = 1
	exitUsage       = 2
	exitFailures    = 3
	exitAttention   = 4
	exitCancelled   = 5
	exitInterrupted = 130
)

// commandLimit is how long a command may take that watches nothing.
const commandLimit = 240 * time.Second

// answer is what a command said.
type answer struct {
	code           int
	stdout, stderr string
	took           time.Duration
}

func (a answer) String() string {
	return fmt.Sprintf("exit code %d after %s\n%s%s", a.code, a.took.Round(time.Millisecond), a.stdout, a.stderr)
}

// starter runs bin/starter to its end.
func (s *stage) starter(args ...string) answer {
	s.t.Helper()
	return s.starterWith(nil, args...)
}

// starterWith does the same with variables of its own.
func (s *stage) starterWith(env []string, args ...string) answer {
	s.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), commandLimit)
	defer cancel()
	began := time.Now()
	cmd := exec.CommandContext(ctx, binary(s.t, "starter"), args...)
	cmd.Dir, cmd.Env = s.dir, s.environment(env...)
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	err := cmd.Run()
	a := answer{code: cmd.ProcessState.ExitCode(), stdout: stdout.String(), stderr: stderr.String(), took: time.Since(began)}
	s.mu.Lock()
	fmt.Fprintf(&s.said, "$ starter %s\n%s\n", strings.Join(args, " "), firstLines(a.String(), 40))
	s.mu.Unlock()
	var exit *exec.ExitError
	if ctx.Err() != nil {
		s.t.Fatalf("starter %s does not end within %s\n%s", strings.Join(args, " "), commandLimit, a)
	}
	if err != nil && !errors.As(err, &exit) {
		s.t.Fatalf("starter %s: %v", strings.Join(args, " "), err)
	}
	return a
}

// mustStart runs bin/starter, which must exit with 0.
func (s *stage) mustStart(args ...string) answer {
	s.t.Helper()
	return s.wantExit(exitOK, args...)
}

// wantExit runs bin/starter, which must exit with the code.
func (s *stage) wantExit(code int, args ...string) answer {
	s.t.Helper()
	a := s.starter(args...)
	if a.code != code {
		s.t.Fatalf("starter %s: want exit code %d: %s", strings.Join(args, " "), code, a)
	}
	return a
}

// status is `starter status CUSTOMER -o json`.
func (s *stage) status(customer string) map[string]any {
	s.t.Helper()
	a := s.starter("status", customer, "-o", "json")
	if a.code == exitError || a.code == exitUsage {
		s.t.Fatalf("starter status %s: %s", customer, a)
	}
	return decodeObject(s.t, []byte(a.stdout))
}

// list is `starter list -o json`.
func (s *stage) list() []map[string]any {
	s.t.Helper()
	return decodeList(s.t, []byte(s.mustStart("list", "-o", "json").stdout))
}

// failures is `starter failures CUSTOMER -o json`.
func (s *stage) failures(customer string) []map[string]any {
	s.t.Helper()
	return decodeList(s.t, []byte(s.mustStart("failures", customer, "-o", "json").stdout))
}

// awaitState returns when the migration has the state.
func (s *stage) awaitState(customer, state string, within time.Duration) map[string]any {
	s.t.Helper()
	var last map[string]any
	eventually(s.t, within, customer+" is "+state, func() (bool, string) {
		last = s.status(customer)
		return last["state"] == state, fmt.Sprint(last["state"], ": ", last["reason"])
	})
	return last
}

// wantCounts compares an entity's counts of a status; those not named must be 0.
func wantCounts(t testing.TB, status map[string]any, entity string, want map[string]int) {
	t.Helper()
	counts := object(t, status[entity])
	for _, name := range []string{"read", "created", "already_there", "skipped", "failed", "in_doubt"} {
		if got := number(t, counts[name]); got != want[name] {
			t.Errorf("%s of %s: %s is %d, want %d (all: %v)", entity, status["customer"], name, got, want[name], counts)
		}
	}
}

func discard() *slog.Logger { return slog.New(slog.DiscardHandler) }
