package main

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"syscall"
	"time"
)

// plan is what the supervisor shall keep running, in the order of starting;
// stopping goes the other way.
type plan struct {
	Servers []server `json:"servers"`
}

// server is one process to keep running. A server whose description changes is
// restarted.
type server struct {
	Name string `json:"name"`
	// Args starts with the program's absolute path.
	Args []string `json:"args"`
	// Env is added to the supervisor's own environment.
	Env []string `json:"env,omitempty"`
	Dir string   `json:"dir"`
	// RunAs is nil for the supervisor's own user.
	RunAs *unixUser `json:"run_as,omitempty"`
	// Build tells two builds of one program apart.
	Build string `json:"build,omitempty"`
	// Ports are those that it listens on.
	Ports       []int          `json:"ports,omitempty"`
	StopSignal  syscall.Signal `json:"stop_signal"`
	StopTimeout time.Duration  `json:"stop_timeout"`
}

// Names of the servers, also those of their log files.
const (
	serverPostgres = "postgres"
	serverTemporal = "temporal"
	serverSandbox  = "sandbox"
	serverWorker   = "worker"
)

// digest is equal for equal plans.
func (p plan) digest() string { return digestOf(p) }

func (s server) digest() string { return digestOf(s) }

func digestOf(v any) string {
	data, err := json.Marshal(v)
	if err != nil {
		panic(err) // plans hold only texts and numbers
	}
	sum := sha256.Sum256(data)
	return hex.EncodeToString(sum[:8])
}

func (p plan) find(name string) (server, bool) {
	for _, s := range p.Servers {
		if s.Name == name {
			return s, true
		}
	}
	return server{}, false
}

func planFile(dir string) string { return filepath.Join(dir, "plan.json") }

func (p plan) write(dir string) error {
	data, err := json.MarshalIndent(p, "", "  ")
	if err != nil {
		return fmt.Errorf("encode the plan: %w", err)
	}
	if err := writeFileAtomically(planFile(dir), data); err != nil {
		return fmt.Errorf("write the plan for the supervisor: %w", err)
	}
	return nil
}

func readPlan(dir string) (plan, error) {
	data, err := os.ReadFile(planFile(dir))
	if err != nil {
		return plan{}, fmt.Errorf("read the supervisor's plan: %w", err)
	}
	var p plan
	if err := json.Unmarshal(data, &p); err != nil {
		return plan{}, fmt.Errorf("read the supervisor's plan %s: %w", planFile(dir), err)
	}
	return p, nil
}
