package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"

	"github.com/spf13/cobra"

	"farewell/destination/csvbundle"
)

func (a *app) verifyBundleCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:     "verify-bundle PATH",
		GroupID: groupLook,
		Short:   "Prove that a CSV bundle is complete and valid",
		Long: `Read every byte of a CSV bundle, a folder or a zip file, and check it against its
own description: hashes, sizes, the format of every cell, row counts, keys and
foreign keys. It needs neither Temporal nor Postgres nor the network.

It exits 0 when the bundle is complete and valid, else 1 with what is wrong and where.`,
		Example: examples(
			program+" verify-bundle /srv/bundles/acme",
			program+" verify-bundle acme.zip",
		),
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) != 1 {
				return usagef("verify-bundle needs the path of one bundle, a folder or a zip file; see %s verify-bundle --help", program)
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.verifyBundle(cmd.Context(), args[0])
		},
	}
	return cmd
}

func (a *app) verifyBundle(ctx context.Context, path string) error {
	if _, err := os.Stat(path); errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("there is no bundle at %s: name its folder or its zip file", clean(path))
	}
	found, err := csvbundle.Verify(ctx, path)
	if err != nil {
		return err
	}
	for _, p := range found.Problems {
		a.printf("%s", clean(p.String()))
	}
	if n := len(found.Problems); n > 0 {
		a.printf("%s is not valid: %s", clean(path), count(int64(n), "problem", "problems"))
		return exit(exitError)
	}
	a.printf("%s is complete and valid: %s, %s in %s", clean(path),
		count(found.Rows["tickets"], "ticket", "tickets"), count(found.Rows["comments"], "comment", "comments"),
		count(int64(found.Files), "file", "files"))
	return nil
}
