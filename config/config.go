// Package config is the only reader of the environment: settings, Temporal's
// own connection settings, and the accounts file.
package config

import (
	"fmt"
	"log/slog"
	"strconv"
	"strings"

	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/contrib/envconfig"
)

// Config is what an operator set. Connection URLs may hold passwords: none of
// this is to be logged.
type Config struct {
	SourceURL    string     // FAREWELL_SOURCE_URL
	SourceSchema string     // FAREWELL_SOURCE_SCHEMA
	LedgerURL    string     // FAREWELL_LEDGER_URL
	AccountsFile string     // FAREWELL_ACCOUNTS
	MappingFile  string     // FAREWELL_MAPPING: how customers' words and fields become those of their accounts; empty: as they are
	Egress       string     // FAREWELL_EGRESS: the name of the address under which workers are seen from outside
	TaskQueue    string     // FAREWELL_TASK_QUEUE
	Kept         string     // FAREWELL_KEPT: the folder for what an account has no room for
	FileOrigins  []string   // FAREWELL_ATTACHMENT_ORIGINS: from where attachments are fetched that the source names by URL
	FileBucket   string     // FAREWELL_ATTACHMENT_BUCKET: the bucket with those that it names by key
	TimeFactor   float64    // FAREWELL_TIME_FACTOR: at least 1; see migration.Timings.Scaled
	TemporalUI   string     // FAREWELL_TEMPORAL_UI: the Web UI's address; empty: unknown
	LogLevel     slog.Level // FAREWELL_LOG_LEVEL
	NoColor      bool       // NO_COLOR, see https://no-color.org

	// Development tells that settings came from .dev/env, which
	// temporal-dev.sh writes.
	Development bool

	env environment
}

// ExportQueue is the task queue of export activities. They have one of their
// own, so that a long export never keeps a short activity waiting.
func (c Config) ExportQueue() string { return c.TaskQueue + "-exports" }

// TemporalOptions are Temporal's own connection settings: TEMPORAL_ADDRESS,
// TEMPORAL_NAMESPACE, TEMPORAL_API_KEY, TEMPORAL_TLS…, TEMPORAL_PROFILE and
// temporal.toml, the same that Temporal's CLI reads
// (https://docs.temporal.io/develop/environment-configuration). Where none of
// them names a namespace it is "default", as for the CLI: the SDK's client takes
// an empty one for that too, but the services beside it refuse it.
func (c Config) TemporalOptions() (client.Options, error) {
	options, err := envconfig.LoadClientOptions(envconfig.LoadClientOptionsRequest{EnvLookup: c.env})
	if err != nil {
		return client.Options{}, fmt.Errorf("read Temporal's connection settings (TEMPORAL_ADDRESS and its like): %w", err)
	}
	if options.Namespace == "" {
		options.Namespace = client.DefaultNamespace
	}
	return options, nil
}

// Load reads the settings of a worker. What is missing is an error that names
// every variable, what it is for and an example.
func Load() (Config, error) {
	env, err := readEnvironment()
	if err != nil {
		return Config{}, err
	}
	return parse(env, sourceURL, ledgerURL, accountsFile)
}

// LoadClient reads the settings of a program that never touches the source.
func LoadClient() (Config, error) {
	env, err := readEnvironment()
	if err != nil {
		return Config{}, err
	}
	return parse(env, ledgerURL, accountsFile)
}

// LoadAccounts reads the accounts file alone, for programs that need nothing
// else.
func LoadAccounts() (Accounts, error) {
	env, err := readEnvironment()
	if err != nil {
		return nil, err
	}
	c, err := parse(env, accountsFile)
	if err != nil {
		return nil, err
	}
	return ReadAccounts(c.AccountsFile)
}

// setting is a variable without which a program cannot work.
type setting struct{ name, purpose, example string }

var (
	sourceURL = setting{
		"FAREWELL_SOURCE_URL", "the Postgres with the customers' data",
		"postgres://farewell@db.internal:5432/crm",
	}
	ledgerURL = setting{
		"FAREWELL_LEDGER_URL", "the Postgres with Farewell's own memory",
		"postgres://farewell@ledger.internal:5432/farewell",
	}
	accountsFile = setting{
		"FAREWELL_ACCOUNTS", "the CSV file that says where each customer goes",
		"/etc/farewell/accounts.csv",
	}
)

func parse(env environment, needs ...setting) (Config, error) {
	if err := env.require(needs); err != nil {
		return Config{}, err
	}
	c := Config{
		SourceURL:    env.get("FAREWELL_SOURCE_URL", ""),
		SourceSchema: env.get("FAREWELL_SOURCE_SCHEMA", "farewell"),
		LedgerURL:    env.get("FAREWELL_LEDGER_URL", ""),
		AccountsFile: env.get("FAREWELL_ACCOUNTS", ""),
		MappingFile:  env.get("FAREWELL_MAPPING", ""),
		Egress:       env.get("FAREWELL_EGRESS", "default"),
		Kept:         env.get("FAREWELL_KEPT", "kept"),
		FileOrigins:  strings.Fields(strings.ReplaceAll(env.get("FAREWELL_ATTACHMENT_ORIGINS", ""), ",", " ")),
		FileBucket:   env.get("FAREWELL_ATTACHMENT_BUCKET", ""),
		TaskQueue:    env.get("FAREWELL_TASK_QUEUE", "farewell"),
		TemporalUI:   strings.TrimRight(env.get("FAREWELL_TEMPORAL_UI", ""), "/"),
		NoColor:      env.get("NO_COLOR", "") != "",
		Development:  env.development,
		env:          env,
	}
	factor := env.get("FAREWELL_TIME_FACTOR", "1")
	var err error
	if c.TimeFactor, err = strconv.ParseFloat(factor, 64); err != nil || !(c.TimeFactor >= 1 && c.TimeFactor <= 10_000) {
		return Config{}, fmt.Errorf("FAREWELL_TIME_FACTOR is %q: it must be a number from 1 (real time) to 10000", factor)
	}
	level := env.get("FAREWELL_LOG_LEVEL", "info")
	if err := c.LogLevel.UnmarshalText([]byte(level)); err != nil {
		return Config{}, fmt.Errorf("FAREWELL_LOG_LEVEL is %q: it must be debug, info, warn or error", level)
	}
	return c, nil
}

func (e environment) require(needs []setting) error {
	var missing []string
	for _, s := range needs {
		if e.get(s.name, "") == "" {
			missing = append(missing, fmt.Sprintf("%s (%s, for example %s)", s.name, s.purpose, s.example))
		}
	}
	if len(missing) == 0 {
		return nil
	}
	return fmt.Errorf("not set: %s. Set it in the environment, or run ./temporal-dev.sh up, which writes .dev/env for this folder",
		strings.Join(missing, "; "))
}
