package main

import "time"

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
	// window of 15 ms, in which plenty has room for every request, and which is
	// over before the sweep has read the 8 pages that it may ask for in one: they
	// take 4 ms each.
	noDelay = 4000.0
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
