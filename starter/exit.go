package main

import (
	"fmt"

	"farewell/migration"
)

// Exit codes. Scripts rely on them.
const (
	exitOK          = 0
	exitError       = 1
	exitUsage       = 2
	exitFailures    = 3   // completed with failures
	exitAttention   = 4   // failed, or needs attention
	exitCancelled   = 5   // cancelled
	exitInterrupted = 130 // as shells report an interrupt
)

// exit ends the program with a code when everything has been said.
type exit int

func (e exit) Error() string { return fmt.Sprintf("exit code %d", int(e)) }

// usageError is a command line that cannot be meant.
type usageError struct{ text string }

func (e usageError) Error() string { return e.text }

func usagef(format string, args ...any) error {
	return usageError{fmt.Sprintf(format, args...)}
}

// exitOf is the code of one state. A migration that still runs is well.
func exitOf(s migration.State) int {
	switch s {
	case migration.StateFailed, migration.StateNeedsAttention:
		return exitAttention
	case migration.StateCancelled:
		return exitCancelled
	case migration.StateCompletedWithFailures:
		return exitFailures
	}
	return exitOK
}

// worst is the code for several migrations: whatever needs an operator first,
// then what was stopped half-way, then single records that failed.
func worst(views []view) error {
	rank := map[int]int{exitAttention: 3, exitCancelled: 2, exitFailures: 1}
	code := exitOK
	for _, v := range views {
		if c := exitOf(v.State); rank[c] > rank[code] {
			code = c
		}
	}
	if code == exitOK {
		return nil
	}
	return exit(code)
}
