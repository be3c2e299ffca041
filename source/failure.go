package source

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5/pgconn"
)

// Error is a failed read. Its text names the operation, the view and the
// customer, tells whether a retry helps and what the reader can do; it never
// quotes a record.
type Error struct {
	Op        string
	View      string // empty: the operation reads no view
	Customer  string // empty: the operation is for all customers
	SQLState  string // empty: the failure did not come from the server
	Permanent bool   // trying again cannot help until somebody changes something
	what      string
	advice    string
	cause     error
}

func (e *Error) Error() string {
	var b strings.Builder
	b.WriteString("source: " + e.Op)
	if e.View != "" {
		b.WriteString(" (view " + e.View)
		if e.Customer != "" {
			b.WriteString(", customer " + e.Customer)
		}
		b.WriteString(")")
	} else if e.Customer != "" {
		b.WriteString(" (customer " + e.Customer + ")")
	}
	b.WriteString(": " + e.what)
	if e.SQLState != "" {
		b.WriteString(" (SQLSTATE " + e.SQLState + ")")
	}
	b.WriteString(": " + e.advice)
	return b.String()
}

// Unwrap returns the cause, except where the cause may quote a record.
func (e *Error) Unwrap() error { return e.cause }

// Permanent tells whether calling again is useless until somebody changes the
// views, the rights, the data or the call.
func Permanent(err error) bool {
	var e *Error
	return errors.As(err, &e) && e.Permanent
}

var (
	errCallTimeout = errors.New("no answer in time")
	errStreamIdle  = errors.New("the stream stood still")
)

// refusal is a permanent failure found on this side.
type refusal struct{ what, advice string }

func (r *refusal) Error() string { return r.what + ": " + r.advice }

// newError puts a failure into words.
func newError(ctx context.Context, op operation, err error) error {
	e := &Error{Op: op.name, View: op.view, Customer: op.customer, what: err.Error(), cause: err}
	var refused *refusal
	var pg *pgconn.PgError
	var written *writeError
	switch {
	case errors.As(err, &refused):
		e.what, e.advice, e.Permanent, e.cause = refused.what, refused.advice, true, nil
	case errors.As(err, &written):
		e.what, e.advice, e.cause = written.Error(), "see that its place is there and has room, then retry", written.err
	case errors.As(err, &pg):
		describeServer(e, pg)
	case errors.Is(context.Cause(ctx), errCallTimeout):
		// Not the context's error: nobody has cancelled anything.
		e.cause, e.what = errCallTimeout, errCallTimeout.Error()
		e.advice = "a retry helps once the source is less busy or can be reached again"
	case errors.Is(context.Cause(ctx), errStreamIdle):
		e.cause, e.what = errStreamIdle, errStreamIdle.Error()
		e.advice = "a retry helps once the source, or whoever takes the stream, moves again"
	case ctx.Err() != nil:
		e.what, e.advice, e.cause = context.Cause(ctx).Error(), "the call was ended by its caller", ctx.Err()
	default:
		e.advice = "a retry helps once the source can be reached again"
	}
	return e
}

// describeServer knows the classes of
// https://www.postgresql.org/docs/current/errcodes-appendix.html. Messages of
// the classes that it does not name may quote a row, and are left out.
func describeServer(e *Error, pg *pgconn.PgError) {
	e.SQLState = pg.Code
	e.what = pg.Message
	switch {
	case pg.Code == "57014":
		e.advice = "a retry helps when the source is less busy; if it does not, an index is missing: `starter check` names it"
	case pg.Code == "55P03":
		e.advice = "somebody holds a lock on a table behind the view; a retry helps once it is gone"
	case pg.Code == "42501":
		e.Permanent = true
		e.advice = "grant the role usage on the schema and select on the six views, then retry"
	case pg.Code == "25006":
		e.Permanent = true
		e.advice = "Farewell only reads: remove what writes from the view, then retry"
	case ofClass(pg.Code, "28", "3D"):
		e.Permanent = true
		e.advice = "check user, password and database in the source's connection URL"
	case ofClass(pg.Code, "42", "3F"):
		e.Permanent = true
		e.advice = "compare the views with docs/source-views.md (`starter check` lists what is missing), then retry"
	case ofClass(pg.Code, "08", "0A", "25", "40", "53", "55", "57", "58"):
		e.advice = "a retry helps once the source is well again"
	case ofClass(pg.Code, "XX", "72"):
		e.withhold("the source failed inside")
		e.advice = "see the source's log; a retry may help"
	default:
		e.withhold("the view cannot compute one of its values")
		e.Permanent = true
		e.advice = "correct the view or the row, then retry"
	}
}

func ofClass(code string, classes ...string) bool {
	return len(code) == 5 && slices.Contains(classes, code[:2])
}

// withhold keeps the server's message, which may quote a customer's value, out
// of the error and of everything that is made from it.
func (e *Error) withhold(what string) {
	e.what = what + "; the message may quote it and is in the source's log only"
	e.cause = nil
}

// writeError is a failure of whoever takes a stream, not of the source.
type writeError struct{ err error }

func (w *writeError) Error() string { return fmt.Sprintf("the stream's writer failed: %v", w.err) }
func (w *writeError) Unwrap() error { return w.err }
