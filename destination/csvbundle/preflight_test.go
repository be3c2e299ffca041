package csvbundle

import (
	"context"
	"os"
	"path/filepath"
	"testing"

	"farewell/destination"
)

func preflight(t *testing.T, b *Bundle, in destination.PreflightInput) map[string]destination.Check {
	t.Helper()
	checks, err := b.Preflight(context.Background(), in)
	if err != nil {
		t.Fatal(err)
	}
	byName := make(map[string]destination.Check)
	for _, c := range checks {
		byName[c.Name] = c
		if !c.OK && (c.Fix == "" || !c.Fatal) {
			t.Errorf("a check that fails must be fatal here and say what to do: %+v", c)
		}
	}
	return byName
}

func TestPreflightWritesNothing(t *testing.T) {
	t.Parallel()
	root := filepath.Join(t.TempDir(), "not", "yet")
	checks := preflight(t, openAt(t, root), destination.PreflightInput{Migration: acme, LedgerEmpty: true})
	if len(checks) != 3 {
		t.Fatalf("%d checks", len(checks))
	}
	for _, c := range checks {
		if !c.OK {
			t.Errorf("%+v", c)
		}
	}
	if _, err := os.Stat(filepath.Dir(root)); !os.IsNotExist(err) {
		t.Fatalf("the folder was made: %v", err)
	}
}

func TestPreflightRefusesWhatCannotWork(t *testing.T) {
	t.Parallel()
	p := makePart(1, 0, "1,a\n", "")
	for _, tc := range []struct {
		name     string
		prepare  func(t *testing.T, b *Bundle)
		in       destination.PreflightInput
		check    string
		override string
	}{
		{"a file instead of the folder", func(t *testing.T, b *Bundle) {
			if err := os.WriteFile(files(b).root, nil, 0o600); err != nil {
				t.Fatal(err)
			}
		}, destination.PreflightInput{Migration: acme}, "bundle folder", ""},
		{"a file instead of the bundle", func(t *testing.T, b *Bundle) {
			if err := makeFolders(files(b).disk, files(b).root); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(files(b).where(), nil, 0o600); err != nil {
				t.Fatal(err)
			}
		}, destination.PreflightInput{Migration: acme}, "bundle", ""},
		{"a foreign folder", func(t *testing.T, b *Bundle) {
			if err := os.MkdirAll(filepath.Join(files(b).where(), "photos"), 0o755); err != nil {
				t.Fatal(err)
			}
		}, destination.PreflightInput{Migration: acme}, "bundle", ""},
		{"another customer's bundle", func(t *testing.T, b *Bundle) {
			writeParts(t, b, p)
			publish(t, b, p)
		}, destination.PreflightInput{LedgerEmpty: true}, "bundle", ""},
		{"another customer's parts", func(t *testing.T, b *Bundle) { writeParts(t, b, p) },
			destination.PreflightInput{LedgerEmpty: true}, "bundle", ""},
		{"a bundle that the ledger does not know", func(t *testing.T, b *Bundle) {
			writeParts(t, b, p)
			publish(t, b, p)
		}, destination.PreflightInput{Migration: acme, LedgerEmpty: true}, "bundle", ""},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			b := openAt(t, filepath.Join(t.TempDir(), "bundles"))
			tc.prepare(t, b)
			c, ok := preflight(t, b, tc.in)[tc.check]
			if !ok || c.OK || c.Override != tc.override {
				t.Fatalf("%+v", c)
			}
		})
	}
}

func TestPreflightAcceptsTheOwnBundle(t *testing.T) {
	t.Parallel()
	b := openAt(t, t.TempDir())
	p := makePart(1, 0, "1,a\n", "")
	writeParts(t, b, p)
	publish(t, b, p)
	if c := preflight(t, b, destination.PreflightInput{Migration: acme})["bundle"]; !c.OK {
		t.Fatalf("%+v", c)
	}
}
