package main

import (
	"slices"
	"testing"
)

func TestTemporalOnPathMustBeNewEnough(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		name, version string
		want          bool
	}{
		{"the pinned one", "temporal version 1.5.1 (Server 1.29.1, UI 2.42.1)", true},
		{"built from source", "temporal version 0.0.0-DEV (Server 1.29.1, UI 2.42.1)", true},
		{"a newer patch", "temporal version 1.5.2 (Server 1.29.2, UI 2.42.1)", true},
		{"a newer server", "temporal version 1.7.0 (Server 1.32.0, UI 2.50.0)", true},
		{"an older patch", "temporal version 1.5.0 (Server 1.29.0, UI 2.42.1)", false},
		{"an older server", "temporal version 1.4.1 (Server 1.28.9, UI 2.39.0)", false},
		{"another program of that name", "temporal 3", false},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			if got := serverIsNewEnough(row.version); got != row.want {
				t.Errorf("new enough: %v, want %v", got, row.want)
			}
		})
	}
}

func TestDevServerWithoutUserInterfaceForTests(t *testing.T) {
	t.Parallel()
	withUI := devServer("/bin/temporal", "/data/temporal.db", 7480, 8480)
	without := devServer("/bin/temporal", "/data/temporal.db", 7480, 0)
	if slices.Contains(withUI.Args, "--headless") || !slices.Equal(withUI.Ports, []int{7480, 8480}) {
		t.Errorf("with a Web UI: %q, ports %v", withUI.Args, withUI.Ports)
	}
	if !slices.Contains(without.Args, "--headless") || !slices.Equal(without.Ports, []int{7480}) {
		t.Errorf("without: %q, ports %v", without.Args, without.Ports)
	}
}
