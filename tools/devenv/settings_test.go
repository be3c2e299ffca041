package main

import (
	"os"
	"slices"
	"strings"
	"testing"
)

func settingsFrom(t *testing.T, env map[string]string) settings {
	t.Helper()
	s, err := readSettings(func(name string) string { return env[name] })
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestSettingsRefusePortsThatCannotWork(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		name string
		env  map[string]string
		says []string
	}{
		{"not a number", map[string]string{"FAREWELL_UI_PORT": "eighty"}, []string{"FAREWELL_UI_PORT", `"eighty"`, "between 1 and 65535"}},
		{"out of range", map[string]string{"FAREWELL_POSTGRES_PORT": "70000"}, []string{"FAREWELL_POSTGRES_PORT", "70000"}},
		{"one port for two", map[string]string{"FAREWELL_POSTGRES_PORT": "4480"}, []string{"FAREWELL_SANDBOX_PORT", "FAREWELL_POSTGRES_PORT", "both 4480"}},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			_, err := readSettings(func(name string) string { return row.env[name] })
			if err == nil {
				t.Fatal("accepted")
			}
			for _, part := range row.says {
				if !strings.Contains(err.Error(), part) {
					t.Errorf("%q does not say %q", err, part)
				}
			}
		})
	}
}

func TestServersOfOnesOwnAreNotStarted(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		name               string
		env                map[string]string
		postgres, temporal bool
		ports              int
	}{
		{"nothing given", nil, true, true, 4},
		{"only a source", map[string]string{"FAREWELL_SOURCE_URL": "postgres://db/crm"}, true, true, 4},
		{"source and ledger", map[string]string{"FAREWELL_SOURCE_URL": "postgres://db/crm", "FAREWELL_LEDGER_URL": "postgres://db/ledger"}, false, true, 3},
		{"Temporal", map[string]string{"TEMPORAL_ADDRESS": "temporal:7233"}, true, false, 2},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			s := settingsFrom(t, row.env)
			if s.startsPostgres() != row.postgres || s.startsTemporal() != row.temporal {
				t.Errorf("starts Postgres %v, Temporal %v", s.startsPostgres(), s.startsTemporal())
			}
			if got := len(s.ports()); got != row.ports {
				t.Errorf("%d ports to listen on, want %d", got, row.ports)
			}
		})
	}
}

func TestWaitsAreShortenedOnlyForTheSample(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		name string
		env  map[string]string
		want string
	}{
		{"the sample's accounts", nil, "20"},
		{"accounts of one's own", map[string]string{"FAREWELL_ACCOUNTS": "/etc/accounts.csv"}, "1"},
		{"as the caller says", map[string]string{"FAREWELL_ACCOUNTS": "/etc/accounts.csv", "FAREWELL_TIME_FACTOR": "5"}, "5"},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			if got := settingsFrom(t, row.env).timeFactor(); got != row.want {
				t.Errorf("shortened by %s, want %s", got, row.want)
			}
		})
	}
}

func TestEnvFileSaysWhereThingsAre(t *testing.T) {
	t.Parallel()
	root := t.TempDir()
	e := environment{
		checkout: checkout{root: root},
		settings: settingsFrom(t, map[string]string{"FAREWELL_LEDGER_URL": "postgres://me:secret@db/ledger", "FAREWELL_UI_PORT": "9000"}),
	}
	if err := os.MkdirAll(e.checkout.dev(), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := e.writeEnvFile(); err != nil {
		t.Fatal(err)
	}
	data, err := os.ReadFile(e.checkout.dev("env"))
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(strings.TrimSpace(string(data)), "\n")
	for _, want := range []string{
		"FAREWELL_SOURCE_URL=postgres://postgres@127.0.0.1:54480/crm?sslmode=disable",
		"FAREWELL_LEDGER_URL=postgres://me:secret@db/ledger",
		"TEMPORAL_ADDRESS=127.0.0.1:7480",
		"TEMPORAL_NAMESPACE=default",
		"FAREWELL_ACCOUNTS=" + root + "/.dev/accounts.csv",
		"FAREWELL_TEMPORAL_UI=http://127.0.0.1:9000",
		"FAREWELL_TIME_FACTOR=20",
	} {
		if !slices.Contains(lines, want) {
			t.Errorf("no line %q in\n%s", want, data)
		}
	}
	info, err := os.Stat(e.checkout.dev("env"))
	if err != nil {
		t.Fatal(err)
	}
	if info.Mode().Perm() != 0o600 {
		t.Errorf("others may read the passwords: %v", info.Mode())
	}
}
