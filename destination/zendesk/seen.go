package zendesk

import (
	"crypto/sha256"
	"strconv"
)

// seenTickets are the live tickets of ours that a pass saw. An account may hold
// millions, so a ticket takes some 70 bytes: a digest stands for its source id.
// It is a cryptographic one, since of two tickets that shared it the sweep would
// delete one as the other's copy.
type seenTickets struct {
	first   map[digest]seenTicket // by source id
	targets map[int64]struct{}
}

type digest [16]byte

type seenTicket struct {
	target    int64
	generated int64 // Unix seconds by the account's clock
	tagged    bool
}

func newSeenTickets() *seenTickets {
	return &seenTickets{first: map[digest]seenTicket{}, targets: map[int64]struct{}{}}
}

// add notes a ticket; when there was one with its source id, that is returned.
func (s *seenTickets) add(sourceID string, t seenTicket) (first seenTicket, again bool) {
	s.targets[t.target] = struct{}{}
	sum := sha256.Sum256([]byte(sourceID))
	key := digest(sum[:16])
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
