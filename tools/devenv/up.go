package main

import (
	"context"
	"time"
)

func (e environment) upCommand(ctx context.Context) error {
	return e.withLock(ctx, func() error { return e.up(ctx) })
}

// up brings everything into the planned state, whatever runs already.
func (e environment) up(ctx context.Context) error {
	began := time.Now()
	current, err := readState(e.checkout.dev())
	if err != nil {
		return err
	}
	if err := checkPorts(e.settings.ports(), current); err != nil {
		return err
	}
	cli := temporalCLI{}
	if e.settings.startsTemporal() {
		cli = e.startTemporalCLI(ctx)
	}
	servers, err := e.planServers(ctx, cli)
	if err != nil {
		return err
	}
	if current.inForce(servers.all()) {
		e.console.say("already up")
		return e.status()
	}
	if err := e.startInOrder(ctx, servers, cli); err != nil {
		return err
	}
	e.console.say("up in %s", brief(time.Since(began)))
	return e.status()
}

// inForce says whether that very plan is in force and all its servers run.
func (s state) inForce(p plan) bool {
	if !s.Supervisor.alive() || s.Plan != p.digest() {
		return false
	}
	for _, one := range p.Servers {
		if !s.running(one.Name) {
			return false
		}
	}
	return true
}

// startInOrder starts what needs no Temporal first, since its CLI may take
// minutes to build, and the worker last: it refuses to start before the setup.
func (e environment) startInOrder(ctx context.Context, servers plannedServers, cli temporalCLI) error {
	if err := e.writeEnvFile(); err != nil {
		return err
	}
	first := servers.withoutTemporal()
	if cli.ready() {
		first = servers.withoutWorker()
	}
	if err := applyPlan(ctx, e.checkout.dev(), first); err != nil {
		return err
	}
	if err := e.awaitStores(ctx); err != nil {
		return err
	}
	if e.settings.givenSource == "" {
		if err := e.fillOnce(ctx); err != nil {
			return err
		}
	}
	if err := cli.await(e.console); err != nil {
		return err
	}
	if err := applyPlan(ctx, e.checkout.dev(), servers.withoutWorker()); err != nil {
		return err
	}
	if err := e.awaitOurTemporal(ctx, cli); err != nil {
		return err
	}
	if err := e.starterSetup(ctx); err != nil {
		return err
	}
	if err := applyPlan(ctx, e.checkout.dev(), servers.all()); err != nil {
		return err
	}
	return e.awaitWorker(ctx)
}
