package migration

import "time"

// SourcePace is how much of the source all workers together may use, and what
// it rests on.
type SourcePace struct {
	Source   string  `json:"source"`              // host, port and database
	Governed bool    `json:"governed"`            // held back by the source's own signs
	MaxRows  float64 `json:"max_rows_per_second"` // an operator's bound; 0: none
	Rows     float64 `json:"rows_per_second"`     // what the governor allows now
	Queries  float64 `json:"queries"`             // at a time, what the governor allows now

	Canary  time.Duration `json:"canary_ns"` // how long a small query takes now
	Base    time.Duration `json:"base_ns"`   // how long it takes when the source is at ease
	Active  int           `json:"active"`    // sessions of others that work now
	Usual   float64       `json:"usual"`     // of them at ease
	Pressed bool          `json:"pressed"`   // the last look asked for less
	SeenAt  time.Time     `json:"seen_at"`   // of the last look; zero: none so far
	Less    int64         `json:"decreases"` // how often it asked for less, in all
	By      string        `json:"by,omitempty"`
	Why     string        `json:"why,omitempty"`
}

// RowsAllowed is the rate in force; 0: no bound.
func (p SourcePace) RowsAllowed() float64 {
	switch {
	case !p.Governed:
		return p.MaxRows
	case p.MaxRows > 0:
		return min(p.MaxRows, p.Rows)
	}
	return p.Rows
}
