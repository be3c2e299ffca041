package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"syscall"
	"time"
)

// state is what the supervisor tells the others, in supervisor.json. It is
// enough to end what was started even after the supervisor itself was killed.
type state struct {
	Supervisor process `json:"supervisor"`
	// Plan is the digest of the plan that has been put in force.
	Plan    string        `json:"plan"`
	Servers []serverState `json:"servers"`
}

type serverState struct {
	Name    string  `json:"name"`
	Process process `json:"process"`
	// Since is when this process started.
	Since    time.Time `json:"since"`
	Restarts int       `json:"restarts"`
	LastExit string    `json:"last_exit,omitempty"`
	Ports    []int     `json:"ports,omitempty"`
	// How to stop it, for when the supervisor cannot.
	StopSignal  syscall.Signal `json:"stop_signal"`
	StopTimeout time.Duration  `json:"stop_timeout"`
}

// initialState is that of a server that has not been started yet.
func (s server) initialState() serverState {
	return serverState{Name: s.Name, Ports: s.Ports, StopSignal: s.StopSignal, StopTimeout: s.StopTimeout}
}

func stateFile(dir string) string { return filepath.Join(dir, "supervisor.json") }

// readState returns the zero state when nothing was ever started. A file that
// cannot be read counts as that too: it is left by a machine that crashed.
func readState(dir string) (state, error) {
	data, err := os.ReadFile(stateFile(dir))
	if errors.Is(err, fs.ErrNotExist) {
		return state{}, nil
	}
	if err != nil {
		return state{}, fmt.Errorf("read the supervisor's state: %w", err)
	}
	var s state
	if err := json.Unmarshal(data, &s); err != nil {
		return state{}, nil //nolint:nilerr // see above
	}
	return s, nil
}

func (s state) write(dir string) error {
	data, err := json.MarshalIndent(s, "", "  ")
	if err != nil {
		return fmt.Errorf("encode the supervisor's state: %w", err)
	}
	if err := writeFileAtomically(stateFile(dir), data); err != nil {
		return fmt.Errorf("write the supervisor's state: %w", err)
	}
	return nil
}

func (s state) find(name string) (serverState, bool) {
	for _, one := range s.Servers {
		if one.Name == name {
			return one, true
		}
	}
	return serverState{}, false
}

// running says whether that server's process is alive now.
func (s state) running(name string) bool {
	one, found := s.find(name)
	return found && one.Process.alive()
}

// listens says whether one of our servers is alive and has that port.
func (s state) listens(port int) bool {
	return slices.ContainsFunc(s.Servers, func(one serverState) bool {
		return slices.Contains(one.Ports, port) && one.Process.alive()
	})
}
