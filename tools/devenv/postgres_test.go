package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"testing"
)

func TestALockFileOfAnotherProgramIsStale(t *testing.T) {
	t.Parallel()
	c := cluster{data: t.TempDir()}
	lock := filepath.Join(c.data, "postmaster.pid")
	// This test's own process has the number now, and is no Postgres.
	content := fmt.Sprintf("%d\n%s\n1700000000\n54480\n", os.Getpid(), c.data)
	if err := os.WriteFile(lock, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := c.removeStaleLockFile(); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(lock); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the stale lock file is still there: %v", err)
	}
}

func TestNoDataDirectoryHasNoVersion(t *testing.T) {
	t.Parallel()
	data := t.TempDir()
	if got := majorVersion(data); got != 0 {
		t.Errorf("version %d of an empty folder", got)
	}
	if err := os.WriteFile(filepath.Join(data, "PG_VERSION"), []byte("15\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if got := majorVersion(data); got != 15 {
		t.Errorf("version %d, want 15", got)
	}
}
