package activities

import (
	"cmp"
	"math/rand/v2"
	"slices"
	"strconv"
	"testing"
)

func TestDrawIsTheLowestRanksOfAll(t *testing.T) {
	t.Parallel()
	const most = 10
	for shown := range 20 * most {
		for _, order := range []string{"mixed", "rising", "falling"} {
			ranks := make([]uint64, shown)
			for i := range ranks {
				ranks[i] = rank(7, strconv.Itoa(i))
			}
			lowest := slices.Sorted(slices.Values(ranks))
			switch order {
			case "rising":
				ranks = slices.Clone(lowest)
			case "falling":
				ranks = slices.SortedFunc(slices.Values(ranks), func(a, b uint64) int { return cmp.Compare(b, a) })
			}
			d := draw{most: most}
			for _, r := range ranks {
				d.add(sampled{rank: r})
			}
			for _, n := range []int{0, 3, most, 2 * most} {
				var got []uint64
				for _, s := range d.lowest(n) {
					got = append(got, s.rank)
				}
				if want := lowest[:min(n, most, shown)]; !slices.Equal(got, want) {
					t.Errorf("%d shown, %s: the %d lowest are\n%v, not\n%v", shown, order, n, want, got)
				}
			}
		}
	}
}

func TestRankLooksLikeChance(t *testing.T) {
	t.Parallel()
	const ids, parts = 100_000, 20
	rng := rand.New(rand.NewPCG(1, 2))
	kinds := map[string]func(int) string{
		"numbers": strconv.Itoa,
		"long":    func(i int) string { return "0190b2c4-0000-7000-8000-" + strconv.Itoa(1_000_000+i) },
		"chance":  func(int) string { return strconv.FormatUint(rng.Uint64(), 36) },
	}
	for kind, id := range kinds {
		for _, run := range []string{"", "run-1", "run-2"} {
			seed := rank(0, run)
			var drawn [parts]int // from each twentieth of the ids, into the lowest twentieth
			for i := range ids {
				if rank(seed, id(i)) < 1<<64/parts {
					drawn[i*parts/ids]++
				}
			}
			for part, n := range drawn {
				if want := ids / parts / parts; n < want*2/3 || n > want*4/3 {
					t.Errorf("%s, seed %q: %d of part %d were drawn, want about %d", kind, run, n, part, want)
				}
			}
		}
	}
	if rank(rank(0, "run-1"), "1") == rank(rank(0, "run-2"), "1") {
		t.Error("two runs draw the same sample")
	}
}
