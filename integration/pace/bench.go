package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"runtime"
	"strings"
	"time"

	"farewell/ledger"
)

const (
	// benchLimit ends a bench that hangs.
	benchLimit = 60 * time.Minute
	// reportFile and plotFile are where the figures go besides the terminal.
	reportFile = ".dev/pace.txt"
	plotFile   = ".dev/pace.svg"
)

// places are the servers and programs that `temporal-dev.sh with-servers` gives.
type places struct {
	postgres string // a superuser's connection URL
	temporal string // host and port
	programs string // folder of the product's programs
}

func readPlaces() (places, error) {
	p := places{
		postgres: os.Getenv("FAREWELL_TEST_POSTGRES_URL"),
		temporal: os.Getenv("FAREWELL_TEST_TEMPORAL_ADDRESS"),
		programs: os.Getenv("FAREWELL_TEST_BIN"),
	}
	if p.postgres == "" || p.temporal == "" || p.programs == "" {
		return p, errors.New("no servers to measure on: run `make bench-pace`")
	}
	return p, nil
}

// bench holds what all measurements share.
type bench struct {
	places
	dir     string // logs and settings
	sandbox *sandbox
	only    []string // what is measured; empty: everything
	names   int
}

func prepare(ctx context.Context, where places) (b *bench, err error) {
	dir, err := os.MkdirTemp("", "farewell-pace-")
	if err != nil {
		return nil, err
	}
	b = &bench{places: where, dir: dir}
	if b.sandbox, err = startSandbox(ctx, where.programs, dir+"/sandbox.log"); err != nil {
		return nil, errors.Join(err, os.RemoveAll(dir))
	}
	return b, nil
}

func (b *bench) close() {
	if err := b.sandbox.process.stop(); err != nil {
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
	if url, err = createDatabase(ctx, b.postgres, b.name("pace_ledger")); err != nil {
		return "", err
	}
	return url, ledger.Migrate(ctx, url)
}

// conditions says on what the figures were got.
func conditions(r *report) error {
	load, err := os.ReadFile("/proc/loadavg")
	if err != nil {
		return fmt.Errorf("read the machine's load, which needs Linux: %w", err)
	}
	r.note("%s, %s/%s, %d cores, %s, load average before %s", time.Now().UTC().Format("2006-01-02 15:04 UTC"), runtime.GOOS, runtime.GOARCH,
		runtime.NumCPU(), runtime.Version(), strings.Join(strings.Fields(string(load))[:3], " "))
	return nil
}
