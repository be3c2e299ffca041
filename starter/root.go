package main

import (
	"strings"

	"github.com/spf13/cobra"

	"farewell/migration"
)

const (
	groupMigrate = "migrate"
	groupLook    = "look"
	groupTell    = "tell"
	groupPrepare = "prepare"
	groupPace    = "pace"
)

// command is the whole tool: every command in a file of its own.
func (a *app) command() *cobra.Command {
	root := &cobra.Command{
		Use:   "starter",
		Short: "Start migrations, see what they do, and tell them what to do",
		Long: `starter starts migrations, shows what they do and why they wait, and tells them
to pause, go on or stop.

Migrations run on Temporal and in workers (bin/worker): ending this program never
stops one.`,
		SilenceErrors:     true, // run prints them, once
		SilenceUsage:      true,
		CompletionOptions: cobra.CompletionOptions{HiddenDefaultCmd: true},
		Args:              cobra.ArbitraryArgs,
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) > 0 {
				return a.unknownCommand(cmd, args[0])
			}
			return cmd.Help()
		},
	}
	root.SetOut(a.out)
	root.SetErr(a.errOut)
	root.SetFlagErrorFunc(func(cmd *cobra.Command, err error) error {
		return usagef("%v; see %s --help", err, commandPath(cmd))
	})
	root.AddGroup(
		&cobra.Group{ID: groupPrepare, Title: "Prepare:"},
		&cobra.Group{ID: groupMigrate, Title: "Migrate:"},
		&cobra.Group{ID: groupLook, Title: "Look:"},
		&cobra.Group{ID: groupTell, Title: "Tell a migration what to do:"},
		&cobra.Group{ID: groupPace, Title: "Bound what all of them use:"},
	)
	root.AddCommand(
		a.setupCommand(), a.checkCommand(), a.mappingCommand(), a.reconcileCommand(),
		a.startCommand(), a.retryCommand(),
		a.listCommand(), a.statusCommand(), a.watchCommand(), a.failuresCommand(), a.changesCommand(), a.verifyBundleCommand(), a.verifyCommand(),
		a.pauseCommand(), a.resumeCommand(), a.skipCommand(), a.cancelCommand(),
		a.egressCommand(), a.sourceCommand(),
	)
	return root
}

func (a *app) unknownCommand(root *cobra.Command, name string) error {
	var names []string
	for _, c := range root.Commands() {
		if !c.Hidden {
			names = append(names, c.Name())
		}
	}
	if near := migration.Nearest(name, names); len(near) > 0 {
		return usagef("unknown command %q: did you mean %s? See %s --help", clean(name), strings.Join(near, " or "), program)
	}
	return usagef("unknown command %q: see %s --help", clean(name), program)
}

// commandPath is the command as it is typed.
func commandPath(cmd *cobra.Command) string {
	return program + strings.TrimPrefix(cmd.CommandPath(), cmd.Root().Name())
}

// examples indents the lines of a command's examples.
func examples(lines ...string) string {
	return "  " + strings.Join(lines, "\n  ")
}
