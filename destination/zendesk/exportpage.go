package zendesk

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"unicode/utf8"
)

// A pass reads every ticket that the account gained, of which it needs five
// members: encoding/json would look at each byte three times to find them.

// errShape: the export is no JSON, or of a shape that we do not know. It never
// quotes the content.
var errShape = errors.New("the answer has another shape than expected")

// exportReader reads a page of the export member by member and skips what it
// is not asked for. It holds one value at a time: a page may be larger than what
// a worker may hold.
type exportReader struct {
	in   *bufio.Reader
	text []byte // the last value that was kept
}

// next is the next byte that is not white space; it is not consumed.
func (r *exportReader) next() (byte, error) {
	for {
		b, err := r.in.ReadByte()
		if err != nil {
			return 0, cutOff(err)
		}
		if b != ' ' && b != '\n' && b != '\r' && b != '\t' {
			return b, r.in.UnreadByte()
		}
	}
}

// take consumes the byte that must come next.
func (r *exportReader) take(want byte) error {
	b, err := r.next()
	if err != nil {
		return err
	}
	if b != want {
		return errShape
	}
	_, err = r.in.Discard(1)
	return err
}

// cutOff is the error of an answer that ends too early.
func cutOff(err error) error {
	if errors.Is(err, io.EOF) {
		return io.ErrUnexpectedEOF
	}
	return err
}

// list calls each for every element of what stands between the brackets; each
// must consume its element.
func (r *exportReader) list(opening, closing byte, each func() error) error {
	if err := r.take(opening); err != nil {
		return err
	}
	b, err := r.next()
	if err != nil {
		return err
	}
	if b == closing {
		return r.take(closing)
	}
	for {
		if err := each(); err != nil {
			return err
		}
		if b, err = r.next(); err != nil {
			return err
		}
		if b == closing {
			return r.take(closing)
		}
		if err := r.take(','); err != nil {
			return err
		}
	}
}

// object calls member with the name of every member, whose value it must
// consume. The name is valid until the next read.
func (r *exportReader) object(member func(name []byte) error) error {
	var name []byte
	return r.list('{', '}', func() error {
		if err := r.value(true); err != nil {
			return err
		}
		if len(r.text) < 2 || r.text[0] != '"' {
			return errShape
		}
		name = append(name[:0], r.text[1:len(r.text)-1]...)
		if err := r.take(':'); err != nil {
			return err
		}
		return member(name)
	})
}

// value consumes a value of any kind; r.text is its JSON if it is kept.
func (r *exportReader) value(keep bool) error {
	r.text = r.text[:0]
	b, err := r.next()
	if err != nil {
		return err
	}
	switch b {
	case '"':
		return r.quoted(keep)
	case '{', '[':
		return r.nested(keep)
	}
	for {
		b, err := r.in.ReadByte()
		if err != nil {
			return cutOff(err)
		}
		switch b {
		case ',', ']', '}', ' ', '\n', '\r', '\t':
			if keep && len(r.text) == 0 {
				return errShape
			}
			return r.in.UnreadByte()
		case '"', '{', '[', ':':
			return errShape
		}
		if keep {
			r.text = append(r.text, b)
		}
	}
}

// quoted consumes a string.
func (r *exportReader) quoted(keep bool) error {
	b, err := r.in.ReadByte() // the opening quote
	if err != nil {
		return cutOff(err)
	}
	if keep {
		r.text = append(r.text, b)
	}
	backslashes := 0 // at the end of what was read
	for {
		part, err := r.in.ReadSlice('"')
		if keep {
			r.text = append(r.text, part...)
		}
		full := errors.Is(err, bufio.ErrBufferFull)
		if err != nil && !full {
			return cutOff(err)
		}
		inside := part
		if !full {
			inside = part[:len(part)-1]
		}
		n := len(inside)
		for n > 0 && inside[n-1] == '\\' {
			n--
		}
		if n > 0 {
			backslashes = 0
		}
		backslashes += len(inside) - n
		if !full {
			if backslashes%2 == 0 {
				return nil
			}
			backslashes = 0
		}
	}
}

// nested consumes an object or a list.
func (r *exportReader) nested(keep bool) error {
	var open []byte // the brackets that must come, the next one last
	for {
		b, err := r.in.ReadByte()
		if err != nil {
			return cutOff(err)
		}
		switch b {
		case '"':
			if err := r.in.UnreadByte(); err != nil {
				return err
			}
			if err := r.quoted(keep); err != nil {
				return err
			}
			continue
		case '{':
			open = append(open, '}')
		case '[':
			open = append(open, ']')
		case '}', ']':
			if open[len(open)-1] != b {
				return errShape
			}
			open = open[:len(open)-1]
		}
		if keep {
			r.text = append(r.text, b)
		}
		if len(open) == 0 {
			return nil
		}
	}
}

// decode reads a value into v.
func (r *exportReader) decode(v any) error {
	if err := r.value(true); err != nil {
		return err
	}
	if err := json.Unmarshal(r.text, v); err != nil {
		return shapeOnly(err)
	}
	return nil
}

// string reads a string, or null as "".
func (r *exportReader) string() (string, error) {
	if err := r.value(true); err != nil {
		return "", err
	}
	if n := len(r.text); n >= 2 && r.text[0] == '"' && bytes.IndexByte(r.text, '\\') < 0 && utf8.Valid(r.text) {
		return string(r.text[1 : n-1]), nil
	}
	var s *string
	if err := json.Unmarshal(r.text, &s); err != nil {
		return "", shapeOnly(err)
	}
	if s == nil {
		return "", nil
	}
	return *s, nil
}

// has reads a list of strings, or null, and tells whether one of them is s.
func (r *exportReader) has(s string) (found bool, err error) {
	b, err := r.next()
	if err != nil || b != '[' {
		return false, errors.Join(err, r.decode(&[]string{}))
	}
	err = r.list('[', ']', func() error {
		one, err := r.string()
		found = found || one == s
		return err
	})
	return found, err
}

// read reads a page, keeping the tickets of ours.
func (p *exported) read(in io.Reader, prefix string) error {
	r := &exportReader{in: bufio.NewReaderSize(in, 64<<10)}
	return r.object(func(name []byte) (err error) { // without the closing brace the answer was cut
		switch string(name) {
		case "tickets":
			return r.list('[', ']', func() error { return p.readTicket(r, prefix) })
		case "after_cursor":
			p.Cursor, err = r.string()
		case "end_of_stream":
			err = r.decode(&p.End)
		default:
			err = r.value(false)
		}
		return err
	})
}

func (p *exported) readTicket(r *exportReader, prefix string) error {
	var t exportedTicket
	var externalID string
	err := r.object(func(name []byte) (err error) {
		switch string(name) {
		case "id":
			err = r.decode(&t.ID)
		case "external_id":
			externalID, err = r.string()
		case "status":
			t.Status, err = r.string()
		case "tags":
			t.Tagged, err = r.has(Tag)
		case "generated_timestamp":
			err = r.decode(&t.Generated)
		default:
			err = r.value(false)
		}
		return err
	})
	if err != nil {
		return err
	}
	p.Last = max(p.Last, t.Generated)
	var ours bool
	if t.SourceID, ours = SourceID(prefix, externalID); ours && t.ID.positive() {
		p.Ours = append(p.Ours, t)
	}
	return nil
}
