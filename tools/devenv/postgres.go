package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/jackc/pgx/v5"
)

// Databases of the development environment.
const (
	sourceDatabase = "crm"
	ledgerDatabase = "farewell_ledger"
)

func postgresURL(port int, database string) string {
	return fmt.Sprintf("postgres://postgres@%s/%s?sslmode=disable", loopback(port), database)
}

// cluster is one private data directory, and what can run it.
type cluster struct {
	binaries postgresBinaries
	runAs    *unixUser
	data     string
}

// server keeps fsync and synchronous_commit on: the ledger's promises are
// tested under the settings that they are made for.
func (c cluster) server(port int) server {
	return server{
		Name: serverPostgres,
		Args: []string{
			c.binaries.path("postgres"), "-D", c.data, "-p", strconv.Itoa(port),
			"-c", "listen_addresses=127.0.0.1", "-c", "unix_socket_directories=" + c.socketFolder(),
			"-c", "fsync=on", "-c", "synchronous_commit=on", "-c", "max_connections=300",
		},
		Dir:         c.data,
		RunAs:       c.runAs,
		Ports:       []int{port},
		StopSignal:  syscall.SIGINT, // "fast": disconnects clients, loses nothing
		StopTimeout: 20 * time.Second,
	}
}

// longestSocketFolder leaves room for the socket's name in the 107 bytes that
// unix(7) allows for a path.
const longestSocketFolder = 80

// socketFolder is where the Unix socket goes, which only make bench-csv uses;
// empty: nowhere, TCP on the loopback address is all.
func (c cluster) socketFolder() string {
	if len(c.data) > longestSocketFolder {
		return ""
	}
	return c.data
}

// initialise makes the data directory unless it is there. An interrupted run
// leaves nothing that looks like one.
func (c cluster) initialise() error {
	if _, err := os.Stat(filepath.Join(c.data, "PG_VERSION")); err == nil {
		return c.removeStaleLockFile()
	}
	next := c.data + ".new"
	if err := os.RemoveAll(next); err != nil {
		return fmt.Errorf("clear %s: %w", next, err)
	}
	if err := os.Mkdir(next, 0o700); err != nil {
		return fmt.Errorf("make the Postgres data directory: %w", err)
	}
	if err := c.runAs.own(next); err != nil {
		return fmt.Errorf("hand the Postgres data directory to %s: %w", c.runAs.Name, err)
	}
	initdb := c.runAs.command(next, c.binaries.path("initdb"), "--pgdata", next,
		"--username", "postgres", "--auth", "trust", "--encoding", "UTF8", "--locale", locale())
	if out, err := initdb.CombinedOutput(); err != nil {
		return fmt.Errorf("initdb of %s: %w\n%s", c.data, err, out)
	}
	if err := os.Rename(next, c.data); err != nil {
		return fmt.Errorf("put the Postgres data directory in place: %w", err)
	}
	return nil
}

// locale has UTF-8 rules for letters everywhere; macOS knows no C.UTF-8.
func locale() string {
	if runtime.GOOS == "darwin" {
		return "en_US.UTF-8"
	}
	return "C.UTF-8"
}

// removeStaleLockFile allows for a crash of the machine: Postgres takes any
// process that now has the number in its lock file for itself and refuses to
// start. It is called while none of our servers runs.
func (c cluster) removeStaleLockFile() error {
	path := filepath.Join(c.data, "postmaster.pid")
	data, err := os.ReadFile(path)
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("read Postgres's lock file: %w", err)
	}
	first, _, _ := strings.Cut(string(data), "\n")
	pid, err := strconv.Atoi(strings.TrimSpace(first))
	if err == nil && strings.HasPrefix(programOf(pid), "postgres") {
		return nil // it may be ours, started in a way that we do not know: Postgres decides
	}
	if err := os.Remove(path); err != nil {
		return fmt.Errorf("remove Postgres's stale lock file: %w", err)
	}
	return nil
}

// majorVersion of the data directory, 0 when there is none yet.
func majorVersion(data string) int {
	text, err := os.ReadFile(filepath.Join(data, "PG_VERSION"))
	if err != nil {
		return 0
	}
	major, _ := strconv.Atoi(strings.TrimSpace(string(text))) // 0 then: initdb makes a new one
	return major
}

// awaitPostgres returns when the server takes connections.
func awaitPostgres(ctx context.Context, port int) error {
	var last error
	err := waitUntil(ctx, 30*time.Second, func() bool {
		last = onPostgres(ctx, port, func(*pgx.Conn) error { return nil })
		return last == nil
	})
	if err != nil {
		return fmt.Errorf("wait for Postgres: %w: %w", err, last)
	}
	return nil
}

// createDatabases creates those that are missing.
func createDatabases(ctx context.Context, port int, names ...string) error {
	return onPostgres(ctx, port, func(conn *pgx.Conn) error {
		for _, name := range names {
			var exists bool
			if err := conn.QueryRow(ctx, "select exists(select from pg_database where datname = $1)", name).Scan(&exists); err != nil {
				return fmt.Errorf("look for database %s: %w", name, err)
			}
			if exists {
				continue
			}
			if _, err := conn.Exec(ctx, "create database "+pgx.Identifier{name}.Sanitize()); err != nil {
				return fmt.Errorf("create database %s: %w", name, err)
			}
		}
		return nil
	})
}

func onPostgres(ctx context.Context, port int, do func(*pgx.Conn) error) error {
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	conn, err := pgx.Connect(ctx, postgresURL(port, "postgres"))
	if err != nil {
		return err
	}
	defer conn.Close(ctx)
	return do(conn)
}
