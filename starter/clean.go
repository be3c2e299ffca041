package main

import (
	"strings"
	"unicode"
)

// clean makes a text safe to show in one line of a terminal. Reasons may quote
// what an account answered, and that must not move the cursor.
func clean(s string) string {
	return strings.Join(strings.FieldsFunc(strings.Map(printable, s), func(r rune) bool { return r == '\n' }), " ")
}

func printable(r rune) rune {
	switch {
	case r == '\n' || r == '\r' || r == '\t' || r == '\u2028' || r == '\u2029':
		return '\n'
	case unicode.IsControl(r), unicode.Is(unicode.Bidi_Control, r), r == unicode.ReplacementChar:
		return -1
	}
	return r
}
