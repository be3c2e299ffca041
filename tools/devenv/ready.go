package main

import (
	"context"
	"fmt"
	"net/http"
	"os"
	"strings"
	"time"
)

// awaitStores returns when Postgres has our databases and the sandbox answers.
func (e environment) awaitStores(ctx context.Context) error {
	return e.console.during("waiting for Postgres and the sandbox", "", func() error {
		if e.settings.startsPostgres() {
			if err := awaitPostgres(ctx, e.settings.postgresPort); err != nil {
				return e.explain(err, serverPostgres)
			}
			if err := createDatabases(ctx, e.settings.postgresPort, sourceDatabase, ledgerDatabase); err != nil {
				return err
			}
		}
		return e.explain(awaitHTTP(ctx, e.settings.sandboxURL()+"/_sandbox/stats"), serverSandbox)
	})
}

func (e environment) awaitOurTemporal(ctx context.Context, cli temporalCLI) error {
	if !e.settings.startsTemporal() {
		return nil
	}
	return e.console.during("waiting for Temporal", "", func() error {
		return e.explain(awaitTemporal(ctx, cli.path, e.settings.temporalPort), serverTemporal)
	})
}

func awaitHTTP(ctx context.Context, url string) error {
	client := http.Client{Timeout: 2 * time.Second}
	var last error
	err := waitUntil(ctx, 30*time.Second, func() bool {
		request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
		if err != nil {
			last = err
			return false
		}
		response, err := client.Do(request)
		if err != nil {
			last = err
			return false
		}
		response.Body.Close()
		last = fmt.Errorf("it answers %s", response.Status)
		return response.StatusCode == http.StatusOK
	})
	if err != nil {
		return fmt.Errorf("wait for %s: %w: %w", url, err, last)
	}
	return nil
}

// awaitWorker tells a worker that runs from one that gives up at once.
func (e environment) awaitWorker(ctx context.Context) error {
	return e.console.during("waiting for the worker", "", func() error {
		const proven = 2 * time.Second
		err := waitUntil(ctx, 30*time.Second, func() bool {
			current, err := readState(e.checkout.dev())
			worker, _ := current.find(serverWorker)
			return err == nil && worker.Process.alive() && time.Since(worker.Since) > proven
		})
		if err != nil {
			err = fmt.Errorf("the worker does not stay up: %w", err)
		}
		return e.explain(err, serverWorker)
	})
}

// explain adds the end of a server's log to an error.
func (e environment) explain(err error, name string) error {
	if err == nil {
		return nil
	}
	log := e.checkout.dev("log", name+".log")
	data, readErr := os.ReadFile(log)
	if readErr != nil {
		return err // the log would only have explained it
	}
	lines := strings.Split(strings.TrimSpace(string(data)), "\n")
	const tail = 10
	return fmt.Errorf("%w\nthe end of %s:\n%s", err, log, strings.Join(lines[max(0, len(lines)-tail):], "\n"))
}
