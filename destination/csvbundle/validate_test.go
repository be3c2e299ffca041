package csvbundle

import (
	"context"
	"testing"
)

// wantValid checks a bundle with our own verification, which the tests of
// damage show to see what there is to see.
func wantValid(t testing.TB, path string) Verified {
	t.Helper()
	found, err := Verify(context.Background(), path)
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range found.Problems {
		t.Errorf("%s is not valid: %s", path, p)
	}
	return found
}
