package zendesktest

import (
	"encoding/json"
	"slices"
	"strconv"
	"time"
)

// systemFields are the ticket fields that every account has, by their type.
var systemFields = [...]string{"subject", "description", "status", "tickettype", "priority", "group", "assignee"}

// fieldCatalogue is the account's custom ticket fields.
type fieldCatalogue struct {
	byID        map[int64]*ticketField
	order       []int64
	description int64 // id of the system field for the description
}

type ticketField struct {
	title, kind, tag string
	options          []string
}

// systemFieldID is the id of the first system field; the others follow.
const systemFieldID = 360_000_000_001

func newFieldCatalogue(configured []map[string]any) fieldCatalogue {
	c := fieldCatalogue{byID: map[int64]*ticketField{}, description: systemFieldID + 1}
	for _, entry := range configured {
		kind, _ := entry["type"].(string)
		if slices.Contains(systemFields[:], kind) {
			continue
		}
		id, _ := entry["id"].(float64) // Settings.check has seen that it is a number
		field := &ticketField{kind: kind}
		field.title, _ = entry["title"].(string)
		field.tag, _ = entry["tag"].(string)
		field.options = optionValues(entry["custom_field_options"])
		c.byID[int64(id)] = field
		c.order = append(c.order, int64(id))
	}
	return c
}

func optionValues(options any) []string {
	list, _ := options.([]any)
	var values []string
	for _, option := range list {
		entry, _ := option.(map[string]any)
		if value, ok := entry["value"].(string); ok {
			values = append(values, value)
		}
	}
	return values
}

// accept checks a value, given as JSON, and returns the tags that it sets.
func (f *ticketField) accept(value string) (tags []string, ok bool) {
	var v any
	if err := json.Unmarshal([]byte(value), &v); err != nil {
		return nil, false
	}
	if v == nil {
		return nil, true
	}
	switch f.kind {
	case "tagger":
		s, ok := v.(string)
		return []string{s}, ok && slices.Contains(f.options, s)
	case "multiselect":
		return f.acceptMany(v)
	case "checkbox":
		on, ok := v.(bool)
		if on && f.tag != "" {
			tags = []string{f.tag}
		}
		return tags, ok
	case "integer", "decimal":
		return nil, isNumber(v)
	case "date":
		s, ok := v.(string)
		_, err := time.Parse(time.DateOnly, s)
		return nil, ok && err == nil
	default:
		_, list := v.([]any)
		_, object := v.(map[string]any)
		return nil, !list && !object
	}
}

func (f *ticketField) acceptMany(v any) (tags []string, ok bool) {
	list, ok := v.([]any)
	if !ok {
		return nil, false
	}
	for _, entry := range list {
		s, ok := entry.(string)
		if !ok || !slices.Contains(f.options, s) {
			return nil, false
		}
		tags = append(tags, s)
	}
	return tags, true
}

func isNumber(v any) bool {
	if s, ok := v.(string); ok {
		_, err := strconv.ParseFloat(s, 64)
		return err == nil
	}
	_, ok := v.(float64)
	return ok
}
