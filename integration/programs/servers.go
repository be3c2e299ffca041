package programs

import (
	"fmt"
	"os"
)

// Servers are what `temporal-dev.sh with-servers` gives: servers that nobody
// else uses, and the product's programs.
type Servers struct {
	Postgres string // a superuser's connection URL
	Temporal string // host and port
	Metrics  string // address of Temporal's own metrics
	Programs string // folder of worker, starter and sandbox
}

// GivenServers reads from the environment which they are. Without them, the
// error names the target of make that gives them.
func GivenServers(target string) (Servers, error) {
	s := Servers{
		Postgres: os.Getenv("FAREWELL_TEST_POSTGRES_URL"),
		Temporal: os.Getenv("FAREWELL_TEST_TEMPORAL_ADDRESS"),
		Metrics:  os.Getenv("FAREWELL_TEST_TEMPORAL_METRICS"),
		Programs: os.Getenv("FAREWELL_TEST_BIN"),
	}
	if s.Postgres == "" || s.Temporal == "" || s.Metrics == "" || s.Programs == "" {
		return s, fmt.Errorf("no servers to work with: run `make %s`", target)
	}
	return s, nil
}
