package programs

import (
	"context"
	"encoding/csv"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
)

// Product is how worker and starter are run: with these settings and with none
// of the caller's.
type Product struct {
	Servers
	Dir      string   // where they keep what they keep; the starter's working directory
	Source   string   // connection URL of the customers' database
	Ledger   string   // connection URL of the product's memory
	Accounts string   // path of the accounts file
	Queue    string   // Temporal's task queue
	Factor   float64  // how much faster than Zendesk's time passes; at least 1
	Further  []string // more variables, as NAME=VALUE
}

func (p Product) environment() []string {
	return append([]string{
		"PATH=" + os.Getenv("PATH"), "HOME=" + p.Dir, "NO_COLOR=1",
		"FAREWELL_ENV_FILE=" + os.DevNull, // not the development environment's
		"FAREWELL_SOURCE_URL=" + p.Source, "FAREWELL_LEDGER_URL=" + p.Ledger, "FAREWELL_ACCOUNTS=" + p.Accounts,
		"FAREWELL_TASK_QUEUE=" + p.Queue, "FAREWELL_TIME_FACTOR=" + strconv.FormatFloat(p.Factor, 'f', -1, 64),
		"FAREWELL_KEPT=" + p.Kept(),
		"TEMPORAL_ADDRESS=" + p.Temporal, "TEMPORAL_NAMESPACE=default",
	}, p.Further...)
}

// Kept is the folder for what an account has no room for.
func (p Product) Kept() string { return filepath.Join(p.Dir, "kept") }

// Starter runs a command of the starter's to its end and returns what it wrote
// to its standard output, also when it failed.
func (p Product) Starter(ctx context.Context, args ...string) (string, error) {
	cmd := exec.CommandContext(ctx, p.Programs+"/starter", args...)
	cmd.Dir, cmd.Env = p.Dir, p.environment()
	out, err := output(cmd)
	if err != nil {
		err = fmt.Errorf("starter %s: %w", strings.Join(args, " "), err)
	}
	return out, err
}

// StartWorker starts a worker and returns when it is ready.
func (p Product) StartWorker(ctx context.Context, log string) (*Process, error) {
	worker, _, err := Start(ctx, log, "worker is ready", p.environment(), p.Programs+"/worker")
	return worker, err
}

// WriteAccounts writes the accounts file. A line has eight fields: customer,
// destination, account, url, plan_per_minute, reserved_percent, auth, secret_ref.
func (p Product) WriteAccounts(lines ...[]string) error {
	file, err := os.OpenFile(p.Accounts, os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	header := []string{"customer", "destination", "account", "url", "plan_per_minute", "reserved_percent", "auth", "secret_ref"}
	return errors.Join(csv.NewWriter(file).WriteAll(append([][]string{header}, lines...)), file.Close())
}
