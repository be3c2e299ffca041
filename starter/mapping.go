package main

import (
	"errors"
	"strings"

	"github.com/spf13/cobra"

	"farewell/mapping"
)

func (a *app) mappingCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:     "mapping",
		GroupID: groupPrepare,
		Short:   "Check a mapping file while writing it",
		Long: `A mapping file says how customers' words and fields become those of their
accounts; workers read the one that FAREWELL_MAPPING names. docs/mapping.md
tells what it may hold.`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(a.mappingCheckCommand(), a.mappingSchemaCommand())
	return cmd
}

func (a *app) mappingCheckCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "check FILE",
		Short: "Name what is wrong with a mapping file, by line and column",
		Long: `Name what is wrong with a mapping file, by line and column. It asks nobody:
whether an account has the fields, options and groups that the file names is
what ` + program + ` check CUSTOMER finds out, on a worker.

Exits with 0, or 4 when the file cannot be used.`,
		Example: examples(program + " mapping check mapping.yaml"),
		Args: func(cmd *cobra.Command, args []string) error {
			if len(args) != 1 {
				return usagef("%s: name one file; see %s --help", commandPath(cmd), commandPath(cmd))
			}
			return nil
		},
		RunE: func(_ *cobra.Command, args []string) error { return a.checkMapping(args[0]) },
	}
}

func (a *app) checkMapping(path string) error {
	file, err := mapping.Read(path)
	var invalid *mapping.Invalid
	if errors.As(err, &invalid) {
		for _, p := range invalid.Problems {
			a.printf("%s %s", a.out.paint(red, "✗"), clean(p.String()))
			if p.Fix != "" {
				a.printf("    %s", clean(p.Fix))
			}
		}
		return exit(exitAttention)
	}
	if err != nil {
		return err
	}
	own := "no customer has entries of their own"
	if customers := file.Customers(); len(customers) > 0 {
		own = "entries of their own have " + strings.Join(customers, ", ")
	}
	a.printf("%s %s can be used; %s", a.out.paint(green, "✓"), clean(path), clean(own))
	a.printf("    whether an account has what it names: %s check CUSTOMER", program)
	return nil
}

func (a *app) mappingSchemaCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "schema",
		Short: "Print the JSON Schema of mapping files, for editors",
		Long: `Print the JSON Schema of mapping files. Editors with a YAML language server
complete and check a file that begins with
# yaml-language-server: $schema=mapping.schema.json`,
		Example: examples(program + " mapping schema > mapping.schema.json"),
		Args:    cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			a.printf("%s", strings.TrimSuffix(mapping.Schema(), "\n"))
			return nil
		},
	}
}
