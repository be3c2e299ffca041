package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"farewell/migration"
)

// factor is how much faster than Zendesk all time passes. An upload is too old
// to be sent after 75 s then, which twenty large files need not.
const factor = 20

// world is everything that one migration needs, in processes of its own.
type world struct {
	dir, name                    string // name of databases, account and task queue
	postgres, temporal, programs string
	source, ledger               string // connection URLs
	sandbox, worker              *process
	url                          string // of the sandbox
	origin                       string // of the file server
}

// build makes databases, sandbox, account and a worker that may fetch from the
// origin. schema is what the source holds.
func build(ctx context.Context, origin, schema string) (made *world, err error) {
	w := &world{
		name: fmt.Sprintf("files-%d", os.Getpid()), origin: origin,
		postgres: os.Getenv("FAREWELL_TEST_POSTGRES_URL"), temporal: os.Getenv("FAREWELL_TEST_TEMPORAL_ADDRESS"), programs: os.Getenv("FAREWELL_TEST_BIN"),
	}
	if w.postgres == "" || w.temporal == "" || w.programs == "" {
		return nil, errors.New("no servers to work with: run `make bench-attachments`")
	}
	if w.dir, err = os.MkdirTemp("", "farewell-files-"); err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			w.close()
		}
	}()
	for _, step := range []func(context.Context) error{
		func(ctx context.Context) (err error) { w.source, err = w.createDatabase(ctx, "_source"); return err },
		func(ctx context.Context) error { return execute(ctx, w.source, schema) },
		func(ctx context.Context) (err error) { w.ledger, err = w.createDatabase(ctx, "_ledger"); return err },
		w.startSandbox, w.openAccount,
		func(ctx context.Context) error { return w.starter(ctx, "setup") },
	} {
		if err := step(ctx); err != nil {
			return nil, err
		}
	}
	w.worker, _, err = begin(ctx, filepath.Join(w.dir, "worker.log"), "worker is ready", w.environment(), w.programs+"/worker")
	return w, err
}

// close ends what was started; nothing of it is needed any more.
func (w *world) close() {
	for _, p := range []*process{w.worker, w.sandbox} {
		if p != nil {
			p.kill()
		}
	}
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	for _, name := range []string{"_source", "_ledger"} {
		if err := execute(ctx, w.postgres, "drop database if exists "+pgx.Identifier{w.name + name}.Sanitize()+" with (force)"); err != nil {
			fmt.Fprintln(os.Stderr, "files: drop database:", err)
		}
	}
	if err := os.RemoveAll(w.dir); err != nil {
		fmt.Fprintln(os.Stderr, "files:", err)
	}
}

func (w *world) createDatabase(ctx context.Context, suffix string) (string, error) {
	if err := execute(ctx, w.postgres, "create database "+pgx.Identifier{w.name + suffix}.Sanitize()+" template template0 encoding 'UTF8'"); err != nil {
		return "", err
	}
	u, err := url.Parse(w.postgres)
	if err != nil {
		return "", err
	}
	u.Path = "/" + w.name + suffix
	return u.String(), nil
}

func execute(ctx context.Context, url, statements string) error {
	conn, err := pgx.Connect(ctx, url)
	if err != nil {
		return fmt.Errorf("connect to Postgres: %w", err)
	}
	defer conn.Close(ctx)
	if _, err := conn.Exec(ctx, statements); err != nil {
		return fmt.Errorf("%.60s: %w", statements, err)
	}
	return nil
}

func (w *world) startSandbox(ctx context.Context) error {
	const word = "sandbox listens on "
	p, line, err := begin(ctx, filepath.Join(w.dir, "sandbox.log"), word, nil, w.programs+"/sandbox", "serve", "--listen", "127.0.0.1:0")
	if err != nil {
		return err
	}
	_, address, _ := strings.Cut(strings.TrimSpace(line), word)
	w.sandbox, w.url = p, address
	return nil
}

func (w *world) openAccount(ctx context.Context) error {
	if err := w.control(ctx, http.MethodPut, "settings", map[string]any{"plan_per_minute": plan, "time_scale": factor, "bulk_users": true}, nil); err != nil {
		return err
	}
	return os.WriteFile(w.accounts(), fmt.Appendf(nil, "customer,destination,account,url,plan_per_minute,reserved_percent,auth,secret_ref\nacme,%s,%s,%s/accounts/%s,%d,0,bearer,env:FILES_TOKEN\n",
		migration.DestinationZendesk, w.name, w.url, w.name, plan), 0o600)
}

func (w *world) accounts() string { return filepath.Join(w.dir, "accounts.csv") }

// control asks the sandbox for what is not in Zendesk's own API.
func (w *world) control(ctx context.Context, method, what string, in, out any) error {
	body, err := json.Marshal(in)
	if err != nil {
		return err
	}
	request, err := http.NewRequestWithContext(ctx, method, w.url+"/_sandbox/accounts/"+w.name+"/"+what, bytes.NewReader(body))
	if err != nil {
		return err
	}
	request.Header.Set("Content-Type", "application/json")
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	said, err := io.ReadAll(response.Body)
	switch {
	case err != nil:
		return err
	case response.StatusCode >= http.StatusMultipleChoices:
		return fmt.Errorf("%s of the sandbox: %s: %s", what, response.Status, said)
	case out == nil:
		return nil
	}
	return json.Unmarshal(said, out)
}

func (w *world) environment() []string {
	return []string{
		"PATH=" + os.Getenv("PATH"), "HOME=" + w.dir, "USER=files", "NO_COLOR=1", "FAREWELL_ENV_FILE=" + os.DevNull,
		"FAREWELL_SOURCE_URL=" + w.source, "FAREWELL_LEDGER_URL=" + w.ledger, "FAREWELL_ACCOUNTS=" + w.accounts(),
		"FAREWELL_TASK_QUEUE=" + w.name, "FAREWELL_TIME_FACTOR=" + strconv.Itoa(factor), "FAREWELL_ATTACHMENT_ORIGINS=" + w.origin,
		"TEMPORAL_ADDRESS=" + w.temporal, "TEMPORAL_NAMESPACE=default", "FILES_TOKEN=sandbox-" + w.name,
	}
}

// starter runs a command of the product's to its end.
func (w *world) starter(ctx context.Context, args ...string) error {
	cmd := exec.CommandContext(ctx, w.programs+"/starter", args...)
	cmd.Dir, cmd.Env = w.dir, w.environment()
	out, err := cmd.CombinedOutput()
	if err != nil {
		return fmt.Errorf("starter %s: %w: %s", strings.Join(args, " "), err, out)
	}
	return nil
}
