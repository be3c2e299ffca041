package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
)

// fillOnce leaves an accounts file alone that fits: a caller may have added
// lines of their own, and fill would replace them.
func (e environment) fillOnce(ctx context.Context) error {
	accounts, err := os.ReadFile(e.sampleAccounts())
	if err == nil && strings.Contains(string(accounts), e.settings.sandboxURL()) && sampleIsThere(ctx, e.settings.sourceURL()) {
		return nil
	}
	return e.fill(ctx)
}

// sampleIsThere is false also when it cannot be told: filling in then says why.
func sampleIsThere(ctx context.Context, source string) bool {
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	conn, err := pgx.Connect(ctx, source)
	if err != nil {
		return false
	}
	defer conn.Close(ctx)
	var there bool
	err = conn.QueryRow(ctx, "select to_regclass('crm.conversations') is not null and to_regclass('farewell.tickets') is not null").Scan(&there)
	return err == nil && there
}

// fill puts the sample customers into the source, makes their accounts in the
// sandbox and writes the accounts file. A second time it finds nothing to do.
func (e environment) fill(ctx context.Context) error {
	return e.runProgram(ctx, "filling in the sample customers", "about 10 s", "sandbox", "fill",
		"--source", e.settings.sourceURL(), "--seed", "1",
		"--accounts", e.sampleAccounts(), "--sandbox", e.settings.sandboxURL(),
		"--bundles", e.bundles(), "--files", e.files(), "--time-scale", sampleTimeFactor)
}

// bundles is the folder for the sample customers who move to CSV.
func (e environment) bundles() string { return e.checkout.dev("bundles") }

// files is the folder that stands for the sample customers' object store.
func (e environment) files() string { return e.checkout.dev("files") }

// starterSetup registers the search attributes and makes the ledger's schema.
func (e environment) starterSetup(ctx context.Context) error {
	return e.runProgram(ctx, "setting up the ledger", "", "starter", "setup")
}

// runProgram runs one of the product's commands to its end.
func (e environment) runProgram(ctx context.Context, what, expected, name string, args ...string) error {
	return e.console.during(what, expected, func() error {
		cmd := e.productCommand(ctx, name, args...)
		out, err := cmd.CombinedOutput()
		if err != nil {
			return fmt.Errorf("bin/%s %s: %w\n%s", name, args[0], err, out)
		}
		if text := strings.TrimSpace(string(out)); text != "" {
			e.console.say("%s", text)
		}
		return nil
	})
}

func (e environment) productCommand(ctx context.Context, name string, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, e.checkout.binary(name), args...)
	cmd.Dir = e.checkout.root
	cmd.Env = append(os.Environ(), e.variables()...)
	return cmd
}
