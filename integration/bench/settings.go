package main

import (
	"errors"
	"os"
	"time"
)

const (
	// tickets is the size that the aims speak of; fewTickets is the size beside
	// which its memory must not have grown.
	tickets           = 100_000
	fewTickets        = 10_000
	commentsPerTicket = 4

	// pairs is how often ours and the loop take turns: the machine is noisy.
	pairs = 3

	// productLanes is workflows' exportLanes, laneFlight is activities'
	// laneFlight: the loop runs in the same shape.
	productLanes = 3
	laneFlight   = 13

	// noDelay makes all waits so short that the machine is the limit: a rate
	// window of 60 ms, in which plenty has room for every request.
	noDelay = 1000.0
	plenty  = 1_000_000

	// jobScale is how much faster than Zendesk the run with jobs of 15 s is. At
	// more, our own computing would outweigh the jobs.
	jobScale = 10.0
	// secondsPerTicket is what the recordings of real jobs show: 15 s for 100.
	secondsPerTicket = 0.15

	// trialLimit ends a migration that hangs or waits for an operator.
	trialLimit = 6 * time.Minute

	// benchLimit ends a bench that hangs.
	benchLimit = 20 * time.Minute

	// reportFile is where the figures go besides the terminal.
	reportFile = ".dev/bench.txt"
)

// places are the servers and programs that `temporal-dev.sh with-servers` gives.
type places struct {
	postgres string // a superuser's connection URL
	temporal string // host and port
	metrics  string // address of Temporal's own metrics
	programs string // folder of the product's programs
}

func readPlaces() (places, error) {
	p := places{
		postgres: os.Getenv("FAREWELL_TEST_POSTGRES_URL"),
		temporal: os.Getenv("FAREWELL_TEST_TEMPORAL_ADDRESS"),
		metrics:  os.Getenv("FAREWELL_TEST_TEMPORAL_METRICS"),
		programs: os.Getenv("FAREWELL_TEST_BIN"),
	}
	if p.postgres == "" || p.temporal == "" || p.metrics == "" || p.programs == "" {
		return p, errors.New("no servers to measure on: run `make bench`")
	}
	return p, nil
}
