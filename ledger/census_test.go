package ledger

import (
	"fmt"
	"hash/maphash"
	"math/rand/v2"
	"strings"
	"testing"

	"farewell/migration"
)

// What is counted does not depend on how well ids are told apart by their
// hashes, nor on the order in which batches are told of.
func TestCensusCountsByIDWhateverTheHash(t *testing.T) {
	t.Parallel()
	seed := maphash.MakeSeed()
	hashes := map[string]func([]byte) uint64{
		"good":     func(id []byte) uint64 { return maphash.Bytes(seed, id) },
		"few":      func(id []byte) uint64 { return maphash.Bytes(seed, id) % 1000 },
		"the same": func([]byte) uint64 { return 0 },
	}
	for name, hash := range hashes {
		for _, most := range []int{10, 100, 10_000} {
			t.Run(fmt.Sprintf("%s, %d kept", name, most), func(t *testing.T) {
				t.Parallel()
				batches, want := manyBatches(3000)
				c := newCensus(hash, most)
				for more := true; more; more = c.turn() {
					for _, b := range batches {
						c.look(b)
						if kept := len(c.seen.slots); name == "good" && kept > max(1024, 4*most) {
							t.Fatalf("%d slots for %d hashes", kept, most)
						}
					}
				}
				for _, b := range batches {
					c.lookAgain(b)
				}
				if got := c.sum(); got != want {
					t.Errorf("%+v, want %+v", got, want)
				}
			})
		}
	}
}

// manyBatches are batches of three records in any order, with what they add up
// to: a record is in up to three of them, and the last one that sent it counts,
// or else an open one.
func manyBatches(records int) ([]countedBatch, migration.Counts) {
	random := rand.New(rand.NewPCG(1, 2))
	var batches []countedBatch
	last := map[string]standing{}
	var ids []string
	for range 3 {
		for i := range records {
			if random.IntN(2) == 0 {
				ids = append(ids, fmt.Sprint(i))
			}
		}
	}
	for place := int64(1); len(ids) >= 3; place++ {
		b := countedBatch{ids: []byte(strings.Join(ids[:3], separator)), settled: place, mine: random.IntN(2) == 0}
		for _, id := range ids[:3] {
			b.outcomes = append(b.outcomes, "ccasf-"[random.IntN(6)])
			s := standing{outcome: migration.Outcome(b.outcomes[len(b.outcomes)-1]), settled: place, mine: b.mine}
			if _, ok := last[id]; !ok || s.outcome != migration.NotSent {
				last[id] = s
			}
		}
		batches, ids = append(batches, b), ids[3:]
	}
	for i := range 50 {
		id := fmt.Sprint(i)
		last[id] = standing{doubtful: i%2 == 0}
		batches = append(batches, countedBatch{ids: []byte(id), doubtful: i%2 == 0})
	}
	var want migration.Counts
	for _, s := range last {
		s.count(&want, 1)
	}
	random.Shuffle(len(batches), func(i, j int) { batches[i], batches[j] = batches[j], batches[i] })
	return batches, want
}
