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

// number is the id of a record, 0 for anything else.
func (i id) number() int64 {
	n, err := strconv.ParseInt(string(i), 10, 64)
	if err != nil || n < 0 {
		return 0
	}
	return n
}

// positive tells whether the id is that of a record.
func (i id) positive() bool { return i.number() > 0 }

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
