package migration_test

import (
	"slices"
	"testing"

	"farewell/migration"
)

func TestNearestNames(t *testing.T) {
	t.Parallel()
	names := []string{"acme", "acme-trial", "globex", "initech"}
	for name, want := range map[string][]string{
		"acmee": {"acme"}, "ACME": {"acme"}, "glbex": {"globex"}, "zzz": nil, "acm": {"acme", "acme-trial"},
	} {
		if got := migration.Nearest(name, names); !slices.Equal(got, want) {
			t.Errorf("Nearest(%q) = %q, want %q", name, got, want)
		}
	}
}
