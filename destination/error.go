package destination

import (
	"errors"
	"fmt"
	"time"
)

// Kind is what an error means for the batch and for the run. The list is
// closed: whoever handles errors handles these.
type Kind string

// The kinds.
const (
	// Temporary: proven without effect; the same request may succeed later.
	Temporary Kind = "temporary"
	// Waiting: not sent; what was granted is used up for longer than a lane
	// should be held. RetryAfter says how long.
	Waiting Kind = "waiting"
	// Refused: proven without effect; the same request will be refused again.
	Refused Kind = "refused"
	// TooLarge: proven without effect; fewer records in a request may pass.
	TooLarge Kind = "too_large"
	// Credentials: the account does not let us in, or not far enough.
	Credentials Kind = "credentials"
	// InDoubt: there may have been an effect.
	InDoubt Kind = "in_doubt"
	// Blocked: the vendor's edge refuses us, not the account. No effect is
	// not proven.
	Blocked Kind = "blocked"
	// Misconfigured: the account's settings are at fault.
	Misconfigured Kind = "misconfigured"
)

// Error is the only error that a destination returns for a request. Its text
// holds ids and status words, never a secret, never a record's content.
type Error struct {
	Op         string        // what was being done: "import tickets"
	Kind       Kind          //
	Code       string        // stable word for counting: "429", "TooManyJobs", "connection reset"
	RetryAfter time.Duration // zero: not said
	Fix        string        // what the reader can do; may be empty
	Err        error
}

func (e *Error) Error() string {
	s := fmt.Sprintf("%s: %s", e.Op, e.Kind)
	if e.Code != "" {
		s += " (" + e.Code + ")"
	}
	if e.Err != nil {
		s += ": " + e.Err.Error()
	}
	if e.Fix != "" {
		s += "; " + e.Fix
	}
	return s
}

func (e *Error) Unwrap() error { return e.Err }

// NoEffect tells whether the request is proven to have changed nothing.
func (e *Error) NoEffect() bool { return e.Kind != InDoubt && e.Kind != Blocked }

// KindOf is the kind of the first *Error in err's chain, or "" if there is none.
func KindOf(err error) Kind {
	var e *Error
	if errors.As(err, &e) {
		return e.Kind
	}
	return ""
}
