package main

import (
	"context"
	"slices"
	"syscall"
	"time"
)

// plannedServers are the servers in the order in which they can be started.
type plannedServers struct {
	stores   []server // Postgres, unless it is somebody else's, and the sandbox
	temporal []server // empty when it is somebody else's
	worker   server
}

func (p plannedServers) withoutTemporal() plan { return plan{Servers: p.stores} }
func (p plannedServers) withoutWorker() plan {
	return plan{Servers: slices.Concat(p.stores, p.temporal)}
}
func (p plannedServers) all() plan {
	return plan{Servers: slices.Concat(p.stores, p.temporal, []server{p.worker})}
}

// planServers makes what the servers need, programs and a data directory, and
// describes them.
func (e environment) planServers(ctx context.Context, cli temporalCLI) (plannedServers, error) {
	var p plannedServers
	if e.settings.startsPostgres() {
		c, err := e.prepareCluster(ctx)
		if err != nil {
			return p, err
		}
		p.stores = append(p.stores, c.server(e.settings.postgresPort))
	}
	if e.settings.startsTemporal() {
		p.temporal = []server{devServer(cli.path, e.checkout.dev("temporal.db"), e.settings.temporalPort, e.settings.uiPort)}
	}
	if err := e.build(ctx); err != nil {
		return p, err
	}
	sandbox, err := e.planSandbox()
	if err != nil {
		return p, err
	}
	p.stores = append(p.stores, sandbox)
	p.worker, err = e.planWorker()
	return p, err
}

// prepareCluster finds Postgres's programs and makes the private cluster.
func (e environment) prepareCluster(ctx context.Context) (cluster, error) {
	if _, err := e.checkout.makePostgresParent(); err != nil {
		return cluster{}, err
	}
	data := e.checkout.postgresData()
	binaries, runAs, err := e.ensurePostgres(ctx, majorVersion(data))
	if err != nil {
		return cluster{}, err
	}
	c := cluster{binaries: binaries, runAs: runAs, data: data}
	return c, e.console.during("making a Postgres cluster", "", c.initialise)
}

func (e environment) planSandbox() (server, error) {
	s, err := e.program(serverSandbox, "serve", "--listen", loopback(e.settings.sandboxPort), "--data", e.checkout.dev("sandbox"))
	s.Ports = []int{e.settings.sandboxPort}
	s.StopTimeout = 10 * time.Second
	return s, err
}

func (e environment) planWorker() (server, error) {
	s, err := e.program(serverWorker)
	s.Env = e.variables()
	s.StopTimeout = 40 * time.Second // it finishes its open Zendesk jobs first
	return s, err
}

// program describes one of the product's own commands.
func (e environment) program(name string, args ...string) (server, error) {
	path := e.checkout.binary(name)
	build, err := buildOf(path)
	return server{
		Name: name, Args: append([]string{path}, args...), Dir: e.checkout.root,
		Build: build, StopSignal: syscall.SIGTERM,
	}, err
}
