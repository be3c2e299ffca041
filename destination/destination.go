// Package destination is the contract between Farewell and the places to which
// records go. Each destination lives in a folder of its own below this one and
// passes the conformance suite in destinationtest.
package destination

import (
	"context"
	"io"
	"time"

	"farewell/mapping"
	"farewell/migration"
)

// Account is a line of the accounts file, opened: where a customer's records
// go and what we were granted there. Secrets are fetched by Secret at each use,
// so that a rotated one is picked up; they appear in no error and no log.
type Account struct {
	Name            string
	Customer        string
	Kind            string // a migration.Destination… constant
	URL             string
	PlanPerMinute   int // requests per minute of the account's plan; 0: unknown, 200 is assumed
	ReservedPercent int // share of the plan left to the account's other integrations
	Auth            string
	Secret          func() (string, error)
	Agent           string // e-mail address of the agent there who stands for agents whom the account does not have; empty: whoever the credentials are of
}

// Check is one finding of a preflight.
type Check struct {
	Name       string `json:"name"`
	OK         bool   `json:"ok"`
	Fatal      bool   `json:"fatal"`       // the run must not start
	Overridden bool   `json:"overridden"`  // fatal, but the operator said to go on
	Override   string `json:"override"`    // the --override word that lets the run start nonetheless; empty: none
	Text       string `json:"text"`        // what was found, without customer data
	Fix        string `json:"fix"`         // what the reader can do
	Credential bool   `json:"credentials"` // the account's credentials are at fault
}

// PreflightInput is what a destination is told before a run.
type PreflightInput struct {
	Migration   migration.Migration
	LedgerEmpty bool                       // the ledger knows nothing of this migration
	Rows        map[migration.Entity]int64 // records at the source; empty: they could not be counted
	Mapping     *mapping.Mapping           // to be held against the account; nil: none
}

// Destination is what every destination can do. Implementations are safe for
// concurrent use: one value serves all activities of a worker for an account.
type Destination interface {
	// Preflight looks, and writes nothing. An error means that it could not
	// look; what it saw is in the checks.
	Preflight(ctx context.Context, in PreflightInput) ([]Check, error)

	// WaitingFor is the one reason why requests to this account wait now; the
	// zero Reason when none does. It returns at once.
	WaitingFor() migration.Reason

	// Close ends what the destination keeps running. No call may follow.
	Close() error
}

// Directory finds people and organizations in the account by their source id.
// What it does not know is missing from the answer. Of migration.Memberships it
// tells, by the user's source id, the organizations in the account that the
// user is in: their ids, the default one first, with commas between them.
type Directory func(ctx context.Context, e migration.Entity, sourceIDs []string) (map[string]migration.Target, error)

// Parcel is a batch made ready by Prepare: what is decided without sending,
// and the request for the rest.
type Parcel struct {
	Decided []migration.Item // records that need no sending
	Sent    []string         // source ids in the order of the request; empty: nothing to send
	Body    []byte           // the request's body, made by the destination; not for others to read
	Single  bool             // goes out through the endpoint for one record

	// Changes are the differences between the source and what Body sends: all
	// of them, in the order of each value's chain. Of Decided records they are
	// what the account shows instead.
	Changes []migration.Change

	// Files are what became of the attachments of the Sent records: those
	// without a code are in Body. Uploaded is when the first of them was
	// uploaded: a parcel older than Timings.UploadFresh is not to be sent, but
	// made again. Zero: Body names no upload.
	Files    []migration.FileFate
	Uploaded time.Time
}

// Receipt is the answer to a Submit that had, or may have had, an effect.
type Receipt struct {
	JobID string           // the job that works on the parcel; empty when Items are known at once
	Items []migration.Item // one per Sent id, when the destination answered directly
}

// JobResult is the end of a job.
type JobResult struct {
	Items []migration.Item // one per Sent id, unless Whole
	Whole bool             // the job failed as a whole and says nothing about single records
	Note  string           // for the evidence: status words, never a body
}

// Doubt is a batch of which nobody knows whether it arrived.
type Doubt struct {
	Batch     migration.Batch
	SentAfter time.Time // not sent before, by the ledger's clock
	JobIDs    []string  // jobs that were named for the batch; while one is open, nothing is absent
}

// Finding is what a look-up knows about a doubt.
type Finding struct {
	// Decided tells that the fate of every record is known: those not in Items
	// are proven absent. When it is not, Items may be incomplete.
	Decided bool
	Items   []migration.Item
	Pending string // why it is not decided yet, in words for an operator
	By      string // the look-up that decided, for the evidence
}

// Sweep is the result of a look for records that are there more than once.
type Sweep struct {
	Records    int64                      // records of ours that the pass saw
	Saw        func(targetID string) bool // tells whether it saw a live record of ours with that id
	Duplicates []Duplicate
}

// Duplicate is a source id with more than one live record in the account.
type Duplicate struct {
	SourceID string
	Copies   []Copy
}

// Copy is one of the live records.
type Copy struct {
	TargetID string
	Tagged   bool      // carries our tag
	MadeAt   time.Time // when the account made it
}

// Batches is a destination that takes records in batches, each through one
// request that is never sent twice.
//
// The order of calls for a batch: Prepare, then (the ledger holds the intent)
// Reserve, Submit once, and Await with the receipt's job. A batch without an
// answer goes to Lookup until it is decided.
type Batches interface {
	Destination

	// BatchSize is the most records of an entity in one batch.
	BatchSize(e migration.Entity) int

	// People lists the source ids of users and organizations that a page of an
	// entity needs to find in the Directory before it can be prepared. An
	// empty id among the users stands for somebody whom the source does not name.
	People(e migration.Entity, page migration.Page) (users, organizations []string)

	// Prepare decides which records of the page need sending and encodes
	// those. It may look things up in the account; it writes nothing there but
	// uploads, which nobody sees before their record is sent.
	Prepare(ctx context.Context, in PrepareInput) (Parcel, error)

	// Reserve waits until one more request and one more job fit into what was
	// granted. The release function must be called once, when the job has
	// ended or no job came to be. An *Error of kind Waiting says that the wait
	// would be too long to hold a lane for.
	Reserve(ctx context.Context) (release func(), err error)

	// Submit sends the parcel in one request, on its way before sendBy or not
	// at all. A context that ends before it is on its way keeps it back; one
	// that ends later does not, and the answer is waited for. Every error is an
	// *Error; its Kind says whether there may have been an effect.
	Submit(ctx context.Context, b migration.Batch, p Parcel) (Receipt, error)

	// Await waits for a job's end. An *Error of kind InDoubt: the job
	// vanished, or its results did. The sent ids are in the order of the
	// request.
	Await(ctx context.Context, jobID string, e migration.Entity, sent []string) (JobResult, error)

	// Lookup finds out what became of a batch in doubt. Calls for the same
	// account share their passes, at most one a minute; each call returns
	// after one pass.
	Lookup(ctx context.Context, d Doubt, owns OwnsJobs) (Finding, error)

	// CountFiles counts the attachments that a ticket has in the account.
	CountFiles(ctx context.Context, targetID string) (int, error)

	// Sweep lists the records of ours made since a time, and which of them
	// are there more than once.
	Sweep(ctx context.Context, in SweepInput) (Sweep, error)

	// Delete removes one record that a sweep judged to be a copy.
	Delete(ctx context.Context, e migration.Entity, targetID string) error

	// Inventory calls found for every record of ours in the account, whoever
	// wrote it, of those among sourceIDs. It is what rebuilds a ledger.
	Inventory(ctx context.Context, e migration.Entity, sourceIDs []string, found func(migration.Item) error) error

	// ReadBack reads tickets that are in the account, one after the other, and
	// compares them field by field with what is sent for the page, attachments
	// by name, size and the SHA-256 of their bytes. It ends
	// early when the next ticket would cost more requests than are left, and
	// writes nothing.
	ReadBack(ctx context.Context, in ReadBackInput) (ReadBack, error)
}

// ReadBackInput is what ReadBack works on.
type ReadBackInput struct {
	Page      migration.Page        // of tickets, read from the source again
	Sent      map[string]SentRecord // by source id: where each of them went
	Directory Directory             // of those to whom they went; nobody is created
	Mapping   *mapping.Mapping      // with which they were sent; nil: none
	Requests  int                   // the most that it may cost, each file that is read counted as one
	Moved     func()                // called when bytes of a file have come; nil: nobody wants to know
	Since     time.Time             // what was changed in the account after it is left alone; zero: nothing
}

// SentRecord is where a record went.
type SentRecord struct {
	TargetID  string
	Partition string
	// Files is what became of its attachments, by source id. One that is not
	// here was not known when the record was sent, and is missed.
	Files map[string]migration.FileFate
}

// ReadBack is what was read.
type ReadBack struct {
	Compared    []string // source ids
	Touched     []string // source ids of those that were changed in the account since
	Requests    int      // what it cost, tries that failed left out
	Differences []Difference
}

// AnyPart is the part of a Difference that any one of the field's values may
// explain.
const AnyPart = "*"

// Difference is a field that is not in the account as it was sent. Field and
// Part are those of a migration.Change, and Found is the hash of what was found
// there, so that it can be compared with what a change says.
type Difference struct {
	SourceID string
	Field    string
	Part     string
	Found    string
}

// PrepareInput is what Prepare works on.
type PrepareInput struct {
	Entity    migration.Entity
	Partition string
	Run       string // what was found in the account for a run stays true in it
	Rows      int64  // of the partition, when it was planned
	Page      migration.Page
	Level     int              // migration.SingleLevel: the page holds one record and goes out alone
	Mapping   *mapping.Mapping // the run's; nil: none
	Directory Directory
	OpenFile  OpenFile // opens the page's attachments; may be nil when it has none
}

// OwnsJobs tells which of the jobs the ledger knows as its own.
type OwnsJobs func(ctx context.Context, jobIDs []string) (map[string]bool, error)

// SweepInput bounds a sweep.
type SweepInput struct {
	Entity migration.Entity
	Since  time.Time // of the account's clock, minus a margin that the caller added
}

// PartsInput is the work of one streamed partition.
type PartsInput struct {
	Migration migration.Migration
	Partition migration.Partition
	Pass      int // 0: the range; else the number of the catch-up, of IDs
	IDs       []string
	Columns   Columns
	Run       string
	Fence     int64 // of the caller's hold: of a run's tries, the one with the highest stays
	// Files is where the files of the part's attachments are; nil: they stay
	// where they are.
	Files *PartFiles
}

// Columns are those of every view, in the order of its CSV.
type Columns map[string][]migration.Column

// Streams is a destination that takes a partition as streams of CSV straight
// from the source, and publishes all of them as one at the end.
type Streams interface {
	Destination

	// WritePart stores what copy writes as part of the bundle, replacing an
	// earlier try of the same part. copy asks for each view's writer once, one
	// after the other, and returns the rows of each. Either all views are
	// stored and on disk when WritePart returns, or none counts. The same goes
	// for the files of the part's attachments; those that an earlier try has
	// fetched are not fetched again.
	WritePart(ctx context.Context, in PartsInput, views []string, copy CopyViews) (Part, error)

	// Missing lists who is named by a record of the parts, by a ticket for
	// example, and is in none of them: by entity, in order. What is brought
	// for it may name others in turn.
	Missing(ctx context.Context, in PublishInput) (map[migration.Entity][]string, error)

	// Publish puts the parts together in the given order and makes the result
	// visible at once, the manifest last. It may be repeated. Whoever is still
	// missing then is unknown to the source: the bundle says so.
	Publish(ctx context.Context, in PublishInput) (Bundle, error)

	// Inventory lists the source ids of an entity in the published bundle.
	Inventory(ctx context.Context, e migration.Entity, found func(migration.Item) error) error
}

// CopyViews writes the CSV of a part's views, without header rows, whole rows
// with each Write, one view after the other, and returns the number of rows of
// each.
type CopyViews func(open func(view string) (io.Writer, error)) (rows map[string]int64, err error)

// Part is what was stored.
type Part struct {
	Rows   map[string]int64 `json:"rows"` // by view
	Bytes  int64            `json:"bytes"`
	SHA256 string           `json:"sha256"` // of all that was stored, hexadecimal
	// Files are what became of the files of its attachments, in their order.
	Files []migration.FileFate `json:"files,omitempty"`
}

// PublishInput names the parts that make the bundle, in order.
type PublishInput struct {
	Migration migration.Migration
	Parts     []PartRef
	AsOf      time.Time
	Columns   Columns
}

// PartRef names a part that WritePart stored.
type PartRef struct {
	Partition string `json:"partition"`
	Pass      int    `json:"pass"`
}

// Bundle is what was published.
type Bundle struct {
	Path string           `json:"path"`
	Rows map[string]int64 `json:"rows"` // by view
}
