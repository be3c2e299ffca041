package main

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"syscall"
)

// postgresParent is where Postgres's data goes: .dev, unless we are root, who
// runs Postgres as another user, and that user cannot enter the checkout.
func (c checkout) postgresParent() string {
	if os.Geteuid() != 0 || enterable(c.dev()) {
		return c.dev()
	}
	return c.outsidePostgresParent()
}

func (c checkout) outsidePostgresParent() string {
	sum := sha256.Sum256([]byte(c.root))
	return filepath.Join("/var/tmp", "farewell-"+hex.EncodeToString(sum[:6]))
}

func (c checkout) postgresData() string { return filepath.Join(c.postgresParent(), "postgres") }

// makePostgresParent makes the folder and returns it. /var/tmp is open to
// everybody, so a folder that somebody else has put there is refused.
func (c checkout) makePostgresParent() (string, error) {
	parent := c.postgresParent()
	if parent == c.dev() {
		return parent, nil
	}
	if err := os.Mkdir(parent, 0o755); err != nil && !errors.Is(err, os.ErrExist) {
		return "", fmt.Errorf("make the folder for Postgres's data: %w", err)
	}
	info, err := os.Lstat(parent)
	if err != nil {
		return "", fmt.Errorf("look at the folder for Postgres's data: %w", err)
	}
	if owner, ok := info.Sys().(*syscall.Stat_t); !info.IsDir() || !ok || owner.Uid != 0 {
		return "", fmt.Errorf("%s must be a folder of root's, and is not: delete it", parent)
	}
	return parent, nil
}

// enterable says whether any user can enter the folder and all above it.
func enterable(path string) bool {
	for {
		info, err := os.Stat(path)
		if err != nil || info.Mode()&0o001 == 0 {
			return false
		}
		if path == filepath.Dir(path) {
			return true
		}
		path = filepath.Dir(path)
	}
}
