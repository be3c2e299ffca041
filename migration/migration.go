// Package migration is Farewell's vocabulary: the words that a support engineer
// would use, as plain data and pure functions. It imports the standard library
// only, so that every other room can speak it.
package migration

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"net/url"
	"slices"
	"strings"
)

// Kinds of destinations, as the accounts file spells them.
const (
	DestinationZendesk = "zendesk"
	DestinationCSV     = "csv"
)

// Migration names one customer on the way to one account. It is the key of
// everything that the ledger remembers, so a rehearsal in a trial account never
// counts for the real one.
type Migration struct {
	Customer    string `json:"customer"`    // the tenant's id in the view "customers"
	Destination string `json:"destination"` // a Destination… kind
	Account     string `json:"account"`     // the account's name in the accounts file
}

func (m Migration) String() string {
	return m.Customer + " → " + m.Destination + ":" + m.Account
}

// WorkflowID is the Temporal workflow id of the migration. One id per
// migration is what keeps two runs from working at the same time.
func (m Migration) WorkflowID() string {
	return "migrate/" + url.PathEscape(m.Customer) + "/" + url.PathEscape(m.Account)
}

// ReconcileWorkflowID is the workflow id under which the ledger of the
// migration is rebuilt from the account.
func (m Migration) ReconcileWorkflowID() string {
	return "reconcile/" + url.PathEscape(m.Customer) + "/" + url.PathEscape(m.Account)
}

// VerifyWorkflowID is the workflow id under which the migration is verified
// apart from its runs.
func (m Migration) VerifyWorkflowID() string {
	return "verify/" + url.PathEscape(m.Customer) + "/" + url.PathEscape(m.Account)
}

// Entity is a kind of record, in the order in which they are exported.
type Entity string

// The entities. A ticket carries its comments and attachments.
const (
	Organizations Entity = "organizations"
	Users         Entity = "users"
	Tickets       Entity = "tickets"
)

// What is brought of users apart from themselves, by the user's id.
const (
	// Memberships are a user's further organizations: they come before the
	// tickets, since a ticket's organization must be one of its requester's.
	Memberships Entity = "memberships"
	// Suspensions are users who may not write any more: they come after the
	// tickets, since a suspended user cannot be the requester of one.
	Suspensions Entity = "suspensions"
)

// What is counted like an entity without being exported as one.
const (
	// Attachments are the files at a ticket's comments.
	Attachments Entity = "attachments"
	// Placeholders are the people who stand for those whom the source itself
	// does not know.
	Placeholders Entity = "placeholders"
)

// Entities lists every entity in the order of export: whoever is named by a
// later one is there already.
func Entities() []Entity { return []Entity{Organizations, Users, Tickets} }

// IsRecord tells whether each of the entity is a record of the source, and not
// something that belongs to one.
func (e Entity) IsRecord() bool { return slices.Contains(Entities(), e) }

// Work lists what is brought to an account, in order: the entities, and what
// belongs to users but must wait for others.
func Work() []Entity {
	return []Entity{Organizations, Users, Memberships, Tickets, Suspensions}
}

// Partition is a key range of one entity, (After, UpTo] in the order of the
// source's own ids, and the work of one export activity. The boundaries are
// written to the ledger once per migration and never move; the last partition
// of an entity has no upper end, so that new records fall into it.
type Partition struct {
	ID     string `json:"id"` // "tickets-0007", from the plan
	Entity Entity `json:"entity"`
	After  string `json:"after,omitempty"` // exclusive; empty: from the beginning
	UpTo   string `json:"up_to,omitempty"` // inclusive; empty: to the end
	Rows   int64  `json:"rows"`            // rows when the plan was made
}

// Range is the partition's key range in words, for summaries.
func (p Partition) Range() string {
	after, upTo := p.After, p.UpTo
	if after == "" {
		after = "start"
	}
	if upTo == "" {
		upTo = "end"
	}
	return fmt.Sprintf("%s (%s, %s]", p.Entity, after, upTo)
}

// BesideTickets is the partition in which the attachments of a ticket
// partition are counted. It has no range of its own.
func BesideTickets(p Partition) Partition {
	return Partition{ID: strings.Replace(p.ID, string(Tickets), string(Attachments), 1), Entity: Attachments}
}

// PartitionID builds the id of the n-th partition of an entity, n from 1.
func PartitionID(e Entity, n int) string { return fmt.Sprintf("%s-%04d", e, n) }

// OnDemand is the partition that holds people who were met as authors or
// requesters before their own partition, or after it, brought them.
func OnDemand(e Entity) Partition {
	return Partition{ID: string(e) + "-on-demand", Entity: e}
}

// IsOnDemand tells whether the partition is one that OnDemand made: it has no
// range to read.
func (p Partition) IsOnDemand() bool { return strings.HasSuffix(p.ID, "-on-demand") }

// State is what a migration is doing or how it ended. Why something does not
// move is a Reason beside the state, never a state.
type State string

// The states of a migration that runs, then those of one that has ended.
const (
	StateWaiting        State = "waiting"
	StatePreflight      State = "preflight"
	StatePlanning       State = "planning"
	StateExporting      State = "exporting"
	StateVerifying      State = "verifying"
	StatePaused         State = "paused"
	StateNeedsAttention State = "needs_attention"
	StateCancelling     State = "cancelling"

	StateCompleted             State = "completed"
	StateCompletedWithFailures State = "completed_with_failures"
	StateCancelled             State = "cancelled"
	StateFailed                State = "failed"
)

// Ended tells whether a migration in this state does nothing any more.
func (s State) Ended() bool {
	switch s {
	case StateCompleted, StateCompletedWithFailures, StateCancelled, StateFailed:
		return true
	}
	return false
}

// FairnessKey is the key under which Temporal shares the export queue fairly
// between customers. It is a hash because a key over 64 bytes fails the
// workflow task again and again, and a customer's id may be longer.
func (m Migration) FairnessKey() string {
	sum := sha256.Sum256([]byte(m.Customer))
	return hex.EncodeToString(sum[:16])
}
