package main

import (
	"bytes"
	"context"
	"debug/buildinfo"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// searchAttributes are the product's, see `bin/starter setup`, which registers
// them on any other server.
var searchAttributes = []string{
	"FarewellCustomer=Keyword", "FarewellDestination=Keyword", "FarewellState=Keyword",
	"FarewellAttention=Bool", "FarewellPercent=Int", "FarewellFailed=Int",
}

// dynamicConfig is what server 1.29 needs for the product's fairness keys, which
// hold per partition of a task queue, and for attributes that can be used the
// moment they are registered.
var dynamicConfig = []string{
	"matching.useNewMatcher=true",
	"matching.enableFairness=true",
	"matching.numTaskqueueReadPartitions=1",
	"matching.numTaskqueueWritePartitions=1",
	"system.forceSearchAttributesCacheRefreshOnRead=true",
}

const (
	temporalPackage = "github.com/temporalio/cli/cmd/temporal"
	temporalModule  = "github.com/temporalio/cli"
	// temporalBuildTime was measured with an empty build cache.
	temporalBuildTime = "about 4 minutes on 2 cores"
)

// oldestTemporal is the server in version 1.5.1 of the CLI. The CLI's own
// number is no help: built from source it is always 0.0.0-DEV.
var oldestTemporal = [3]int{1, 29, 1}

// temporalCLI is Temporal's official command, being built if need be.
type temporalCLI struct {
	path  string
	began time.Time
	built chan error // nil when there was nothing to build
}

// startTemporalCLI finds the CLI, or begins to build the pinned one.
func (e environment) startTemporalCLI(ctx context.Context) temporalCLI {
	if onPath, err := exec.LookPath("temporal"); err == nil && newEnough(onPath) {
		return temporalCLI{path: onPath}
	}
	cli := temporalCLI{path: e.checkout.dev("bin", "temporal")}
	if e.isPinned(cli.path) {
		return cli
	}
	e.console.say("building Temporal's CLI in the background, once (%s)", temporalBuildTime)
	cli.began, cli.built = time.Now(), make(chan error, 1)
	go func() { cli.built <- e.buildTemporal(ctx, cli.path) }()
	return cli
}

func (c temporalCLI) ready() bool { return c.built == nil }

// await returns when the CLI can be used.
func (c temporalCLI) await(con *console) error {
	if c.ready() {
		return nil
	}
	return con.since(c.began, "building Temporal's CLI", temporalBuildTime, func() error { return <-c.built })
}

func (e environment) buildTemporal(ctx context.Context, path string) error {
	next := path + ".new"
	cmd := exec.CommandContext(ctx, "go", "build", "-buildvcs=false", "-o", next, temporalPackage)
	cmd.Dir = e.checkout.tools("temporal")
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("build Temporal's CLI: %w\n%s", err, out)
	}
	return os.Rename(next, path)
}

// isPinned says whether the program was built from the version that
// tools/temporal pins.
func (e environment) isPinned(path string) bool {
	info, err := buildinfo.ReadFile(path)
	if err != nil {
		return false
	}
	pins, err := os.ReadFile(e.checkout.tools("temporal") + "/go.mod")
	return err == nil && info.Main.Path == temporalModule &&
		bytes.Contains(pins, []byte("\t"+temporalModule+" "+info.Main.Version+" "))
}

func newEnough(path string) bool {
	out, err := exec.Command(path, "--version").Output()
	return err == nil && serverIsNewEnough(string(out))
}

var serverVersion = regexp.MustCompile(`\(Server (\d+)\.(\d+)\.(\d+)`)

// serverIsNewEnough reads a line such as
// "temporal version 1.5.1 (Server 1.29.1, UI 2.42.1)".
func serverIsNewEnough(version string) bool {
	match := serverVersion.FindStringSubmatch(version)
	if match == nil {
		return false
	}
	for i, oldest := range oldestTemporal {
		part, err := strconv.Atoi(match[i+1])
		if err != nil || part != oldest {
			return err == nil && part > oldest
		}
	}
	return true
}

// devServer is Temporal with a file store: as fast as memory with these
// pragmas, and it survives being killed. Without uiPort there is no Web UI.
func devServer(cli, file string, port, uiPort int) server {
	ports := []int{port}
	args := []string{
		cli, "server", "start-dev", "--ip", "127.0.0.1", "--port", strconv.Itoa(port), "--log-level", "warn",
		"--db-filename", file, "--sqlite-pragma", "journal_mode=wal", "--sqlite-pragma", "synchronous=normal",
	}
	if uiPort == 0 {
		args = append(args, "--headless")
	} else {
		args = append(args, "--ui-port", strconv.Itoa(uiPort))
		ports = append(ports, uiPort)
	}
	for _, attribute := range searchAttributes {
		args = append(args, "--search-attribute", attribute)
	}
	for _, value := range dynamicConfig {
		args = append(args, "--dynamic-config-value", value)
	}
	return server{
		Name: serverTemporal, Args: args, Dir: filepath.Dir(file), Ports: ports,
		// The server allocates much and keeps little: it spends a tenth less
		// time collecting garbage at the cost of some memory.
		Env:        []string{"GOGC=400"},
		StopSignal: syscall.SIGTERM, StopTimeout: 15 * time.Second,
	}
}

// awaitTemporal returns when the default namespace knows our search attributes.
func awaitTemporal(ctx context.Context, cli string, port int) error {
	var last error
	err := waitUntil(ctx, 60*time.Second, func() bool {
		asking, cancel := context.WithTimeout(ctx, 5*time.Second)
		defer cancel()
		out, err := exec.CommandContext(asking, cli, "operator", "search-attribute", "list",
			"--address", loopback(port), "--namespace", "default").CombinedOutput()
		last = err
		return err == nil && strings.Contains(string(out), "FarewellFailed")
	})
	if err != nil {
		return fmt.Errorf("wait for Temporal: %w (%w)", err, last)
	}
	return nil
}
