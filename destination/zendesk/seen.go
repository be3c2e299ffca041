package zendesk

import (
	"hash/maphash"
	"strconv"
)

// seenTickets are the live tickets of ours that a pass saw. An account may hold
// millions, so a ticket takes some 60 bytes: a hash stands for its source id.
// Of 100,000 tickets two would share one in one sweep of four billion; they
// would be taken for copies of each other, and since the ledger knows the
// target of each, the sweep would only ask an operator.
type seenTickets struct {
	seed    maphash.Seed
	first   map[uint64]seenTicket // by hash of the source id
	targets map[int64]struct{}
}

type seenTicket struct {
	target    int64
	generated int64 // Unix seconds by the account's clock
	tagged    bool
}

func newSeenTickets() *seenTickets {
	return &seenTickets{seed: maphash.MakeSeed(), first: map[uint64]seenTicket{}, targets: map[int64]struct{}{}}
}

// add notes a ticket; when there was one with its source id, that is returned.
func (s *seenTickets) add(sourceID string, t seenTicket) (first seenTicket, again bool) {
	s.targets[t.target] = struct{}{}
	key := maphash.String(s.seed, sourceID)
	if first, again = s.first[key]; !again {
		s.first[key] = t
	}
	return first, again
}

func (s *seenTickets) has(targetID string) bool {
	target, err := strconv.ParseInt(targetID, 10, 64)
	if err != nil {
		return false // no ticket has such an id
	}
	_, seen := s.targets[target]
	return seen
}
