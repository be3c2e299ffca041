package zendesk

import (
	"errors"

	"farewell/destination"
)

// meta is how a list says that it goes on
// (https://developer.zendesk.com/api-reference/introduction/pagination/#cursor-pagination).
type meta struct {
	HasMore bool   `json:"has_more"`
	After   string `json:"after_cursor"`
}

var errNoCursor = errors.New("the list goes on, and does not say where")

// next is the cursor of the next page; empty: that was the last. A list that is
// cut off must not be taken for the whole: what is missing from it would count
// as absent.
func (m meta) next(op string) (string, error) {
	if m.HasMore && m.After == "" {
		return "", &destination.Error{Op: op, Kind: destination.Temporary, Code: "shape", Err: errNoCursor}
	}
	if !m.HasMore {
		return "", nil
	}
	return m.After, nil
}
