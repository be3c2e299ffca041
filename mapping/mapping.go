// Package mapping reads the mapping file: what an operator says about how a
// customer's words and fields become those of the target account. It knows the
// file's form and which words it may hold; whether an account has the fields,
// options and groups that it names is the destination's to check.
package mapping

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"time"
)

// Version is the file's version that this program reads.
const Version = 1

// Mapping is what holds for one customer: the file's default with the
// customer's own entries over it. On the left are always the source's words,
// as its views show them; on the right the target's. The zero Mapping changes
// nothing. JSON is the form in which a run's mapping is remembered.
type Mapping struct {
	Tickets       Tickets `json:"tickets,omitzero"`
	Users         Records `json:"users,omitzero"`
	Organizations Records `json:"organizations,omitzero"`

	file string
	at   map[string]Position
	hash string
}

// Tickets says what becomes of a ticket.
type Tickets struct {
	Skip     Skip             `json:"skip,omitzero"`
	Status   Words            `json:"status,omitzero"`
	Priority Words            `json:"priority,omitzero"`
	Type     Words            `json:"type,omitzero"`
	Channel  Words            `json:"channel,omitzero"`
	Group    Words            `json:"group,omitzero"`    // names or ids of groups
	Assignee Words            `json:"assignee,omitzero"` // e-mail addresses or ids of agents
	Brand    Words            `json:"brand,omitzero"`    // names or ids of brands
	Assign   []Rule           `json:"assign,omitempty"`
	Tags     Tags             `json:"tags,omitzero"`
	Fields   map[string]Field `json:"fields,omitempty"`
	Keep     Keep             `json:"keep,omitempty"`
}

// Records says what becomes of a user or an organization.
type Records struct {
	Tags   Tags             `json:"tags,omitzero"`
	Fields map[string]Field `json:"fields,omitempty"`
}

// Skip leaves tickets behind. They end as skipped, with the reason.
type Skip struct {
	CreatedBefore Day  `json:"created_before,omitzero"`
	CreatedAfter  Day  `json:"created_after,omitzero"`
	UpdatedBefore Day  `json:"updated_before,omitzero"`
	UpdatedAfter  Day  `json:"updated_after,omitzero"`
	Status        List `json:"status,omitempty"`
}

// Words translates the words of one attribute. One that is not listed stays as
// it is where the target knows it; else it becomes Otherwise; else it has no
// place.
type Words struct {
	Values    map[string]string `json:"values,omitempty"`    // empty: to be left out
	Otherwise string            `json:"otherwise,omitempty"` // for a word that is not listed and that the target does not know
	Default   string            `json:"default,omitempty"`   // where the source has none
}

// Tags translates tags.
type Tags struct {
	Values map[string]string `json:"values,omitempty"` // empty: to be left out
	Add    List              `json:"add,omitempty"`    // on every record
}

// Field says where a field of the source goes. Without To it has no place.
type Field struct {
	To        string            `json:"to,omitempty"`        // id or title of a ticket field; key of a user or organization field
	Options   map[string]string `json:"options,omitempty"`   // value at the source → the option's tag; empty: to be left out
	Otherwise string            `json:"otherwise,omitempty"` // for a value that is none of the options
	Default   string            `json:"default,omitempty"`   // where the source has none
	Keep      Keep              `json:"keep,omitempty"`
}

// Rule assigns tickets. Of all rules that a ticket meets, the first with a
// group gives the group, the first with an assignee the assignee, and so on.
type Rule struct {
	When     When   `json:"when,omitzero"` // empty: always
	Group    string `json:"group,omitempty"`
	Assignee string `json:"assignee,omitempty"`
	Brand    string `json:"brand,omitempty"`
}

// When is met when each of its lists holds the ticket's word at the source.
type When struct {
	Status       List            `json:"status,omitempty"`
	Priority     List            `json:"priority,omitempty"`
	Type         List            `json:"type,omitempty"`
	Channel      List            `json:"channel,omitempty"`
	Tag          List            `json:"tag,omitempty"` // one of them is on the ticket
	Group        List            `json:"group,omitempty"`
	Assignee     List            `json:"assignee,omitempty"`     // source ids of users
	Organization List            `json:"organization,omitempty"` // source ids
	Field        map[string]List `json:"field,omitempty"`
}

// Keep says what becomes of a value without a place, besides being listed.
type Keep string

// The ways to keep it.
const (
	KeepNothing Keep = "nothing"
	KeepNote    Keep = "note" // in a private note on the ticket
)

// List is one word or several.
type List []string

// Day is a moment: a day's beginning in UTC, or a time with its zone.
type Day struct{ time.Time }

// MarshalJSON writes it as the file would.
func (d Day) MarshalJSON() ([]byte, error) { return json.Marshal(d.String()) }

// UnmarshalJSON reads it.
func (d *Day) UnmarshalJSON(b []byte) error {
	var text string
	if err := json.Unmarshal(b, &text); err != nil {
		return err
	}
	return d.fromText(text)
}

func (d Day) String() string {
	if d.Equal(d.Truncate(24 * time.Hour)) {
		return d.UTC().Format(time.DateOnly)
	}
	return d.Format(time.RFC3339)
}

// Encode is the mapping as JSON, the same for equal mappings.
func (m *Mapping) Encode() ([]byte, error) {
	text, err := json.Marshal(m)
	if err != nil {
		return nil, fmt.Errorf("encode a mapping: %w", err)
	}
	return text, nil
}

// Decode is the reverse of Encode. Places in the file are not remembered.
func Decode(text []byte) (*Mapping, error) {
	var m Mapping
	if err := json.Unmarshal(text, &m); err != nil {
		return nil, fmt.Errorf("decode a mapping: %w", err)
	}
	return &m, m.seal()
}

// Hash tells mappings apart, in hexadecimal digits: of two files that say the
// same of a customer, it is the same.
func (m *Mapping) Hash() string { return m.hash }

// seal computes the hash; nothing may be changed afterwards.
func (m *Mapping) seal() error {
	text, err := m.Encode()
	sum := sha256.Sum256(text)
	m.hash = hex.EncodeToString(sum[:])
	return err
}

// Name is what the mapping is called in texts: the file and the beginning of
// the hash.
func (m *Mapping) Name() string {
	if m.file == "" {
		return "mapping " + m.hash[:ShortHash]
	}
	return m.file + " (" + m.hash[:ShortHash] + ")"
}

// ShortHash is how many digits of the hash are shown.
const ShortHash = 8
