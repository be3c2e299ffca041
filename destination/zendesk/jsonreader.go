package zendesk

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"errors"
	"io"
	"math/bits"
	"strconv"
)

// A pass looks at every ticket that the account gained and needs five members
// of each; of a job's results it is two. encoding/json would hold the whole
// answer, and look at each byte three times to find them.

// errShape: an answer is no JSON, or of a shape that we do not know. It never
// quotes the content.
var errShape = errors.New("the answer has another shape than expected")

const (
	// keptLimit bounds a value that is asked for: ids, names, reasons.
	keptLimit = 1 << 20
	// depthLimit bounds nesting, as encoding/json does.
	depthLimit = 10_000
)

// jsonReader reads a JSON text from a stream, as strictly as encoding/json:
// what it skips must be well-formed, too. It holds what it last read and the
// one value that it is asked for, never a whole answer.
//
// The first error stays: from then on every call yields nothing, and loops end.
// A text that ends too early is io.ErrUnexpectedEOF. What follows the value is
// not looked at.
type jsonReader struct {
	in  io.Reader
	buf []byte
	at  int // buf[at:end] was read and is not consumed
	end int
	pin int // buf[pin:] must stay, for the value that is asked for; -1: nothing
	// open are the brackets that must come to end what is being skipped.
	open []byte
	err  error
}

// newJSONReader makes a reader that holds so many bytes at once, or a value
// that is asked for and larger. It reads nothing before reset.
func newJSONReader(room int) *jsonReader { return &jsonReader{buf: make([]byte, room)} }

// reset begins a new text; what was held of the last one is gone.
func (r *jsonReader) reset(in io.Reader) {
	*r = jsonReader{in: in, buf: r.buf, open: r.open[:0], pin: -1}
}

func (r *jsonReader) fail(err error) {
	if r.err == nil {
		r.err = err
	}
	r.at, r.end, r.pin = 0, 0, -1
}

// more reads more of the text behind what is there; false: there is none.
func (r *jsonReader) more() bool {
	if r.err != nil {
		return false
	}
	from := r.at
	if r.pin >= 0 {
		from = r.pin
		r.pin = 0
	}
	r.end = copy(r.buf, r.buf[from:r.end])
	r.at -= from
	if r.end == len(r.buf) {
		if r.end >= keptLimit {
			r.fail(errShape)
			return false
		}
		r.buf = append(r.buf, make([]byte, len(r.buf))...)
	}
	n, err := io.ReadAtLeast(r.in, r.buf[r.end:], 1)
	r.end += n
	if n > 0 {
		return true // an error comes again with the next call
	}
	if errors.Is(err, io.EOF) {
		err = io.ErrUnexpectedEOF
	}
	r.fail(err)
	return false
}

// need has n bytes of the text at hand; false: there are not as many.
func (r *jsonReader) need(n int) bool {
	for r.end-r.at < n {
		if !r.more() {
			return false
		}
	}
	return true
}

// here is the next byte, which is not consumed; 0, which no JSON holds: there
// is none.
func (r *jsonReader) here() byte {
	if r.at == r.end && !r.more() {
		return 0
	}
	return r.buf[r.at]
}

// next is the next byte that is not white space.
func (r *jsonReader) next() byte {
	if r.at < r.end && r.buf[r.at] > ' ' {
		return r.buf[r.at]
	}
	return r.afterBlanks()
}

func (r *jsonReader) afterBlanks() byte {
	for {
		switch b := r.here(); b {
		case ' ', '\n', '\r', '\t':
			r.at++
		default:
			return b
		}
	}
}

// take consumes the byte that must come next.
func (r *jsonReader) take(want byte) bool {
	if r.next() != want {
		r.fail(errShape)
		return false
	}
	r.at++
	return true
}

// goesOn consumes what stands behind an element: the comma before another one,
// or the closing bracket.
func (r *jsonReader) goesOn(closing byte) bool {
	b := r.next()
	if b != ',' && b != closing {
		r.fail(errShape)
		return false
	}
	r.at++
	return b == ','
}

// members yields the name of each member of the object that must come next.
// The loop must consume each value; the name is valid until then.
func (r *jsonReader) members() func(yield func(name []byte) bool) {
	return func(yield func(name []byte) bool) {
		if !r.take('{') {
			return
		}
		if r.next() == '}' {
			r.at++
			return
		}
		for {
			name := r.name()
			if r.err != nil || !yield(name) || !r.goesOn('}') {
				return
			}
		}
	}
}

// name consumes a member's name and the colon.
func (r *jsonReader) name() []byte {
	if r.next() != '"' {
		r.fail(errShape)
		return nil
	}
	// As most are: at hand, with the colon, and nothing escaped.
	b := r.buf[r.at:r.end]
	if n := 1 + plainBytes(b[1:]); n+1 < len(b) && b[n] == '"' && b[n+1] == ':' {
		r.at += n + 2
		return b[1:n]
	}
	r.pin = r.at
	r.quoted()
	long := r.at - r.pin
	if !r.take(':') {
		return nil
	}
	name := r.buf[r.pin : r.pin+long]
	r.pin = -1
	if bytes.IndexByte(name, '\\') < 0 {
		return name[1 : long-1]
	}
	text, _ := textOf(name) // a string, as was seen
	return []byte(text)
}

// elements yields once for each element of the list that must come next; the
// loop must consume it.
func (r *jsonReader) elements() func(yield func() bool) {
	return func(yield func() bool) {
		if !r.take('[') {
			return
		}
		if r.next() == ']' {
			r.at++
			return
		}
		for r.err == nil && yield() && r.goesOn(']') {
		}
	}
}

// value consumes a value of any kind. Its JSON is valid until the next call;
// nil: there is none.
func (r *jsonReader) value() []byte {
	r.next()
	r.pin = r.at
	r.skip()
	if r.err != nil {
		return nil
	}
	raw := r.buf[r.pin:r.at]
	r.pin = -1
	return raw
}

// decode reads a value into v.
func (r *jsonReader) decode(v any) {
	raw := r.value()
	if r.err != nil {
		return
	}
	if err := json.Unmarshal(raw, v); err != nil {
		r.fail(shapeOnly(err))
	}
}

// text reads a string, or null as "".
func (r *jsonReader) text() string {
	text, ok := textOrNull(r.value())
	if !ok {
		r.fail(errShape)
	}
	return text
}

// textOrNull is the text of a JSON string, "" of null; ok is false for others.
func textOrNull(raw []byte) (text string, ok bool) {
	if string(raw) == "null" {
		return "", true
	}
	return textOf(raw)
}

// id reads an id in any of its forms.
func (r *jsonReader) id() (i id) {
	if i.UnmarshalJSON(r.value()) != nil {
		r.fail(errShape)
	}
	return i
}

// whole reads a whole number, or null as 0.
func (r *jsonReader) whole() int64 {
	n, ok := wholeOrNull(r.value())
	if !ok {
		r.fail(errShape)
	}
	return n
}

func wholeOrNull(raw []byte) (n int64, ok bool) {
	if string(raw) == "null" {
		return 0, true
	}
	n, err := strconv.ParseInt(string(raw), 10, 64)
	return n, err == nil
}

// null consumes a null, if that comes next.
func (r *jsonReader) null() bool {
	if r.next() != 'n' {
		return false
	}
	r.literal("null")
	return true
}

// skip consumes a value of any kind.
func (r *jsonReader) skip() {
	for r.open = r.open[:0]; r.err == nil; {
		switch b := r.next(); b {
		case '"':
			r.quoted()
		case '{', '[':
			if r.descend(b) {
				continue
			}
		case 't':
			r.literal("true")
		case 'f':
			r.literal("false")
		case 'n':
			r.literal("null")
		default:
			r.number()
		}
		if !r.ascend() {
			return
		}
	}
}

// descend consumes an opening bracket and, in an object, the first name; false:
// nothing is inside, and it was consumed whole.
func (r *jsonReader) descend(opening byte) bool {
	if len(r.open) == depthLimit {
		r.fail(errShape)
		return false
	}
	r.at++
	closing := opening + 2 // of both brackets in ASCII
	if r.next() == closing {
		r.at++
		return false
	}
	r.open = append(r.open, closing)
	if closing == '}' {
		r.skipName()
	}
	return true
}

// ascend consumes what stands between a value that was skipped and the next
// one; false: what was to be skipped is over.
func (r *jsonReader) ascend() bool {
	for len(r.open) > 0 && r.err == nil {
		closing := r.open[len(r.open)-1]
		if r.goesOn(closing) {
			if closing == '}' {
				r.skipName()
			}
			return true
		}
		r.open = r.open[:len(r.open)-1]
	}
	return false
}

func (r *jsonReader) skipName() {
	if r.next() != '"' {
		r.fail(errShape)
		return
	}
	r.quoted()
	r.take(':')
}

// quoted consumes a string.
func (r *jsonReader) quoted() {
	r.at++ // the opening quote
	for {
		if r.at += plainBytes(r.buf[r.at:r.end]); r.at == r.end {
			if !r.more() {
				return
			}
			continue
		}
		switch r.buf[r.at] {
		case '"':
			r.at++
			return
		case '\\':
			r.escape()
		default:
			r.fail(errShape)
			return
		}
	}
}

// plainBytes is how many bytes of a string stand for themselves: up to a quote,
// a backslash or a control character. It looks at eight of them at a time, see
// https://graphics.stanford.edu/~seander/bithacks.html#ZeroInWord.
func plainBytes(b []byte) int {
	const ones, tops = 0x0101010101010101, 0x8080808080808080
	n := 0
	for ; len(b)-n >= 8; n += 8 {
		word := binary.LittleEndian.Uint64(b[n:])
		quote, backslash := word^ones*'"', word^ones*'\\'
		found := ((quote-ones)&^quote | (backslash-ones)&^backslash | (word-ones*' ')&^word) & tops
		if found != 0 {
			return n + bits.TrailingZeros64(found)/8 // the lowest is never a false one
		}
	}
	for n < len(b) && isPlain(b[n]) {
		n++
	}
	return n
}

func isPlain(b byte) bool { return b >= ' ' && b != '"' && b != '\\' }

// escape consumes a backslash and what belongs to it.
func (r *jsonReader) escape() {
	if !r.need(2) {
		return
	}
	switch r.buf[r.at+1] {
	case '"', '\\', '/', 'b', 'f', 'n', 'r', 't':
		r.at += 2
	case 'u':
		if !r.need(6) {
			return
		}
		if _, err := strconv.ParseUint(string(r.buf[r.at+2:r.at+6]), 16, 16); err != nil {
			r.fail(errShape)
			return
		}
		r.at += 6
	default:
		r.fail(errShape)
	}
}

// literal consumes true, false or null.
func (r *jsonReader) literal(word string) {
	if !r.need(len(word)) {
		return
	}
	if string(r.buf[r.at:r.at+len(word)]) != word {
		r.fail(errShape)
		return
	}
	r.at += len(word)
}

// number consumes a number, as RFC 8259 writes it.
func (r *jsonReader) number() {
	if r.here() == '-' {
		r.at++
	}
	if r.here() == '0' {
		r.at++
	} else {
		r.digits()
	}
	if r.here() == '.' {
		r.at++
		r.digits()
	}
	if b := r.here(); b == 'e' || b == 'E' {
		r.at++
		if b := r.here(); b == '+' || b == '-' {
			r.at++
		}
		r.digits()
	}
}

// digits consumes at least one.
func (r *jsonReader) digits() {
	if b := r.here(); b < '0' || b > '9' {
		r.fail(errShape)
		return
	}
	for {
		at := r.at
		for _, b := range r.buf[r.at:r.end] {
			if b < '0' || b > '9' {
				r.at = at
				return
			}
			at++
		}
		if r.at = r.end; !r.more() {
			return
		}
	}
}
