package main

import "time"

const (
	// tickets and users are the size that the aims speak of.
	tickets           = 100_000
	users             = 10_000
	commentsPerTicket = 4

	// gigabyteTickets give about 1 GB of CSV.
	gigabyteTickets = 385_000

	// fewTickets and manyTickets are the sizes between which memory must not
	// grow.
	fewTickets  = 10_000
	manyTickets = 1_000_000

	// pairs is how often ours and psql take turns: the machine is noisy.
	pairs         = 5
	gigabytePairs = 3

	// allowance is what a run may take beside the rows: five activities that
	// look and plan before the first row, and four after the last.
	allowance = 700 * time.Millisecond

	// benchLimit ends a bench that hangs.
	benchLimit = 40 * time.Minute

	// reportFile is where the figures go besides the terminal.
	reportFile = ".dev/bench-csv.txt"
)

// allSteps are what is measured; the flag -steps names some of them, for whoever
// has a few minutes only or is looking for the cause of one figure.
const allSteps = "speed,gzip,gigabyte,memory"
