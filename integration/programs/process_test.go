package programs

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// obedient says that it is ready, and ends in good order when it is told to.
const obedient = `trap 'echo told; exit 0' TERM; echo "ready at 1"; while :; do sleep 0.02; done`

func start(ctx context.Context, t *testing.T, log, script string) *Process {
	t.Helper()
	p, line, err := Start(ctx, log, "ready at ", nil, "/bin/sh", "-c", script)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(p.Kill)
	if line != "ready at 1\n" {
		t.Errorf("the line with the word is %q", line)
	}
	return p
}

func TestStoppedProgramEndsInGoodOrderAndItsSuccessorGoesOnInItsLog(t *testing.T) {
	t.Parallel()
	log := filepath.Join(t.TempDir(), "log")
	for range 2 {
		used, err := start(t.Context(), t, log, obedient).StopMeasured()
		if err != nil || used.Peak <= 0 {
			t.Errorf("used %+v, %v", used, err)
		}
	}
	text, err := os.ReadFile(log)
	if want := strings.Repeat("ready at 1\ntold\n", 2); err != nil || string(text) != want {
		t.Errorf("the log says %q, %v; want %q", text, err, want)
	}
}

func TestEndOfTheContextStopsTheProgram(t *testing.T) {
	t.Parallel()
	ctx, end := context.WithCancel(t.Context())
	p := start(ctx, t, filepath.Join(t.TempDir(), "log"), obedient)
	end()
	<-p.Ended()
	if said := p.Said(); !strings.HasSuffix(said, "told\n") {
		t.Errorf("it said %q, not that it was told to end", said)
	}
}

func TestProgramThatFailsWhenItIsStoppedIsAnError(t *testing.T) {
	t.Parallel()
	p := start(t.Context(), t, filepath.Join(t.TempDir(), "log"), strings.Replace(obedient, "exit 0", "exit 7", 1))
	if err := p.Stop(); err == nil || !strings.Contains(err.Error(), "exit status 7") {
		t.Errorf("got %v, want the exit status", err)
	}
}

func TestProgramThatEndsBeforeItIsReadyIsAnErrorWithWhatItSaid(t *testing.T) {
	t.Parallel()
	_, _, err := Start(t.Context(), filepath.Join(t.TempDir(), "log"), "ready", nil, "/bin/sh", "-c", "echo no such database >&2; exit 3")
	if err == nil || !strings.Contains(err.Error(), "no such database") || !strings.Contains(err.Error(), "exit status 3") {
		t.Errorf("got %v, want what it said and its exit status", err)
	}
}
