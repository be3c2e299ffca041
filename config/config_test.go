package config

import (
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// fakeEnvironment is a process's environment with an env file below it.
func fakeEnvironment(process, file map[string]string) environment {
	return environment{
		process: func(name string) (string, bool) { v, ok := process[name]; return v, ok },
		list: func() []string {
			var all []string
			for name, value := range process {
				all = append(all, name+"="+value)
			}
			return all
		},
		file: file,
	}
}

var complete = map[string]string{
	"FAREWELL_SOURCE_URL": "postgres://source/crm",
	"FAREWELL_LEDGER_URL": "postgres://ledger/farewell",
	"FAREWELL_ACCOUNTS":   "accounts.csv",
}

func with(base map[string]string, name, value string) map[string]string {
	values := map[string]string{name: value}
	for n, v := range base {
		if n != name {
			values[n] = v
		}
	}
	return values
}

func TestDefaultsFillInWhatIsNotSet(t *testing.T) {
	t.Parallel()
	c, err := parse(fakeEnvironment(complete, nil), sourceURL, ledgerURL, accountsFile)
	if err != nil {
		t.Fatal(err)
	}
	if c.SourceSchema != "farewell" || c.Egress != "default" || c.TaskQueue != "farewell" || c.TimeFactor != 1 || c.LogLevel != slog.LevelInfo {
		t.Errorf("defaults: %+v", c)
	}
	if c.ExportQueue() != "farewell-exports" {
		t.Errorf("export queue: %q", c.ExportQueue())
	}
}

func TestMissingSettingsAreNamedWithPurposeAndExample(t *testing.T) {
	t.Parallel()
	_, err := parse(fakeEnvironment(nil, nil), sourceURL, ledgerURL, accountsFile)
	for _, want := range []string{
		"FAREWELL_SOURCE_URL", "FAREWELL_LEDGER_URL", "FAREWELL_ACCOUNTS",
		"the customers' data", "postgres://", "temporal-dev.sh up",
	} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("want %q in: %v", want, err)
		}
	}
}

func TestBadSettingsAreRefused(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ name, value string }{
		{"FAREWELL_TIME_FACTOR", "fast"},
		{"FAREWELL_TIME_FACTOR", "0.5"},
		{"FAREWELL_TIME_FACTOR", "NaN"},
		{"FAREWELL_LOG_LEVEL", "loud"},
	} {
		t.Run(c.name+"="+c.value, func(t *testing.T) {
			t.Parallel()
			_, err := parse(fakeEnvironment(with(complete, c.name, c.value), nil))
			if err == nil || !strings.Contains(err.Error(), c.name) {
				t.Errorf("want an error that names %s, got %v", c.name, err)
			}
		})
	}
}

func TestProcessEnvironmentWinsOverTheEnvFile(t *testing.T) {
	t.Parallel()
	env := fakeEnvironment(
		map[string]string{"FAREWELL_TASK_QUEUE": "mine"},
		map[string]string{"FAREWELL_TASK_QUEUE": "theirs", "FAREWELL_EGRESS": "office"})
	c, err := parse(env)
	if err != nil {
		t.Fatal(err)
	}
	if c.TaskQueue != "mine" || c.Egress != "office" {
		t.Errorf("task queue %q, egress %q", c.TaskQueue, c.Egress)
	}
}

func TestTemporalSettingsOfTheEnvFileReachTheClient(t *testing.T) {
	t.Parallel()
	env := fakeEnvironment(
		map[string]string{"TEMPORAL_NAMESPACE": "farewell", "TEMPORAL_CONFIG_FILE": filepath.Join(t.TempDir(), "none.toml")},
		map[string]string{"TEMPORAL_ADDRESS": "127.0.0.1:7480", "TEMPORAL_NAMESPACE": "other"})
	c, err := parse(env)
	if err != nil {
		t.Fatal(err)
	}
	options, err := c.TemporalOptions()
	if err != nil {
		t.Fatal(err)
	}
	if options.HostPort != "127.0.0.1:7480" || options.Namespace != "farewell" {
		t.Errorf("address %q, namespace %q", options.HostPort, options.Namespace)
	}
}

func TestNamespaceIsDefaultWhereNothingNamesOne(t *testing.T) {
	t.Parallel()
	c, err := parse(fakeEnvironment(nil, map[string]string{"TEMPORAL_CONFIG_FILE": filepath.Join(t.TempDir(), "none.toml")}))
	if err != nil {
		t.Fatal(err)
	}
	options, err := c.TemporalOptions()
	if err != nil {
		t.Fatal(err)
	}
	if options.Namespace != "default" {
		t.Errorf("namespace %q", options.Namespace)
	}
}

func TestEnvFileLines(t *testing.T) {
	t.Parallel()
	values, err := parseEnvFile("env", "# a comment\n\nA=1\nexport B = 2\nC=\"a=b c\"\nD='x'\nE=\n")
	if err == nil {
		t.Fatalf("a name with a blank was taken: %v", values)
	}
	if want := "env:4: not a NAME=VALUE line"; err.Error() != want {
		t.Errorf("got %q, want %q", err, want)
	}
	values, err = parseEnvFile("env", "# a comment\n\nA=1\r\nexport B=2\nC=\"a=b c\"\nD='x'\nE=\n")
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]string{"A": "1", "B": "2", "C": "a=b c", "D": "x", "E": ""} {
		if got := values[name]; got != want {
			t.Errorf("%s: got %q, want %q", name, got, want)
		}
	}
}

// Not parallel: it changes the process's environment and working directory.
func TestEnvFileOfTheWorkingDirectoryIsRead(t *testing.T) {
	t.Chdir(t.TempDir())
	t.Setenv("FAREWELL_ENV_FILE", "")
	for name := range complete {
		t.Setenv(name, "")
	}
	if err := os.Mkdir(".dev", 0o755); err != nil {
		t.Fatal(err)
	}
	text := "FAREWELL_LEDGER_URL=postgres://ledger/farewell\nFAREWELL_ACCOUNTS=a.csv\n"
	if err := os.WriteFile(".dev/env", []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	c, err := LoadClient()
	if err != nil {
		t.Fatal(err)
	}
	if !c.Development || c.LedgerURL != "postgres://ledger/farewell" {
		t.Errorf("development %t, ledger %q", c.Development, c.LedgerURL)
	}
	if _, err := Load(); err == nil || !strings.Contains(err.Error(), "FAREWELL_SOURCE_URL") {
		t.Errorf("a worker needs the source: %v", err)
	}
	t.Setenv("FAREWELL_ENV_FILE", "elsewhere")
	if _, err := Load(); err == nil || !strings.Contains(err.Error(), "FAREWELL_ENV_FILE") {
		t.Errorf("a named file that is missing is an error: %v", err)
	}
}
