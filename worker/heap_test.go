package main

import "testing"

func TestHeapHasRoomUntilItIsLargerThanThat(t *testing.T) {
	t.Parallel()
	for used, want := range map[uint64]int{
		0:            1000,
		8 << 20:      350,
		heapUsual:    200,
		heapRoom:     100,
		4 * heapRoom: 100,
	} {
		if got := percentFor(used); got != want {
			t.Errorf("%d bytes in use: %d %%, want %d", used, got, want)
		}
	}
}

func TestLimitIsAboveWhatTheHeapMayGrowTo(t *testing.T) {
	t.Parallel()
	for _, used := range []uint64{8 << 20, heapRoom, 4 * heapRoom, 1 << 30} {
		goal := used + used*uint64(percentFor(used))/100
		if limit := limitFor(used); limit < int64(goal+heapAround) {
			t.Errorf("%d bytes in use: limit %d below the heap's goal %d and what is around it", used, limit, goal)
		}
	}
}
