package integration_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strconv"
	"testing"
)

// decodeObject reads a JSON object; numbers keep all their digits.
func decodeObject(t testing.TB, text []byte) map[string]any {
	t.Helper()
	var into map[string]any
	decode(t, text, &into)
	return into
}

// decodeList reads a JSON list of objects.
func decodeList(t testing.TB, text []byte) []map[string]any {
	t.Helper()
	var into []map[string]any
	decode(t, text, &into)
	return into
}

func decode(t testing.TB, text []byte, into any) {
	t.Helper()
	d := json.NewDecoder(bytes.NewReader(text))
	d.UseNumber()
	if err := d.Decode(into); err != nil {
		t.Fatalf("no JSON: %v: %.300q", err, text)
	}
}

func object(t testing.TB, v any) map[string]any {
	t.Helper()
	m, ok := v.(map[string]any)
	if !ok {
		t.Fatalf("no object: %v", v)
	}
	return m
}

// objects is a list of objects; null is an empty one.
func objects(t testing.TB, v any) []map[string]any {
	t.Helper()
	list, ok := v.([]any)
	if !ok && v != nil {
		t.Fatalf("no list: %v", v)
	}
	all := make([]map[string]any, len(list))
	for i := range list {
		all[i] = object(t, list[i])
	}
	return all
}

func number(t testing.TB, v any) int {
	t.Helper()
	n, err := strconv.Atoi(fmt.Sprint(v))
	if err != nil {
		t.Fatalf("no number: %v", v)
	}
	return n
}

// text is a value as text; null is empty.
func text(v any) string {
	if v == nil {
		return ""
	}
	return fmt.Sprint(v)
}
