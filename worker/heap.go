package main

import (
	"runtime"
	"runtime/debug"
	"runtime/metrics"
)

// How much garbage may gather before it is collected. By itself the runtime
// collects when the heap has doubled, which for the few MB that a worker holds
// is twenty times a second while lanes send as fast as they can: a fifth of its
// CPU time. A bundle's streams leave little garbage.
const (
	heapRoom = 24 << 20
	laneRoom = 16 << 20 // more for each lane
	mostRoom = 72 << 20 // keeps a worker of many lanes below 150 MB, when they hold little
)

// heapUsual is what a worker holds that works for a customer of some size. Less
// counts as that: a small customer is not worth collecting more often.
const heapUsual = 12 << 20

// giveRoom keeps the heap's room at roomOf the lanes that there are or at what
// is in use, whichever is more, from now to the end of the process. Each
// collection ends with a look at both, since a percentage set for a small heap
// is too much for a large one.
func giveRoom(lanes func() int) { afterCollection(&collection{lanes}) }

// collection is collected each time, which is how we learn of it.
type collection struct{ lanes func() int }

func afterCollection(c *collection) {
	live := []metrics.Sample{{Name: "/gc/heap/live:bytes"}}
	metrics.Read(live)
	used, room := live[0].Value.Uint64(), roomOf(c.lanes())
	debug.SetGCPercent(percentFor(used, room))
	debug.SetMemoryLimit(limitFor(used, room))
	runtime.SetFinalizer(c, afterCollection)
}

func roomOf(lanes int) uint64 { return min(heapRoom+uint64(lanes)*laneRoom, mostRoom) }

// goalFor is how far the heap may grow from what is in use.
func goalFor(used, room uint64) uint64 {
	return max(used, heapUsual) + max(used, room)
}

// percentFor is the goal as the garbage in per cent of what is in use.
func percentFor(used, room uint64) int {
	const most = 1000 // before the first collection nothing is in use
	return int(min(most, 100*(goalFor(used, room)-used)/max(used, 1)))
}

// heapAround is what may be taken beside the heap: for stacks, and for the
// holes that earlier content has left.
const heapAround = 14 << 20

// limitFor has the runtime give such holes back, or collect a little earlier,
// before the process takes more memory for them. It is above the heap's goal,
// so that collecting never becomes all that is done.
func limitFor(used, room uint64) int64 { return int64(goalFor(used, room) + heapAround) }
