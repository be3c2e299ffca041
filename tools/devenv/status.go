package main

import (
	"fmt"
	"strings"
	"text/tabwriter"
	"time"
)

// status prints what runs. It ends with exit code 1 when something that should
// run does not.
func (e environment) status() error {
	current, err := readState(e.checkout.dev())
	if err != nil {
		return err
	}
	if !current.Supervisor.alive() {
		return e.statusWhenDown(current)
	}
	var table strings.Builder
	healthy := true
	w := tabwriter.NewWriter(&table, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "SERVER\tSTATE\tPROCESS\tSINCE\tRESTARTS\tPORTS")
	for _, s := range current.Servers {
		healthy = healthy && s.Process.alive()
		fmt.Fprintln(w, statusLine(s))
	}
	if err := w.Flush(); err != nil {
		return fmt.Errorf("print the status: %w", err)
	}
	e.console.say("%s", strings.TrimSuffix(table.String(), "\n"))
	if ui := e.settings.webUI(); ui != "" {
		e.console.say("Temporal Web UI: %s    logs: .dev/log    settings: .dev/env", ui)
	}
	if !healthy {
		return exitCode(exitError)
	}
	return nil
}

func statusLine(s serverState) string {
	state, pid := "running", fmt.Sprint(s.Process.PID)
	switch {
	case s.Process.alive():
	case s.LastExit == "":
		state, pid = "starting", "-"
	default:
		state, pid = "starting again after "+s.LastExit, "-"
	}
	ports := strings.Trim(fmt.Sprint(s.Ports), "[]")
	if ports == "" {
		ports = "-"
	}
	return strings.Join([]string{s.Name, state, pid, s.Since.Format(time.TimeOnly), fmt.Sprint(s.Restarts), ports}, "\t")
}

// statusWhenDown names servers that outlived a killed supervisor.
func (e environment) statusWhenDown(s state) error {
	var left []string
	for _, one := range s.Servers {
		if one.Process.alive() {
			left = append(left, fmt.Sprintf("%s (process %d)", one.Name, one.Process.PID))
		}
	}
	if len(left) > 0 {
		e.console.say("not supervised, but still running: %s; ./temporal-dev.sh up or down puts that in order", strings.Join(left, ", "))
		return exitCode(exitError)
	}
	e.console.say("not up; ./temporal-dev.sh up starts everything")
	return exitCode(exitError)
}
