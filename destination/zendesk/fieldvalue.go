package zendesk

import (
	"encoding/json"
	"strconv"
	"strings"
	"time"

	"farewell/migration"
)

// fieldRule is where a field of the source goes in one account.
type fieldRule struct {
	target    string            // id of the ticket field, key of another; empty: nowhere
	kind      string            // the field's type, in Zendesk's words
	options   map[string]string // value at the source → tag; empty: left out
	known     map[string]string // lower case name or tag of an option → tag
	otherwise string            // a tag
	standard  []byte            // the JSON value where the source has none; nil: none
	note      bool              // keep what has no place in a private note
}

// value makes a JSON value of the source one that the field takes. rule says
// what got lost on the way; empty: nothing. A nil value is none.
func (f *fieldRule) value(raw []byte) (value []byte, rule migration.Rule) {
	if saysNothing(raw) {
		return f.standard, ""
	}
	if f.target == "" {
		return nil, migration.RuleFieldDropped
	}
	switch f.kind {
	case "tagger", "dropdown":
		tag, ok := f.option(raw)
		return quotedTag(tag), lostUnless(ok)
	case "multiselect":
		return f.several(raw)
	case "checkbox":
		return yesOrNo(raw)
	case "integer", "decimal", "currency":
		return f.number(raw)
	case "date":
		return day(raw)
	}
	return plainText(raw)
}

func lostUnless(ok bool) migration.Rule {
	if ok {
		return ""
	}
	return migration.RuleValueDropped
}

// saysNothing holds for a value that says nothing.
func saysNothing(raw []byte) bool {
	switch string(raw) {
	case "null", `""`, "[]", "{}", "":
		return true
	}
	return false
}

// option finds the tag for a value; "" and false when it has none.
func (f *fieldRule) option(raw []byte) (tag string, ok bool) {
	word, ok := scalarText(raw)
	if !ok {
		return "", false
	}
	if tag, listed := f.options[word]; listed {
		return tag, tag != ""
	}
	if tag := f.known[strings.ToLower(strings.TrimSpace(word))]; tag != "" {
		return tag, true
	}
	return f.otherwise, f.otherwise != ""
}

// several makes a list of tags of a list of values, or of one value.
func (f *fieldRule) several(raw []byte) (value []byte, rule migration.Rule) {
	list := []byte{'['}
	add := func(one []byte) {
		tag, ok := f.option(one)
		if !ok {
			rule = migration.RuleValueDropped
			return
		}
		if len(list) > 1 {
			list = append(list, ',')
		}
		list = appendString(list, tag)
	}
	if raw[0] == '[' {
		elements(raw, add)
	} else {
		add(raw)
	}
	if len(list) == 1 {
		return nil, rule
	}
	return append(list, ']'), rule
}

func yesOrNo(raw []byte) ([]byte, migration.Rule) {
	word, ok := scalarText(raw)
	if ok {
		switch strings.ToLower(word) {
		case "true", "t", "yes", "y", "1", "on":
			return []byte("true"), ""
		case "false", "f", "no", "n", "0", "off":
			return []byte("false"), ""
		}
	}
	return nil, migration.RuleValueDropped
}

func (f *fieldRule) number(raw []byte) ([]byte, migration.Rule) {
	word, ok := scalarText(raw)
	word = strings.TrimSpace(word)
	if _, err := strconv.ParseFloat(word, 64); !ok || err != nil || strings.ContainsAny(word, "xXnNpP_+") {
		return nil, migration.RuleValueDropped // also hexadecimal, infinite and no number
	}
	if _, err := strconv.ParseInt(word, 10, 64); err != nil && f.kind == "integer" {
		return nil, migration.RuleValueDropped
	}
	if !json.Valid([]byte(word)) { // 007 and .5 are numbers, but not to JSON
		return appendString(nil, word), ""
	}
	return []byte(word), ""
}

// day takes a date, or a time with its day, in its own zone.
func day(raw []byte) ([]byte, migration.Rule) {
	word, ok := scalarText(raw)
	if !ok {
		return nil, migration.RuleValueDropped
	}
	if _, err := time.Parse(time.DateOnly, word); err == nil {
		return appendString(nil, word), ""
	}
	for _, layout := range []string{time.RFC3339, "2006-01-02T15:04:05", "2006-01-02 15:04:05", "2006-01-02 15:04:05Z07:00", "2006-01-02 15:04:05Z07"} {
		if _, err := time.Parse(layout, word); err == nil { // fractions of seconds are taken with any
			return appendString(nil, word[:len(time.DateOnly)]), migration.RuleValueCut
		}
	}
	return nil, migration.RuleValueDropped
}

// plainText takes anything: what is no text is written as JSON writes it.
func plainText(raw []byte) ([]byte, migration.Rule) {
	if text, ok := textOf(raw); ok {
		return appendString(nil, text), ""
	}
	return appendString(nil, string(raw)), ""
}

// scalarText is a text, number or truth value as text.
func scalarText(raw []byte) (string, bool) {
	switch raw[0] {
	case '"':
		return textOf(raw)
	case '{', '[':
		return "", false
	}
	return string(raw), true
}

func quotedTag(tag string) []byte {
	if tag == "" {
		return nil
	}
	return appendString(nil, tag)
}
