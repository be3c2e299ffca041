package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"strings"
)

// fill puts the sample customers into the source, makes their accounts in the
// sandbox and writes the accounts file. A second time it finds nothing to do.
func (e environment) fill(ctx context.Context) error {
	return e.runProgram(ctx, "filling in the sample customers", "about 10 s", "sandbox", "fill",
		"--source", e.settings.sourceURL(), "--seed", "1",
		"--accounts", e.checkout.dev("accounts.csv"), "--sandbox", e.settings.sandboxURL(),
		"--bundles", e.bundles(), "--time-scale", timeFactor)
}

// bundles is the folder for the sample customers who move to CSV.
func (e environment) bundles() string { return e.checkout.dev("bundles") }

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
