package main

import (
	"github.com/spf13/cobra"

	"farewell/migration"
)

func (a *app) resumeCommand() *cobra.Command {
	return a.orderCommand(&cobra.Command{
		Use:     "resume CUSTOMER… | --all",
		Short:   "Go on after a pause",
		Example: examples(program+" resume acme", program+" resume --all"),
	}, &order{word: migration.UpdateResume, control: migration.ControlRun, meant: isPaused, gone: notRunning}, false)
}

func isPaused(v view) bool { return v.State == migration.StatePaused }
