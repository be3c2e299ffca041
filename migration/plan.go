package migration

import "time"

// Plan fixes what a migration's runs work on. It is written to the ledger once
// per migration, and later runs go over the same partitions.
type Plan struct {
	AsOf       time.Time   `json:"as_of"` // the source's clock when the plan was made
	Partitions []Partition `json:"partitions"`
}

// Of returns the partitions of an entity, in key order.
func (p Plan) Of(e Entity) []Partition {
	var of []Partition
	for _, q := range p.Partitions {
		if q.Entity == e {
			of = append(of, q)
		}
	}
	return of
}

// Rows is the number of rows of an entity when the plan was made.
func (p Plan) Rows(e Entity) int64 {
	var rows int64
	for _, q := range p.Of(e) {
		rows += q.Rows
	}
	return rows
}

// Options are what an operator chose for a run.
type Options struct {
	Limit       int64     `json:"limit,omitempty"`        // the most tickets to take; 0: all
	Override    []string  `json:"override,omitempty"`     // preflight checks that may fail
	RetryFailed bool      `json:"retry_failed,omitempty"` // try again what failed in earlier runs
	MaxFailures Tolerance `json:"max_failures,omitzero"`
	By          string    `json:"by,omitempty"`     // the operator's account on their machine
	Reason      string    `json:"reason,omitempty"` // in the operator's words
}

// Tolerance is how many failures a partition may have before it waits for an
// operator. The zero value means the defaults.
type Tolerance struct {
	Percent     float64 `json:"percent,omitempty"`     // of a partition's records; 0: 1 %
	Consecutive int     `json:"consecutive,omitempty"` // with the same reason code; 0: 20
}

// OrDefault fills in the defaults.
func (t Tolerance) OrDefault() Tolerance {
	if t.Percent == 0 {
		t.Percent = 1
	}
	if t.Consecutive == 0 {
		t.Consecutive = 20
	}
	return t
}

// Comparison is what a look at the source after the export found, by sets of ids.
type Comparison struct {
	ArrivedLate     int64 `json:"arrived_late"`      // new ids, brought or listed
	DeletedAtSource int64 `json:"deleted_at_source"` // ids that are gone since they were read
	ChangedSince    int64 `json:"changed_since"`     // rows updated after their page was read
	Missing         int64 `json:"missing"`           // ids made before as_of without an outcome: needs attention
	Tickets         int64 `json:"tickets,omitempty"` // tickets that were listed at the source
}

// Add returns the sum of both.
func (c Comparison) Add(d Comparison) Comparison {
	return Comparison{
		ArrivedLate:     c.ArrivedLate + d.ArrivedLate,
		DeletedAtSource: c.DeletedAtSource + d.DeletedAtSource,
		ChangedSince:    c.ChangedSince + d.ChangedSince,
		Missing:         c.Missing + d.Missing,
		Tickets:         c.Tickets + d.Tickets,
	}
}

// Progress is the answer to a running workflow's query "progress", and the
// result of one that has ended.
type Progress struct {
	Migration  Migration    `json:"migration"`
	Run        string       `json:"run"`
	State      State        `json:"state"`
	Reason     Reason       `json:"reason,omitzero"`
	Percent    int          `json:"percent"`
	Counts     EntityCounts `json:"counts,omitempty"`
	Comparison Comparison   `json:"comparison"`
	Parked     []Parked     `json:"parked,omitempty"`
	Duplicates int64        `json:"duplicates_repaired"`
	PausedBy   string       `json:"paused_by,omitempty"`
	Bundle     string       `json:"bundle,omitempty"` // where a CSV bundle was published
}

// Parked is a partition that cannot succeed without an operator.
type Parked struct {
	Partition string    `json:"partition"`
	Code      string    `json:"code"`
	Text      string    `json:"text"` // without customer data
	Fix       string    `json:"fix"`
	Since     time.Time `json:"since"`
}
