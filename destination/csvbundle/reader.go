package csvbundle

import (
	"bufio"
	"errors"
	"fmt"
	"io"
)

// cell is one value. NULL is an empty cell without quotes, as COPY writes it.
type cell struct {
	text string
	null bool
}

// reader reads CSV as COPY writes it, and gives back every byte of a cell:
// unlike encoding/csv, which turns CRLF inside quotes into LF.
type reader struct {
	from    *bufio.Reader
	text    []byte
	records int64 // read so far, the header included
}

func newReader(from io.Reader) *reader {
	return &reader{from: bufio.NewReaderSize(from, bufferSize)}
}

// read returns the next record, or io.EOF after the last.
func (r *reader) read() ([]cell, error) {
	if _, err := r.from.Peek(1); err != nil {
		return nil, err
	}
	r.records++
	var record []cell
	for {
		c, last, err := r.cell()
		if err != nil {
			return nil, fmt.Errorf("record %d: %w", r.records, err)
		}
		record = append(record, c)
		if last {
			return record, nil
		}
	}
}

var (
	errCutShort = errors.New("the file ends inside a record")
	errQuote    = errors.New("a quote stands where none may stand")
)

// cell reads up to and including the comma or the line feed after it.
func (r *reader) cell() (c cell, last bool, err error) {
	r.text = r.text[:0]
	quoted, inside := false, false
	for {
		ch, err := r.from.ReadByte()
		if errors.Is(err, io.EOF) {
			err = errCutShort
		}
		if err != nil {
			return cell{}, false, err
		}
		switch {
		case ch == '"' && inside:
			next, err := r.from.Peek(1)
			if err == nil && next[0] == '"' {
				_, _ = r.from.Discard(1) // cannot fail: it was just seen
				r.text = append(r.text, '"')
				continue
			}
			inside = false
		case inside:
			r.text = append(r.text, ch)
		case ch == ',' || ch == '\n':
			return cell{text: string(r.text), null: !quoted && len(r.text) == 0}, ch == '\n', nil
		case ch == '"' && !quoted && len(r.text) == 0:
			quoted, inside = true, true
		case ch == '"' || quoted:
			return cell{}, false, errQuote
		default:
			r.text = append(r.text, ch)
		}
	}
}
