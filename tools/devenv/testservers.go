package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"time"
)

// testServers are a Postgres and a Temporal that only one test run uses. They
// end, and their data goes, when that run ends, even when it is killed.
type testServers struct {
	postgresURL     string
	temporalAddress string
	temporalMetrics string // address of the server's own metrics

	dir   string
	leash io.Closer
}

// startTestServers returns when both servers answer.
func (e environment) startTestServers(ctx context.Context, cli temporalCLI) (_ *testServers, err error) {
	s, err := newTestFolder()
	if err != nil {
		return nil, err
	}
	// Before anything is put there, so that from now on the folder goes with us.
	if err := s.hold(ctx); err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, s.stop())
		}
	}()
	binaries, runAs, err := e.ensurePostgres(ctx, 0)
	if err != nil {
		return nil, err
	}
	c := cluster{binaries: binaries, runAs: runAs, data: filepath.Join(s.dir, "postgres")}
	if err := c.initialise(); err != nil {
		return nil, err
	}
	if err := cli.await(e.console); err != nil {
		return nil, err
	}
	postgresPort, err := freePort()
	if err != nil {
		return nil, err
	}
	temporalPort, err := freePort()
	if err != nil {
		return nil, err
	}
	metricsPort, err := freePort()
	if err != nil {
		return nil, err
	}
	temporal := devServer(cli.path, filepath.Join(s.dir, "temporal.db"), temporalPort, 0)
	temporal.Args = append(temporal.Args, "--metrics-port", strconv.Itoa(metricsPort))
	servers := plan{Servers: []server{c.server(postgresPort), temporal}}
	if err := applyPlan(ctx, s.dir, servers); err != nil {
		return nil, err
	}
	if err := errors.Join(awaitPostgres(ctx, postgresPort), awaitTemporal(ctx, cli.path, temporalPort)); err != nil {
		return nil, err
	}
	s.postgresURL, s.temporalAddress = postgresURL(postgresPort, "postgres"), loopback(temporalPort)
	s.temporalMetrics = "http://" + loopback(metricsPort) + "/metrics"
	return s, nil
}

// newTestFolder is one that also the user who runs Postgres can enter.
func newTestFolder() (*testServers, error) {
	base := os.TempDir()
	if !enterable(base) {
		base = "/var/tmp"
	}
	dir, err := os.MkdirTemp(base, "farewell-test-")
	if err != nil {
		return nil, fmt.Errorf("make a folder for the test servers: %w", err)
	}
	if err := os.Chmod(dir, 0o755); err != nil {
		return nil, fmt.Errorf("open the folder for the test servers: %w", err)
	}
	return &testServers{dir: dir}, nil
}

// hold starts a supervisor that has nothing to run yet.
func (s *testServers) hold(ctx context.Context) error {
	if err := (plan{}).write(s.dir); err != nil {
		return err
	}
	leash, err := startSupervisor(s.dir, "--leash")
	if err != nil {
		return errors.Join(err, os.RemoveAll(s.dir))
	}
	s.leash = leash
	return awaitPlan(ctx, s.dir, plan{})
}

// stop returns when the servers have ended and their data is gone.
func (s *testServers) stop() error {
	if err := s.leash.Close(); err != nil {
		return fmt.Errorf("let go of the test servers: %w", err)
	}
	// Not the caller's context: that one has ended when the run was interrupted.
	err := waitUntil(context.Background(), time.Minute, func() bool {
		_, err := os.Stat(s.dir)
		return errors.Is(err, os.ErrNotExist)
	})
	if err != nil {
		return fmt.Errorf("the test servers in %s do not end: %w", s.dir, err)
	}
	return nil
}
