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
		if got := percentFor(used, heapRoom); got != want {
			t.Errorf("%d bytes in use: %d %%, want %d", used, got, want)
		}
	}
}

func TestLanesHaveRoomToSendUpToALimit(t *testing.T) {
	t.Parallel()
	for lanes, want := range map[int]uint64{0: heapRoom, 1: heapRoom + laneRoom, 3: mostRoom, 100: mostRoom} {
		if got := roomOf(lanes); got != want {
			t.Errorf("%d lanes: room for %d bytes, want %d", lanes, got, want)
		}
	}
}

func TestLimitIsAboveWhatTheHeapMayGrowTo(t *testing.T) {
	t.Parallel()
	for _, room := range []uint64{heapRoom, mostRoom} {
		for _, used := range []uint64{8 << 20, heapRoom, 4 * mostRoom, 1 << 30} {
			goal := used + used*uint64(percentFor(used, room))/100
			if limit := limitFor(used, room); limit < int64(goal+heapAround) {
				t.Errorf("%d bytes in use: limit %d below the heap's goal %d and what is around it", used, limit, goal)
			}
		}
	}
}
