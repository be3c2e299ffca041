package main

import (
	"os"
	"path/filepath"
	"testing"
)

func TestOnlyAFolderOpenAllTheWayCanBeEntered(t *testing.T) {
	t.Parallel()
	outer := t.TempDir()
	inner := filepath.Join(outer, "inner")
	if err := os.Mkdir(inner, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(outer, 0o700); err != nil {
		t.Fatal(err)
	}
	if enterable(inner) {
		t.Error("a folder below one that is closed to others passes for open")
	}
	if !enterable("/usr/bin") {
		t.Error("/usr/bin passes for closed")
	}
}

func TestTwoCheckoutsNeverShareTheirData(t *testing.T) {
	t.Parallel()
	one, other := checkout{root: "/root/farewell"}, checkout{root: "/root/farewell2"}
	if one.outsidePostgresParent() == other.outsidePostgresParent() {
		t.Error("both have their data in " + one.outsidePostgresParent())
	}
}
