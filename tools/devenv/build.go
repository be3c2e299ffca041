package main

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
)

// programs are the product's commands. They are built because `go run` turns
// every exit code into 1.
var programs = []string{"starter", "worker", "sandbox"}

// build makes bin/starter, bin/worker and bin/sandbox.
func (e environment) build(ctx context.Context) error {
	args := []string{"build", "-buildvcs=false", "-o", filepath.Join(e.checkout.root, "bin") + string(filepath.Separator)}
	for _, p := range programs {
		args = append(args, "./"+p)
	}
	return e.console.during("building bin/starter, bin/worker and bin/sandbox", "about 2 minutes on 2 cores the first time", func() error {
		cmd := exec.CommandContext(ctx, "go", args...)
		cmd.Dir = e.checkout.root
		if out, err := cmd.CombinedOutput(); err != nil {
			return fmt.Errorf("go build: %w\n%s", err, out)
		}
		return nil
	})
}

// buildOf tells one build of a program from another.
func buildOf(path string) (string, error) {
	f, err := os.Open(path)
	if err != nil {
		return "", fmt.Errorf("read a built program: %w", err)
	}
	defer f.Close()
	sum := sha256.New()
	if _, err := io.Copy(sum, f); err != nil {
		return "", fmt.Errorf("read a built program: %w", err)
	}
	return hex.EncodeToString(sum.Sum(nil)[:8]), nil
}
