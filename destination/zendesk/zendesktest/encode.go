package zendesktest

import (
	"encoding/json"
	"strconv"
	"sync"
	"time"
	"unicode/utf8"
)

// encoder appends JSON. Commas are its business, values are the caller's.
type encoder struct {
	buf   []byte
	comma bool
}

// encoders are used again: an answer has up to some MB, and making room for each
// anew would be most of what it costs.
var encoders = sync.Pool{New: func() any { return new(encoder) }}

func newEncoder() *encoder {
	e := encoders.Get().(*encoder)
	*e = encoder{buf: e.buf[:0]}
	return e
}

func (e *encoder) separate() {
	if e.comma {
		e.buf = append(e.buf, ',')
	}
	e.comma = true
}

func (e *encoder) key(name string) {
	e.separate()
	e.buf = append(e.buf, '"')
	e.buf = append(e.buf, name...)
	e.buf = append(e.buf, '"', ':')
	e.comma = false
}

func (e *encoder) begin(c byte) {
	e.separate()
	e.buf = append(e.buf, c)
	e.comma = false
}

func (e *encoder) end(c byte) {
	e.buf = append(e.buf, c)
	e.comma = true
}

func (e *encoder) raw(json string) {
	e.separate()
	e.buf = append(e.buf, json...)
}

func (e *encoder) text(s string) {
	e.separate()
	e.buf = appendString(e.buf, s)
}

func (e *encoder) int(n int64) {
	e.separate()
	e.buf = strconv.AppendInt(e.buf, n, 10)
}

func (e *encoder) bool(b bool) {
	e.separate()
	e.buf = strconv.AppendBool(e.buf, b)
}

// The members below write a key with its value.

func (e *encoder) member(name, value string) { e.key(name); e.text(value) }
func (e *encoder) number(name string, n int64) {
	e.key(name)
	e.int(n)
}
func (e *encoder) flag(name string, b bool)     { e.key(name); e.bool(b) }
func (e *encoder) literal(name, json string)    { e.key(name); e.raw(json) }
func (e *encoder) null(name string)             { e.literal(name, "null") }
func (e *encoder) time(name string, unix int64) { e.key(name); e.timestamp(unix) }

// optional writes null for "".
func (e *encoder) optional(name, value string) {
	if value == "" {
		e.null(name)
		return
	}
	e.member(name, value)
}

// reference writes an id, null for 0.
func (e *encoder) reference(name string, id int64) {
	if id == 0 {
		e.null(name)
		return
	}
	e.number(name, id)
}

func (e *encoder) words(name string, list []string) {
	e.key(name)
	e.begin('[')
	for _, s := range list {
		e.text(s)
	}
	e.end(']')
}

func (e *encoder) references(name string, ids []int64) {
	e.key(name)
	e.begin('[')
	for _, id := range ids {
		e.int(id)
	}
	e.end(']')
}

// timestamp writes unix seconds as Zendesk does: UTC, whole seconds; noTime is null.
func (e *encoder) timestamp(unix int64) {
	if unix == noTime {
		e.raw("null")
		return
	}
	e.separate()
	e.buf = append(e.buf, '"')
	e.buf = time.Unix(unix, 0).UTC().AppendFormat(e.buf, time.RFC3339)
	e.buf = append(e.buf, '"')
}

const hexDigits = "0123456789abcdef"

func appendString(buf []byte, s string) []byte {
	buf = append(buf, '"')
	from := 0
	for i := 0; i < len(s); i++ {
		c := s[i]
		if plain[c] {
			continue
		}
		buf = append(buf, s[from:i]...)
		from = i + 1
		switch c {
		case '"', '\\':
			buf = append(buf, '\\', c)
		case '\n':
			buf = append(buf, '\\', 'n')
		case '\r':
			buf = append(buf, '\\', 'r')
		case '\t':
			buf = append(buf, '\\', 't')
		default:
			buf = append(buf, '\\', 'u', '0', '0', hexDigits[c>>4], hexDigits[c&15])
		}
	}
	return append(append(buf, s[from:]...), '"')
}

// mustMarshal encodes values of this package's own making, which always encode.
func mustMarshal(value any) string {
	b, err := json.Marshal(value)
	if err != nil {
		panic(err)
	}
	return string(b)
}

// cut shortens s to at most n characters.
func cut(s string, n int) string {
	if len(s) <= n || utf8.RuneCountInString(s) <= n {
		return s
	}
	for i := range s {
		if n == 0 {
			return s[:i]
		}
		n--
	}
	return s
}
