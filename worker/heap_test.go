package main

import "testing"

func TestHeapHasRoomUntilItIsLargerThanThat(t *testing.T) {
	t.Parallel()
	for used, want := range map[uint64]int{
		0:            800,
		8 << 20:      400,
		heapRoom:     100,
		4 * heapRoom: 100,
	} {
		if got := percentFor(used); got != want {
			t.Errorf("%d bytes in use: %d %%, want %d", used, got, want)
		}
	}
}
