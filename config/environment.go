package config

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"
)

// developmentFile is where temporal-dev.sh writes the settings of its servers,
// below the working directory.
const developmentFile = ".dev/env"

// environment is the process's environment over the lines of an env file. It
// is what envconfig asks for Temporal's settings.
type environment struct {
	process     func(string) (string, bool)
	list        func() []string
	file        map[string]string
	development bool
}

// readEnvironment reads the file named by FAREWELL_ENV_FILE, or .dev/env when
// there is one.
func readEnvironment() (environment, error) {
	e := environment{process: os.LookupEnv, list: os.Environ}
	path, named := os.LookupEnv("FAREWELL_ENV_FILE")
	if !named || path == "" {
		path, named = developmentFile, false
	}
	text, err := os.ReadFile(path)
	switch {
	case errors.Is(err, fs.ErrNotExist) && !named:
		return e, nil
	case err != nil:
		return environment{}, fmt.Errorf("read the settings: %w (FAREWELL_ENV_FILE names the file)", err)
	}
	e.development = strings.HasSuffix(path, developmentFile)
	e.file, err = parseEnvFile(path, string(text))
	return e, err
}

// LookupEnv prefers the process's environment, so that a variable set for one
// command wins.
func (e environment) LookupEnv(name string) (string, bool) {
	if value, ok := e.process(name); ok {
		return value, true
	}
	value, ok := e.file[name]
	return value, ok
}

// Environ lists all variables as NAME=VALUE.
func (e environment) Environ() []string {
	all := e.list()
	for name, value := range e.file {
		if _, ok := e.process(name); !ok {
			all = append(all, name+"="+value)
		}
	}
	return all
}

// get treats an empty variable like one that is not set.
func (e environment) get(name, otherwise string) string {
	if value, _ := e.LookupEnv(name); value != "" {
		return value
	}
	if value := e.file[name]; value != "" {
		return value
	}
	return otherwise
}

// parseEnvFile reads NAME=VALUE lines; empty lines and those that begin with #
// say nothing. Values are taken as they are, but for one pair of quotes.
func parseEnvFile(path, text string) (map[string]string, error) {
	values := map[string]string{}
	for i, line := range strings.Split(text, "\n") {
		line = strings.TrimSpace(line)
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		name, value, ok := strings.Cut(strings.TrimPrefix(line, "export "), "=")
		if !ok || name == "" || strings.ContainsAny(name, " \t\"'") {
			// The line itself may hold a password.
			return nil, fmt.Errorf("%s:%d: not a NAME=VALUE line", path, i+1)
		}
		values[name] = unquote(value)
	}
	return values, nil
}

func unquote(value string) string {
	if n := len(value); n >= 2 && (value[0] == '"' || value[0] == '\'') && value[n-1] == value[0] {
		return value[1 : n-1]
	}
	return value
}
