package zendesktest

import "unsafe"

// arenaChunk is the size of the blocks that hold stored text: large enough that the collector sees few objects.
const arenaChunk = 256 << 10

// arena holds text for as long as the account lives. One block instead of a million small strings keeps the collector
// cheap: with 300,000 tickets in memory it is what decides the sandbox's speed.
type arena struct {
	free []byte
}

// take copies b and returns it as a string.
func (a *arena) take(b []byte) string {
	if len(b) == 0 {
		return ""
	}
	if len(b) > arenaChunk/4 {
		return string(b)
	}
	if len(b) > len(a.free) {
		a.free = make([]byte, arenaChunk)
	}
	n := copy(a.free, b)
	s := unsafe.String(&a.free[0], n) // never written again: free moves past it
	a.free = a.free[n:]
	return s
}
