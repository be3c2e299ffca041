package zendesk

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"
)

// id is an id in an answer: a number, a string or null, which all occur.
type id string

func (i *id) UnmarshalJSON(b []byte) error {
	if bytes.Equal(b, []byte("null")) {
		*i = ""
		return nil
	}
	s := strings.Trim(string(b), `"`)
	if strings.ContainsAny(s, `\"{[`) {
		return fmt.Errorf("an id is neither number nor plain string")
	}
	*i = id(s)
	return nil
}

// positive tells whether the id is that of a record.
func (i id) positive() bool {
	n, err := strconv.ParseInt(string(i), 10, 64)
	return err == nil && n > 0
}

// jobStatus is what Zendesk tells of a job
// (https://developer.zendesk.com/api-reference/ticketing/ticket-management/job_statuses/).
type jobStatus struct {
	ID       id              `json:"id"`
	JobType  string          `json:"job_type"`
	Status   string          `json:"status"`
	Progress json.RawMessage `json:"progress"` // a number or null; compared, never read
	Results  json.RawMessage `json:"results"`  // a list, an object or null
}

func (j *jobStatus) ended() bool {
	switch j.Status {
	case "completed", "failed", "killed":
		return true
	}
	return false
}

// jobResult is the result of one item. Which members it has depends on the
// endpoint; a failed one has an error.
type jobResult struct {
	Index      *int            `json:"index"`
	ID         id              `json:"id"`
	ExternalID string          `json:"external_id"`
	Status     string          `json:"status"`
	Error      json.RawMessage `json:"error"`
	Details    json.RawMessage `json:"details"`
}

// failed holds for an item with an error or without an id.
func (r *jobResult) failed() bool {
	return len(r.Error) > 0 && !bytes.Equal(r.Error, []byte("null")) || !r.ID.positive()
}

// listed is a record as look-ups read it: no content but what identifies it.
type listed struct {
	ID         id        `json:"id"`
	ExternalID string    `json:"external_id"`
	Name       string    `json:"name"`
	Email      string    `json:"email"`
	Role       string    `json:"role"`
	CreatedAt  time.Time `json:"created_at"`

	OrganizationID id   `json:"organization_id"`
	Suspended      bool `json:"suspended"`
}

// decodeInto reads a JSON answer of any content type into a fresh value each
// time, so that an earlier try leaves nothing behind.
func decodeInto[T any](v *T) func(io.Reader) error {
	return func(r io.Reader) error {
		var fresh T
		if err := json.NewDecoder(r).Decode(&fresh); err != nil {
			return fmt.Errorf("read the answer: %w", shapeOnly(err))
		}
		*v = fresh
		return nil
	}
}

// shapeOnly keeps a JSON error from quoting the answer's content.
func shapeOnly(err error) error {
	switch e := err.(type) { //nolint:errorlint // encoding/json returns these unwrapped
	case *json.UnmarshalTypeError:
		return fmt.Errorf("the answer has a %s of another type", e.Field)
	case *json.SyntaxError:
		return fmt.Errorf("the answer is no JSON at byte %d", e.Offset)
	}
	return err
}
