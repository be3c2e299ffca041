package main

import (
	"slices"
	"strings"
	"testing"
)

func TestGoTestArgumentsAreCompleted(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		name, given, want string
		namesPackages     bool
	}{
		{"nothing", "", "test -json -count=1 -timeout=20m ./...", false},
		{"only flags", "-race -run TestX", "test -json -count=1 -timeout=20m -race -run TestX ./...", false},
		{"a package", "./ledger/... -v", "test -json -count=1 -timeout=20m ./ledger/... -v", true},
		{"a package by its path", "farewell/ledger", "test -json -count=1 -timeout=20m farewell/ledger", true},
		{"flags of one's own", "-count=3 -timeout 5s .", "test -json -count=3 -timeout 5s .", true},
		{"arguments for the tests", "-run TestX -args ./file", "test -json -count=1 -timeout=20m -run TestX ./... -args ./file", false},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			got, names := goTestArguments(strings.Fields(row.given))
			if text := strings.Join(got, " "); text != row.want || names != row.namesPackages {
				t.Errorf("got %q, %v, want %q, %v", text, names, row.want, row.namesPackages)
			}
		})
	}
}

func TestTestsNeverSeeTheCallersServers(t *testing.T) {
	t.Parallel()
	e := environment{checkout: checkout{root: "/src/farewell"}}
	got := e.testVariables(&testServers{postgresURL: "postgres://test", temporalAddress: "127.0.0.1:1", temporalMetrics: "http://127.0.0.1:2/metrics"},
		[]string{"PATH=/bin", "FAREWELL_SOURCE_URL=postgres://production", "TEMPORAL_ADDRESS=production:7233"})
	want := []string{
		"PATH=/bin", "FAREWELL_TEST_POSTGRES_URL=postgres://test",
		"FAREWELL_TEST_TEMPORAL_ADDRESS=127.0.0.1:1", "FAREWELL_TEST_TEMPORAL_METRICS=http://127.0.0.1:2/metrics",
		"FAREWELL_TEST_BIN=/src/farewell/bin",
	}
	if !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}
