package main

import (
	"github.com/spf13/cobra"

	"farewell/migration"
)

func (a *app) cancelCommand() *cobra.Command {
	return a.orderCommand(&cobra.Command{
		Use:   "cancel CUSTOMER… | --all",
		Short: "Stop sending at once, settle what is open, and end",
		Long: `Stop sending at once, settle what is open, and end. Nothing that was brought is
taken back. A later start goes on where it stopped.`,
		Example: examples(program + " cancel acme --reason 'wrong account'"),
	}, &order{control: migration.ControlCancel, meant: running, gone: notRunning}, false)
}
