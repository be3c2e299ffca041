package config

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// secret is a reference to a secret, read anew at each use so that a rotated
// one is picked up.
type secret struct {
	account string
	kind    string // env or file
	name    string
	folder  string
}

// read returns the secret without the line end that editors leave. Its errors
// name the reference, never the content.
func (s secret) read() (string, error) {
	value, err := s.content()
	if err != nil {
		return "", fmt.Errorf("read the secret of account %q: %w", s.account, err)
	}
	if value = strings.TrimSpace(value); value == "" {
		return "", fmt.Errorf("read the secret of account %q: %s:%s is empty or not set: put the secret there", s.account, s.kind, s.name)
	}
	return value, nil
}

func (s secret) content() (string, error) {
	if s.kind == "env" {
		env, err := readEnvironment()
		if err != nil {
			return "", err
		}
		return env.get(s.name, ""), nil
	}
	path := s.name
	if !filepath.IsAbs(path) {
		path = filepath.Join(s.folder, path)
	}
	data, err := os.ReadFile(path)
	return string(data), err
}

func noSecret(account string) func() (string, error) {
	return func() (string, error) {
		return "", fmt.Errorf("account %q has no secret", account)
	}
}
