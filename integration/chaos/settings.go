package main

import (
	"path/filepath"
	"time"
)

// plan is the size of a run.
type plan struct {
	seed      uint64
	customers int
	tickets   int // of each customer
	comments  int // of a ticket, on average
	atOnce    int // migrations under way
	workers   int
	perTicket float64       // seconds of a job for each ticket, before factor: longer than Zendesk's, so that there is time for all acts
	limit     time.Duration // for everything; what has not ended then is hung
	meddled   int           // customers whose records change meanwhile
	poisoned  int           // customers with tickets that the account refuses
	acts      map[act]int   // what is done to processes
	every     time.Duration // between two acts
	cuts      float64       // share of the ledger's answers lost at each critical moment
	report    string        // file; empty: none
	aims      bool          // the aims of the long run apply
}

// factor is how much faster than Zendesk's all time passes, in the sandbox and
// in the workers. What Temporal needs to notice a dead worker is not scaled.
const factor = 150

// long is `make chaos`.
func long(seed uint64) plan {
	return plan{
		seed: seed, customers: 30, tickets: 10_000, comments: 2, atOnce: 5, workers: 4, perTicket: 3,
		limit: 38 * time.Minute, meddled: 6, poisoned: 4,
		acts: map[act]int{
			killUnrecorded: 9, killUnsettled: 9, killUnbeaten: 9, terminate: 8, freeze: 12, killTemporal: 5, killPostgres: 5,
		},
		every: 5 * time.Second, cuts: 0.04, report: filepath.Join(".dev", "chaos.txt"), aims: true,
	}
}

// short is what `make test` has time for. It shares Temporal and Postgres with
// other tests, so those are left alone.
func short(seed uint64) plan {
	return plan{
		seed: seed, customers: 3, tickets: 1200, comments: 2, atOnce: 3, workers: 2, perTicket: 0.15,
		limit: 5 * time.Minute, meddled: 1, poisoned: 1, // a net: a busy machine takes two minutes
		acts:  map[act]int{killUnrecorded: 1, killUnsettled: 1, terminate: 1},
		every: 4 * time.Second, cuts: 0.05,
	}
}
