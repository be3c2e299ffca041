package migration

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strconv"
	"time"
)

// Outcome is how one record ended, or that it did not end with this batch.
type Outcome byte

// The outcomes. Every record of a settled batch has exactly one.
const (
	Created      Outcome = 'c' // written by this batch
	AlreadyThere Outcome = 'a' // found in the account, or in the ledger from an earlier run
	Skipped      Outcome = 's' // left out on purpose, with a reason
	Failed       Outcome = 'f' // refused by the destination, with a reason
	NotSent      Outcome = '-' // this batch had no effect for the record: another batch takes it
)

// Item is the outcome of one record.
type Item struct {
	SourceID string  `json:"source_id"`
	Outcome  Outcome `json:"outcome"`
	TargetID string  `json:"target_id,omitempty"`
	Agent    bool    `json:"agent,omitempty"` // a user who works in the account under this id, and can have tickets
	Code     string  `json:"code,omitempty"`  // stable reason code, for skipped and failed
	Text     string  `json:"text,omitempty"`  // the reason for a person; may quote the account, so it never leaves the ledger
}

// Batch is up to 100 records that go out in one request.
type Batch struct {
	ID         string    `json:"id"`
	Entity     Entity    `json:"entity"`
	Partition  string    `json:"partition"`
	SourceIDs  []string  `json:"source_ids"`
	Level      int       `json:"level"`      // how often the records were split off a batch that failed whole: 0 to SingleLevel
	Generation int       `json:"generation"` // how many earlier batches held exactly these records
	InOrder    bool      `json:"in_order"`   // read by the partition's cursor, not by a list of ids
	ReadAt     time.Time `json:"read_at"`    // when the page was read, by the source's clock
	SendBy     time.Time `json:"send_by"`    // the request must be on its way before, by the ledger's clock
	// Files are what became of the attachments of its records before it goes
	// out. They are written with the intent, and read with it until it is settled.
	Files   []FileFate `json:"-"`
	Changes []Change   `json:"-"` // made to its records on the way; written with the intent, not read with the batch
}

// SingleLevel is the level at which records go out one by one.
const SingleLevel = 3

// BatchID derives the id of a batch from its content, so that an intent whose
// commit was uncertain can be written again and meets itself.
func BatchID(m Migration, partition string, level, generation int, sourceIDs []string) string {
	content := fmt.Appendf(nil, "%q %q %q %q %d %d", m.Customer, m.Destination, m.Account, partition, level, generation)
	for _, id := range sourceIDs {
		content = strconv.AppendQuote(append(content, ' '), id)
	}
	sum := sha256.Sum256(content)
	return hex.EncodeToString(sum[:16])
}

// EvidenceKind is what became known about a batch that was sent.
type EvidenceKind string

// The kinds of evidence. It is append-only and taken from any attempt, since
// it is what prevents doubt.
const (
	EvidenceAccepted   EvidenceKind = "accepted"   // the destination named a job
	EvidenceRefused    EvidenceKind = "refused"    // proven: no effect
	EvidenceUnanswered EvidenceKind = "unanswered" // in doubt: sent, but the answer was lost, or the job vanished
	EvidenceResults    EvidenceKind = "results"    // the fate of each record, from the answer or the job
	EvidenceFound      EvidenceKind = "found"      // what a look-up found in the account
)

// Evidence is one fact about a batch.
type Evidence struct {
	Kind  EvidenceKind `json:"kind"`
	JobID string       `json:"job_id,omitempty"`
	Items []Item       `json:"items,omitempty"`
	Note  string       `json:"note,omitempty"` // error kind and status; never a body
	At    time.Time    `json:"at"`             // set by the ledger
}

// Hold is the right to decide about a partition. Taking over a partition gives
// a new fence, and every decision under an older one is refused.
type Hold struct {
	Migration Migration
	Partition Partition
	Run       string
	Fence     int64
}

// Settlement is the decision that ends a batch.
type Settlement struct {
	Items   []Item // one per source id of the batch, in its order
	Verdict string // "results", "found", "absent", "refused", "split", "decided"
	// Again counts the records whose earlier failure this batch replaces.
	Again int
	// Files are the outcomes of the attachments of the batch's records, but for
	// those of records that were not sent. They are written with it.
	Files []Item
}

// BatchState is a batch with all that the ledger knows about it.
type BatchState struct {
	Batch
	Run       string
	IntentAt  time.Time // by the ledger's clock
	Evidence  []Evidence
	Settled   bool
	SettledAt time.Time
	Verdict   string
	Outcomes  []Outcome // one per source id; nil while not settled
}

// PartitionState is what the ledger knows about a partition when it is taken
// over: all its batches, in the order in which their intents were written.
type PartitionState struct {
	Hold    Hold
	Ended   bool // the cursor has reached the end of the range
	Batches []BatchState
}

// Target is where a record is in the account.
type Target struct {
	ID    string
	Agent bool // an agent or admin there
	Made  bool // by a batch of the migration, not met in the account

	// Placeholder tells that it stands for somebody whom the source does not
	// know, or the account refused. The ledger does not keep that.
	Placeholder bool
}

// Reason says why something does not move. Codes are stable words for scripts;
// Text is one clear line for a person.
type Reason struct {
	Code  string    `json:"code"`
	Text  string    `json:"text"`
	Since time.Time `json:"since"`
	Until time.Time `json:"until,omitzero"` // zero: unknown
}
