package zendesk

import (
	"bytes"
	"cmp"
	"hash/maphash"
	"math/bits"
	"slices"
	"strconv"
)

// seenTickets are the live tickets of ours that a pass saw. An account may hold
// millions, so a ticket takes its source id and 36 bytes, and what holds them
// grows by blocks: a slice that grows needs room for itself twice.
type seenTickets struct {
	blocks [][]seenTicket
	texts  [][]byte // source ids, one after the other; none lies in two blocks
	order  []uint32 // the tickets that count, by target
}

type seenTicket struct {
	target    int64
	generated int64 // Unix seconds by the account's clock
	text      uint32
	at        uint16 // of the source id in that block of texts
	long      uint16
	tagged    bool
}

const (
	rowsPerBlock = 4096
	textPerBlock = 1 << 16 // an offset in it is a uint16
)

// add notes a ticket. A pass may show a ticket more than once; what it says
// first counts. A source id is at most as long as Zendesk's external ids are.
func (s *seenTickets) add(sourceID string, target, generated int64, tagged bool) {
	if n := len(s.texts); n == 0 || len(s.texts[n-1])+len(sourceID) > textPerBlock {
		s.texts = append(s.texts, make([]byte, 0, textPerBlock))
	}
	if n := len(s.blocks); n == 0 || len(s.blocks[n-1]) == rowsPerBlock {
		s.blocks = append(s.blocks, make([]seenTicket, 0, rowsPerBlock))
	}
	text, block := len(s.texts)-1, len(s.blocks)-1
	s.blocks[block] = append(s.blocks[block], seenTicket{
		target: target, generated: generated, text: uint32(text), at: uint16(len(s.texts[text])), long: uint16(len(sourceID)), tagged: tagged,
	})
	s.texts[text] = append(s.texts[text], sourceID...)
}

// len is how many tickets were noted.
func (s *seenTickets) len() int {
	if len(s.blocks) == 0 {
		return 0
	}
	return (len(s.blocks)-1)*rowsPerBlock + len(s.blocks[len(s.blocks)-1])
}

func (s *seenTickets) row(n uint32) *seenTicket { return &s.blocks[n/rowsPerBlock][n%rowsPerBlock] }

func (s *seenTickets) sourceID(n uint32) []byte {
	t := s.row(n)
	return s.texts[t.text][t.at : int(t.at)+int(t.long)]
}

// sort must come after the last ticket and before what follows.
func (s *seenTickets) sort() {
	s.order = make([]uint32, s.len())
	for n := range s.order {
		s.order[n] = uint32(n)
	}
	slices.SortFunc(s.order, func(x, y uint32) int { return cmp.Or(cmp.Compare(s.row(x).target, s.row(y).target), cmp.Compare(x, y)) })
	s.order = slices.CompactFunc(s.order, func(x, y uint32) bool { return s.row(x).target == s.row(y).target })
}

// eachAgain calls fn for every source id that more than one ticket has, in the
// order of the ids; the tickets are in the order seen.
func (s *seenTickets) eachAgain(fn func(sourceID string, tickets []seenTicket)) {
	bySource := s.suspects()
	slices.SortFunc(bySource, func(x, y uint32) int { return cmp.Or(bytes.Compare(s.sourceID(x), s.sourceID(y)), cmp.Compare(x, y)) })
	for from := 0; from < len(bySource); {
		sourceID := s.sourceID(bySource[from])
		to := from + 1
		for to < len(bySource) && bytes.Equal(s.sourceID(bySource[to]), sourceID) {
			to++
		}
		if to > from+1 {
			tickets := make([]seenTicket, 0, to-from)
			for _, n := range bySource[from:to] {
				tickets = append(tickets, *s.row(n))
			}
			fn(string(sourceID), tickets)
		}
		from = to
	}
}

// suspects are the tickets whose source id may be that of another one, too: all
// of which that is true, and a tenth or so of the others. Finding them takes far
// less than sorting all tickets by source id.
func (s *seenTickets) suspects() (found []uint32) {
	const room = 8 // bits for each ticket, at least
	mask := uint64(1)<<bits.Len(uint(room*len(s.order))) - 1
	once, twice := make([]uint64, mask/64+1), make([]uint64, mask/64+1)
	seed := maphash.MakeSeed()
	place := func(n uint32) (word, bit uint64) {
		hash := maphash.Bytes(seed, s.sourceID(n)) & mask
		return hash / 64, 1 << (hash % 64)
	}
	for _, n := range s.order {
		word, bit := place(n)
		twice[word] |= once[word] & bit
		once[word] |= bit
	}
	for _, n := range s.order {
		if word, bit := place(n); twice[word]&bit != 0 {
			found = append(found, n)
		}
	}
	return found
}

// targets are those of the tickets that count. They outlive the rest of what
// was seen.
func (s *seenTickets) targets() targetIDs {
	targets := make(targetIDs, len(s.order))
	for i, n := range s.order {
		targets[i] = s.row(n).target
	}
	return targets
}

// targetIDs are ascending.
type targetIDs []int64

func (t targetIDs) has(targetID string) bool {
	target, err := strconv.ParseInt(targetID, 10, 64)
	if err != nil {
		return false // no ticket has such an id
	}
	_, seen := slices.BinarySearch(t, target)
	return seen
}
