package integration_test

import (
	"testing"
	"time"
)

// lookEvery is how often a test looks whether what it waits for has happened.
const lookEvery = 100 * time.Millisecond

// eventually looks until the condition holds, and fails the test with what was
// seen last when it does not hold within the time. look says what it saw.
func eventually(t testing.TB, within time.Duration, what string, look func() (holds bool, seen string)) {
	t.Helper()
	deadline := time.NewTimer(within)
	defer deadline.Stop()
	tick := time.NewTicker(lookEvery)
	defer tick.Stop()
	for {
		holds, seen := look()
		if holds {
			return
		}
		select {
		case <-deadline.C:
			t.Fatalf("not within %s: %s; seen last: %s", within, what, seen)
		case <-tick.C:
		}
	}
}

// throughout looks for a time, and fails the test when the condition does not
// hold at any moment of it.
func throughout(t testing.TB, span time.Duration, what string, look func() (holds bool, seen string)) {
	t.Helper()
	end := time.NewTimer(span)
	defer end.Stop()
	tick := time.NewTicker(lookEvery)
	defer tick.Stop()
	for {
		if holds, seen := look(); !holds {
			t.Fatalf("no longer: %s; seen: %s", what, seen)
		}
		select {
		case <-end.C:
			return
		case <-tick.C:
		}
	}
}
