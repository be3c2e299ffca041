package main

import (
	"bytes"
	"testing"
)

// TestNothingIsLostNorTwiceWhileWorkersDieAndAnswersGetLost is the short form:
// the seeds are fixed, and the servers are those of all tests, which are left
// alone.
func TestNothingIsLostNorTwiceWhileWorkersDieAndAnswersGetLost(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		name string
		seed uint64
	}{{"seed 1", 1}, {"seed 2", 2}} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			var said bytes.Buffer
			if err := short(row.seed).run(t.Context(), &said); err != nil {
				t.Errorf("%v\n%s", err, said.String())
			}
		})
	}
}
