package activities

import (
	"cmp"
	"slices"

	"farewell/ledger"
)

// sampled is a ticket that may be read back.
type sampled struct {
	ledger.RecordState
	id, partition string
	rank          uint64 // those with the lowest make the sample
}

// draw keeps the tickets with the lowest ranks of all that it was shown, in
// room for twice as many as may be asked for.
type draw struct {
	most int // that may be asked for
	kept []sampled
	full bool   // as many were kept once,
	last uint64 // with this as the highest rank: no higher one comes in
}

func (d *draw) add(s sampled) {
	if d.full && s.rank >= d.last {
		return
	}
	if d.kept = append(d.kept, s); len(d.kept) == 2*d.most {
		d.kept = d.lowest(d.most)
		d.full, d.last = true, d.kept[d.most-1].rank
	}
}

// lowest are the n tickets with the lowest ranks, or those that there are.
func (d *draw) lowest(n int) []sampled {
	slices.SortFunc(d.kept, func(a, b sampled) int { return cmp.Compare(a.rank, b.rank) })
	return d.kept[:min(n, d.most, len(d.kept))]
}

// rank puts ids into an order that looks like chance and is the same for every
// attempt that has the same seed: it is FNV-1a
// (https://datatracker.ietf.org/doc/html/draft-eastlake-fnv), whose high bits
// the last step lets depend on all of an id, as MurmurHash3's does
// (https://github.com/aappleby/smhasher/blob/master/src/MurmurHash3.cpp).
func rank(seed uint64, id string) uint64 {
	h := seed ^ 0xcbf29ce484222325
	for i := range len(id) {
		h = (h ^ uint64(id[i])) * 0x100000001b3
	}
	h = (h ^ h>>33) * 0xff51afd7ed558ccd
	h = (h ^ h>>33) * 0xc4ceb9fe1a85ec53
	return h ^ h>>33
}
