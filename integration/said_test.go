package integration_test

import (
	"strings"
	"testing"
)

// wantSaid looks for texts in what a command said, on either stream.
func wantSaid(t testing.TB, a answer, texts ...string) {
	t.Helper()
	for _, want := range texts {
		if !strings.Contains(a.stdout+a.stderr, want) {
			t.Errorf("it should say %q: %s", want, a)
		}
	}
}
