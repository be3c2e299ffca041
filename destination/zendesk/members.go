package zendesk

import (
	"bytes"
	"encoding/json"
	"errors"
	"unicode/utf8"
)

var errNoObject = errors.New("no JSON object")

// members calls each for the members of a JSON object in their order, with the
// values as they are written. It reads by hand, since it is done for every
// ticket: Postgres has made sure that jsonb is well formed.
func members(raw []byte, each func(name string, value []byte)) error {
	rest := bytes.TrimSpace(raw)
	if len(rest) < 2 || rest[0] != '{' {
		return errNoObject
	}
	for rest = skipBlank(rest[1:]); len(rest) > 0 && rest[0] != '}'; {
		n := valueEnd(rest)
		name, ok := textOf(rest[:n])
		rest = skipBlank(rest[n:])
		if !ok || len(rest) == 0 || rest[0] != ':' {
			return errNoObject
		}
		rest = skipBlank(rest[1:])
		n = valueEnd(rest)
		if n == 0 {
			return errNoObject
		}
		each(name, rest[:n])
		rest = skipBlank(rest[n:])
		if len(rest) > 0 && rest[0] == ',' {
			rest = skipBlank(rest[1:])
		}
	}
	if len(rest) != 1 {
		return errNoObject
	}
	return nil
}

// elements calls each for the elements of a JSON array.
func elements(raw []byte, each func(value []byte)) {
	for rest := skipBlank(raw[1:]); len(rest) > 0 && rest[0] != ']'; {
		n := valueEnd(rest)
		if n == 0 {
			return
		}
		each(rest[:n])
		rest = skipBlank(rest[n:])
		if len(rest) > 0 && rest[0] == ',' {
			rest = skipBlank(rest[1:])
		}
	}
}

func skipBlank(b []byte) []byte { return bytes.TrimLeft(b, " \t\r\n") }

// valueEnd is the length of the JSON value at the beginning of b.
func valueEnd(b []byte) int {
	if len(b) == 0 {
		return 0
	}
	switch b[0] {
	case '"':
		return stringEnd(b)
	case '{', '[':
		depth := 0
		for i := 0; i < len(b); i++ {
			switch b[i] {
			case '"':
				i += stringEnd(b[i:]) - 1
			case '{', '[':
				depth++
			case '}', ']':
				if depth--; depth == 0 {
					return i + 1
				}
			}
		}
		return len(b)
	}
	if n := bytes.IndexAny(b, ",}] \t\r\n"); n >= 0 {
		return n
	}
	return len(b)
}

func stringEnd(b []byte) int {
	for i := 1; i < len(b); i++ {
		switch b[i] {
		case '\\':
			i++
		case '"':
			return i + 1
		}
	}
	return len(b)
}

// textOf is the text of a JSON string.
func textOf(value []byte) (string, bool) {
	if len(value) < 2 || value[0] != '"' {
		return "", false
	}
	inner := value[1 : len(value)-1]
	if bytes.IndexByte(inner, '\\') < 0 && utf8.Valid(inner) {
		return string(inner), true
	}
	var text string
	err := json.Unmarshal(value, &text)
	return text, err == nil
}
