package zendesktest

import (
	"errors"
	"fmt"
	"iter"
	"strconv"
	"unicode/utf16"
	"unicode/utf8"
	"unsafe"
)

// errMalformed is what every syntax error of a request body wraps.
var errMalformed = errors.New("malformed JSON")

// maxDepth bounds nesting, so that a hostile body cannot exhaust the stack.
const maxDepth = 200

// decoder reads one JSON text in a single pass. It exists because reflection costs more than everything else that an
// import does. The first error sticks: later calls return zero values, and loops end.
//
// Strings that are kept come from text (copied to the arena); those that are only looked at come from word.
type decoder struct {
	buf   []byte
	pos   int
	depth int
	err   error
	keep  *arena
	spare []byte
}

func newDecoder(buf []byte, keep *arena) *decoder {
	d := &decoder{buf: buf, keep: keep}
	if !utf8.Valid(buf) {
		d.fail("invalid UTF-8")
	}
	return d
}

func (d *decoder) fail(what string) {
	if d.err == nil {
		d.err = fmt.Errorf("%w: %s at byte %d", errMalformed, what, d.pos)
	}
	d.pos = len(d.buf)
}

// peek returns the first byte of the next value, 0 at the end.
func (d *decoder) peek() byte {
	for d.pos < len(d.buf) {
		switch c := d.buf[d.pos]; c {
		case ' ', '\n', '\r', '\t':
			d.pos++
		default:
			return c
		}
	}
	return 0
}

func (d *decoder) eat(c byte) bool {
	if d.peek() != c || c == 0 {
		return false
	}
	d.pos++
	return true
}

// end reports the first error, or that something follows the value.
func (d *decoder) end() error {
	d.peek()
	if d.err == nil && d.pos < len(d.buf) {
		d.fail("text after the value")
	}
	return d.err
}

// object yields the keys of the next value, which must be an object or null; the loop must read each key's value.
// The key is valid only until then.
func (d *decoder) object() iter.Seq[string] {
	return func(yield func(string) bool) {
		if d.null() || !d.open('{') {
			return
		}
		for first := true; d.err == nil; first = false {
			if d.eat('}') {
				break
			}
			if !first && !d.eat(',') {
				d.fail("comma expected")
				return
			}
			if d.peek() != '"' {
				d.fail("key expected")
				return
			}
			key := d.word()
			if !d.eat(':') {
				d.fail("colon expected")
				return
			}
			if d.err != nil || !yield(key) {
				return
			}
		}
		d.depth--
	}
}

// array yields once for each element of the next value, which must be an array or null; the loop must read the element.
func (d *decoder) array() iter.Seq[int] {
	return func(yield func(int) bool) {
		if d.null() || !d.open('[') {
			return
		}
		for n := 0; d.err == nil; n++ {
			if d.eat(']') {
				break
			}
			if n > 0 && !d.eat(',') {
				d.fail("comma expected")
				return
			}
			if n > 0 && d.peek() == ']' {
				d.fail("value expected")
				return
			}
			if !yield(n) {
				return
			}
		}
		d.depth--
	}
}

func (d *decoder) open(c byte) bool {
	if d.err != nil {
		return false
	}
	if !d.eat(c) {
		d.fail(string(c) + " expected")
		return false
	}
	if d.depth++; d.depth > maxDepth {
		d.fail("nested too deep")
		return false
	}
	return true
}

// text reads a string and keeps it; null and other scalars are accepted, as Zendesk does: null is "", a number its digits.
func (d *decoder) text() string {
	if d.peek() == '"' {
		b := d.stringBytes()
		if d.err != nil {
			return ""
		}
		return d.keep.take(b)
	}
	raw := d.raw()
	if len(raw) == 0 || string(raw) == "null" {
		return ""
	}
	return d.keep.take(raw)
}

// word is text that the caller does not keep.
func (d *decoder) word() string {
	if d.peek() != '"' {
		raw := d.raw()
		if string(raw) == "null" {
			return ""
		}
		return string(raw)
	}
	b := d.stringBytes()
	if len(b) == 0 {
		return ""
	}
	return unsafe.String(&b[0], len(b)) // b lives until the next string is read
}

// id reads an id, sent as a number or as a string of digits; null is 0. ok is false for anything else.
func (d *decoder) id() (id int64, ok bool) {
	w := d.word()
	if w == "" {
		return 0, true
	}
	id, err := strconv.ParseInt(w, 10, 64)
	return id, err == nil
}

// boolean reads true, false or null (false); ok is false for anything else.
func (d *decoder) boolean() (value, ok bool) {
	switch d.word() {
	case "true":
		return true, true
	case "false", "":
		return false, true
	}
	return false, false
}

// null consumes a null, if it is the next value.
func (d *decoder) null() bool {
	if d.peek() == 'n' {
		d.literal("null")
		return true
	}
	return false
}

func (d *decoder) literal(want string) {
	if len(d.buf)-d.pos < len(want) || string(d.buf[d.pos:d.pos+len(want)]) != want {
		d.fail("unknown literal")
		return
	}
	d.pos += len(want)
}

// raw skips the next value and returns its bytes.
func (d *decoder) raw() []byte {
	c := d.peek()
	start := d.pos
	switch c {
	case '{':
		for range d.object() {
			d.raw()
		}
	case '[':
		for range d.array() {
			d.raw()
		}
	case '"':
		d.stringBytes()
	case 't':
		d.literal("true")
	case 'f':
		d.literal("false")
	case 'n':
		d.literal("null")
	default:
		d.number()
	}
	if d.err != nil {
		return nil
	}
	return d.buf[start:d.pos]
}

// number skips a number: -?(0|[1-9][0-9]*)(.[0-9]+)?([eE][+-]?[0-9]+)?
func (d *decoder) number() {
	start := d.pos
	d.skip('-', '-')
	if !d.skip('0', '0') && !d.digits() {
		d.pos = start
		d.fail("value expected")
		return
	}
	if d.skip('.', '.') && !d.digits() {
		d.fail("digits expected")
		return
	}
	if d.skip('e', 'E') {
		d.skip('+', '-')
		if !d.digits() {
			d.fail("digits expected")
		}
	}
}

// skip moves past one byte, if it is one of the two.
func (d *decoder) skip(x, y byte) bool {
	if d.pos < len(d.buf) && (d.buf[d.pos] == x || d.buf[d.pos] == y) {
		d.pos++
		return true
	}
	return false
}

func (d *decoder) digits() bool {
	start := d.pos
	for d.pos < len(d.buf) && d.buf[d.pos] >= '0' && d.buf[d.pos] <= '9' {
		d.pos++
	}
	return d.pos > start
}

// plain marks the bytes that a JSON string may hold as they are.
var plain = func() (t [256]bool) {
	for c := range t {
		t[c] = c >= 0x20 && c != '"' && c != '\\'
	}
	return t
}()

// stringBytes reads a string; the result is valid until the next one is read.
func (d *decoder) stringBytes() []byte {
	d.pos++
	start := d.pos
	i := start
	for i < len(d.buf) && plain[d.buf[i]] {
		i++
	}
	if i < len(d.buf) && d.buf[i] == '"' {
		d.pos = i + 1
		return d.buf[start:i]
	}
	return d.unescape(start, i)
}

func (d *decoder) unescape(start, i int) []byte {
	out := d.spare[:0]
	out = append(out, d.buf[start:i]...)
	for i < len(d.buf) {
		c := d.buf[i]
		switch {
		case c == '"':
			d.pos = i + 1
			d.spare = out
			return out
		case c < 0x20:
			d.pos = i
			d.fail("control character in a string")
			return nil
		case c != '\\':
			run := i
			for i < len(d.buf) && plain[d.buf[i]] {
				i++
			}
			out = append(out, d.buf[run:i]...)
		default:
			var n int
			if out, n = appendEscape(out, d.buf[i:]); n == 0 {
				d.pos = i
				d.fail("bad escape in a string")
				return nil
			}
			i += n
		}
	}
	d.pos = len(d.buf)
	d.fail("string without an end")
	return nil
}

// appendEscape decodes the escape at the start of b and returns how many bytes it took, 0 when it is none.
// Half of a surrogate pair is refused: Ruby's parser does not take it either, and text must not change on its way.
func appendEscape(out, b []byte) ([]byte, int) {
	if len(b) < 2 {
		return out, 0
	}
	switch b[1] {
	case '"', '\\', '/':
		return append(out, b[1]), 2
	case 'b':
		return append(out, '\b'), 2
	case 'f':
		return append(out, '\f'), 2
	case 'n':
		return append(out, '\n'), 2
	case 'r':
		return append(out, '\r'), 2
	case 't':
		return append(out, '\t'), 2
	case 'u':
		return appendUnicodeEscape(out, b)
	}
	return out, 0
}

func appendUnicodeEscape(out, b []byte) ([]byte, int) {
	r := hex4(b)
	if r < 0 {
		return out, 0
	}
	if !utf16.IsSurrogate(r) {
		return utf8.AppendRune(out, r), 6
	}
	if low := hex4(b[6:]); low >= 0 {
		if full := utf16.DecodeRune(r, low); full != utf8.RuneError {
			return utf8.AppendRune(out, full), 12
		}
	}
	return out, 0
}

// hex4 reads \uXXXX at the start of b, -1 when it is not there.
func hex4(b []byte) rune {
	if len(b) < 6 || b[0] != '\\' || b[1] != 'u' {
		return -1
	}
	n, err := strconv.ParseUint(string(b[2:6]), 16, 16)
	if err != nil {
		return -1
	}
	return rune(n)
}
