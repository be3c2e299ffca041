package main

import (
	"runtime"
	"runtime/debug"
	"runtime/metrics"
)

// heapRoom is how much garbage may gather before it is collected. By itself
// the runtime collects when the heap has doubled, which for the few MB that a
// worker holds is several times a second: a tenth of its CPU time.
const heapRoom = 24 << 20

// heapUsual is what a worker holds that works for a customer of some size. Less
// counts as that: a small customer is not worth collecting more often.
const heapUsual = 12 << 20

// giveRoom keeps the heap's room at heapRoom or what is in use, whichever is
// more, from now to the end of the process. Each collection ends with a look at
// what is in use, since a percentage set for a small heap is too much for a
// large one.
func giveRoom() { afterCollection(&collection{}) }

// collection is collected each time, which is how we learn of it.
type collection struct{ _ byte }

func afterCollection(c *collection) {
	used := []metrics.Sample{{Name: "/gc/heap/live:bytes"}}
	metrics.Read(used)
	debug.SetGCPercent(percentFor(used[0].Value.Uint64()))
	debug.SetMemoryLimit(limitFor(used[0].Value.Uint64()))
	runtime.SetFinalizer(c, afterCollection)
}

// goalFor is how far the heap may grow from what is in use.
func goalFor(used uint64) uint64 {
	return max(used, heapUsual) + max(used, heapRoom)
}

// percentFor is the goal as the garbage in per cent of what is in use.
func percentFor(used uint64) int {
	const most = 1000 // before the first collection nothing is in use
	return int(min(most, 100*(goalFor(used)-used)/max(used, 1)))
}

// heapAround is what may be taken beside the heap: for stacks, and for the
// holes that earlier content has left.
const heapAround = 14 << 20

// limitFor has the runtime give such holes back, or collect a little earlier,
// before the process takes more memory for them. It is above the heap's goal,
// so that collecting never becomes all that is done.
func limitFor(used uint64) int64 { return int64(goalFor(used) + heapAround) }
