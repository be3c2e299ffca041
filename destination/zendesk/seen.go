package zendesk

import (
	"bytes"
	"cmp"
	"slices"
	"strconv"
)

// seenTickets are the live tickets of ours that a pass saw. An account may hold
// millions, so a ticket takes its source id and 40 bytes: a row, whose source id
// is in one text with the others, and a number to be found by.
type seenTickets struct {
	ids     []byte       // all source ids, one after the other
	rows    []seenTicket // in the order seen; sorted: by source id, then in that order
	targets []int64      // sorted: to be searched
}

type seenTicket struct {
	target    int64
	generated int64 // Unix seconds by the account's clock
	at        int   // of the source id in ids
	long      int32
	tagged    bool
}

// add notes a ticket. A pass may show a ticket more than once; what it says
// first counts.
func (s *seenTickets) add(sourceID string, target, generated int64, tagged bool) {
	s.rows = append(s.rows, seenTicket{target: target, generated: generated, at: len(s.ids), long: int32(len(sourceID)), tagged: tagged})
	s.ids = append(s.ids, sourceID...)
}

func (s *seenTickets) sourceID(t seenTicket) []byte { return s.ids[t.at : t.at+int(t.long)] }

// sort must come between the last ticket and the first question.
func (s *seenTickets) sort() {
	slices.SortFunc(s.rows, func(x, y seenTicket) int { return cmp.Or(cmp.Compare(x.target, y.target), cmp.Compare(x.at, y.at)) })
	s.rows = slices.CompactFunc(s.rows, func(x, y seenTicket) bool { return x.target == y.target })
	s.targets = make([]int64, len(s.rows))
	for i := range s.rows {
		s.targets[i] = s.rows[i].target
	}
	slices.SortFunc(s.rows, func(x, y seenTicket) int {
		return cmp.Or(bytes.Compare(s.sourceID(x), s.sourceID(y)), cmp.Compare(x.at, y.at))
	})
}

// eachAgain calls fn for every source id that more than one ticket has, in the
// order of the ids; the tickets are in the order seen.
func (s *seenTickets) eachAgain(fn func(sourceID string, tickets []seenTicket)) {
	for from := 0; from < len(s.rows); {
		sourceID := s.sourceID(s.rows[from])
		to := from + 1
		for to < len(s.rows) && bytes.Equal(s.sourceID(s.rows[to]), sourceID) {
			to++
		}
		if to > from+1 {
			fn(string(sourceID), s.rows[from:to])
		}
		from = to
	}
}

func (s *seenTickets) has(targetID string) bool {
	target, err := strconv.ParseInt(targetID, 10, 64)
	if err != nil {
		return false // no ticket has such an id
	}
	_, seen := slices.BinarySearch(s.targets, target)
	return seen
}
