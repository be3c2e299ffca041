package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"farewell/integration/database"
	"farewell/integration/programs"
	"farewell/ledger"
)

const (
	// benchLimit ends a bench that hangs.
	benchLimit = 60 * time.Minute
	// reportFile and plotFile are where the figures go besides the terminal.
	reportFile = ".dev/pace.txt"
	plotFile   = ".dev/pace.svg"
)

// bench holds what all measurements share.
type bench struct {
	programs.Servers
	dir     string // logs and settings
	sandbox sandbox
	only    []string // what is measured; empty: everything
	names   int
}

func prepare(ctx context.Context, where programs.Servers) (b *bench, err error) {
	dir, err := os.MkdirTemp("", "farewell-pace-")
	if err != nil {
		return nil, err
	}
	b = &bench{Servers: where, dir: dir}
	if b.sandbox.Sandbox, err = where.StartSandbox(ctx, dir+"/sandbox.log"); err != nil {
		return nil, errors.Join(err, os.RemoveAll(dir))
	}
	return b, nil
}

func (b *bench) close() {
	if err := b.sandbox.Stop(); err != nil {
		say("%v", err)
	}
	if err := os.RemoveAll(b.dir); err != nil {
		say("%v", err)
	}
}

// name is a fresh one for an account, a database or a process.
func (b *bench) name(what string) string {
	b.names++
	return fmt.Sprintf("%s-%d", what, b.names)
}

// newLedger makes an empty ledger and returns its connection URL.
func (b *bench) newLedger(ctx context.Context) (url string, err error) {
	if url, err = database.Create(ctx, b.Postgres, b.name("pace_ledger")); err != nil {
		return "", err
	}
	return url, ledger.Migrate(ctx, url)
}
