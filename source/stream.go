package source

import (
	"bytes"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"io"
	"strconv"

	"farewell/migration"
)

// stream writes what a binary COPY sends as CSV. The rows come binary, since
// making CSV of them costs Postgres a sixth more work and us next to nothing,
// and Postgres has the least to spare.
type stream struct {
	w       io.Writer
	columns []csvColumn
	alive   *idleWatch
	each    func() error // before each row
	rows    []byte       // written together: what is done for each Write would cost more than what is done for each row
	lists   bool         // ids are wanted
	ids     []string     // the rows' first cells
	begun   bool
	err     error // of each or w
}

const (
	// gatherBytes is how much of a stream is written at a time.
	gatherBytes = 128 << 10
	// gatherRoom lets the last of the gathered rows end without new memory.
	gatherRoom = gatherBytes + 32<<10
)

var errNoCopy = errors.New("what came is no binary COPY; is it Postgres that answers?")

// Write takes one message: Postgres sends each row in one of its own
// (https://www.postgresql.org/docs/current/protocol-flow.html#PROTOCOL-COPY),
// and puts what it sends before and behind all rows into such messages or
// between them (https://www.postgresql.org/docs/current/sql-copy.html#id-1.9.3.55.9.4).
func (s *stream) Write(message []byte) (int, error) {
	s.alive.moved()
	in := incoming{message}
	if !s.begun {
		if s.begun = true; !in.header() {
			return 0, errNoCopy
		}
	}
	for len(in.rest) > 0 {
		cells, ok := in.int16()
		if ok && cells < 0 {
			break // the end of all rows
		}
		if !ok || cells != len(s.columns) {
			return 0, errNoCopy
		}
		if s.err = s.each(); s.err != nil {
			return 0, s.err
		}
		if !s.row(&in) {
			return 0, errNoCopy
		}
		if len(s.rows) < gatherBytes {
			continue
		}
		if s.flush(); s.err != nil {
			return 0, s.err
		}
	}
	return len(message), nil
}

// row gathers one row.
func (s *stream) row(in *incoming) bool {
	for i := range s.columns {
		value, null, ok := in.value()
		if !ok {
			return false
		}
		begin := len(s.rows)
		if !null {
			if s.rows, ok = appendCell(s.rows, s.columns[i].Type, value); !ok {
				return false
			}
		}
		if i == 0 && s.lists {
			s.ids = append(s.ids, s.id(value, begin))
		}
		s.rows = append(s.rows, ',')
	}
	s.rows[len(s.rows)-1] = '\n'
	return true
}

// id is the first cell's content: a text as it came, anything else as it was
// written from begin on, which needs no quotes.
func (s *stream) id(value []byte, begin int) string {
	if s.columns[0].Type == migration.ColumnString {
		return string(value)
	}
	return string(s.rows[begin:])
}

// twice refuses records whose view shows them more than once.
func (s *stream) twice(view string) error {
	for i := 1; i < len(s.ids); i++ {
		if s.ids[i] == s.ids[i-1] {
			return twice(view, s.ids[i])
		}
	}
	return nil
}

func (s *stream) flush() {
	if len(s.rows) == 0 {
		return
	}
	_, s.err = s.w.Write(s.rows)
	s.rows = s.rows[:0]
	s.alive.moved()
}

// appendCell writes a value, which is not NULL, as COPY writes it in CSV.
// csvExpression makes a bigint, a uuid or a text of each column.
func appendCell(to []byte, t migration.ColumnType, value []byte) ([]byte, bool) {
	switch t {
	case migration.ColumnInteger:
		if len(value) != 8 {
			return to, false
		}
		return strconv.AppendInt(to, int64(binary.BigEndian.Uint64(value)), 10), true
	case migration.ColumnUUID:
		if len(value) != 16 {
			return to, false
		}
		for i, part := range [][]byte{value[:4], value[4:6], value[6:8], value[8:10], value[10:]} {
			if i > 0 {
				to = append(to, '-')
			}
			to = hex.AppendEncode(to, part)
		}
		return to, true
	}
	return appendText(to, value), true
}

// appendText quotes a text where CSV demands it, and the empty one, which
// without quotes would be NULL.
func appendText(to, text []byte) []byte {
	if len(text) > 0 && !needsQuotes(text) {
		return append(to, text...)
	}
	to = append(to, '"')
	for {
		i := bytes.IndexByte(text, '"')
		if i < 0 {
			break
		}
		to = append(append(to, text[:i+1]...), '"')
		text = text[i+1:]
	}
	return append(append(to, text...), '"')
}

func needsQuotes(text []byte) bool {
	for _, c := range []byte(",\n\"\r") { // what is most likely comes first
		if bytes.IndexByte(text, c) >= 0 {
			return true
		}
	}
	return false
}

// incoming is what is left of a message.
type incoming struct{ rest []byte }

func (in *incoming) take(n int) ([]byte, bool) {
	if n < 0 || n > len(in.rest) {
		return nil, false
	}
	taken := in.rest[:n]
	in.rest = in.rest[n:]
	return taken, true
}

// header takes the signature, the flags and the extension, of which later
// versions of the format may make use without meaning anything to us.
func (in *incoming) header() bool {
	const signature = "PGCOPY\n\xff\r\n\x00"
	begin, ok := in.take(len(signature) + 4)
	if !ok || string(begin[:len(signature)]) != signature {
		return false
	}
	extension, ok := in.int32()
	if ok {
		_, ok = in.take(extension)
	}
	return ok
}

func (in *incoming) int16() (int, bool) {
	b, ok := in.take(2)
	if !ok {
		return 0, false
	}
	return int(int16(binary.BigEndian.Uint16(b))), true
}

func (in *incoming) int32() (int, bool) {
	b, ok := in.take(4)
	if !ok {
		return 0, false
	}
	return int(int32(binary.BigEndian.Uint32(b))), true
}

// value takes a cell's.
func (in *incoming) value() (value []byte, null, ok bool) {
	size, ok := in.int32()
	if !ok || size == -1 {
		return nil, true, ok
	}
	value, ok = in.take(size)
	return value, false, ok
}
