package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"syscall"
	"time"
)

// withLock runs f while no other command changes this environment. The lock
// goes with the process, so a killed command leaves none behind.
func (e environment) withLock(ctx context.Context, f func() error) error {
	if err := os.MkdirAll(e.checkout.dev("bin"), 0o755); err != nil {
		return fmt.Errorf("make .dev: %w", err)
	}
	lock, err := os.OpenFile(e.checkout.dev("lock"), os.O_CREATE|os.O_RDWR, 0o644)
	if err != nil {
		return fmt.Errorf("open .dev/lock: %w", err)
	}
	defer lock.Close()
	if !tryLock(lock) {
		holder, _ := os.ReadFile(lock.Name()) // only for the message
		what := fmt.Sprintf("waiting for another temporal-dev.sh at work in this checkout (process %s)", strings.TrimSpace(string(holder)))
		err := e.console.during(what, "", func() error {
			return waitUntil(ctx, time.Hour, func() bool { return tryLock(lock) })
		})
		if err != nil {
			return fmt.Errorf("%s: %w", what, err)
		}
	}
	if err := errors.Join(lock.Truncate(0), writeAt(lock, fmt.Sprintln(os.Getpid()))); err != nil {
		return fmt.Errorf("write .dev/lock: %w", err)
	}
	return f()
}

func tryLock(f *os.File) bool {
	return syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB) == nil
}

func writeAt(f *os.File, text string) error {
	_, err := f.WriteAt([]byte(text), 0)
	return err
}
