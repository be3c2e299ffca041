package main

import (
	"github.com/spf13/cobra"

	"farewell/migration"
)

func (a *app) pauseCommand() *cobra.Command {
	return a.orderCommand(&cobra.Command{
		Use:   "pause CUSTOMER… | --all",
		Short: "Stop sending within a second, and wait for resume",
		Long: `Stop sending within a second, and wait for resume. Jobs that are open in the
account still end and are written down.`,
		Example: examples(program+" pause acme --reason 'their agents complain about speed'", program+" pause --all"),
	}, &order{word: migration.UpdatePause, control: migration.ControlPause, meant: running, gone: notRunning}, false)
}
