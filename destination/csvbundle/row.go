package csvbundle

import (
	"bytes"
	"errors"
	"io"
	"strings"

	"farewell/migration"
)

// rows is a view's stream on its way to the disk: it guards the cells that
// spreadsheets would run, and notes ids. Bytes that need no change are passed
// on as they came, since this is what every byte of a bundle goes through.
type rows struct {
	to      io.Writer
	columns []rowColumn
	watched int // columns from here on are neither guarded nor noted
	count   int64
	bytes   int64 // passed on
	guarded map[string]int64
	scratch []byte
}

// rowColumn is what happens to the cells of a column.
type rowColumn struct {
	name  string
	guard bool
	note  func(id []byte) // nil: nobody asks; the bytes are valid during the call only
}

var errInsideRow = errors.New("the stream ends inside a row")

func newRows(to io.Writer, columns []migration.Column, f form, note func(column string) func([]byte)) *rows {
	r := &rows{to: to, guarded: map[string]int64{}}
	for i, c := range columns {
		rc := rowColumn{name: c.Name, guard: !f.Raw && c.Type == migration.ColumnString, note: note(c.Name)}
		if rc.guard || rc.note != nil {
			r.watched = i + 1
		}
		r.columns = append(r.columns, rc)
	}
	return r
}

// Write takes whole rows.
func (r *rows) Write(p []byte) (int, error) {
	passed := 0 // everything before it is written
	for at := 0; at < len(p); {
		for column := 0; ; column++ {
			begin, end, next, ok := nextCell(p, at)
			if !ok {
				return passed, errInsideRow
			}
			if column < r.watched {
				insert := r.cell(&r.columns[column], p[begin:end])
				if insert {
					if err := r.pass(p[passed:begin]); err != nil {
						return passed, err
					}
					if err := r.pass([]byte{'\''}); err != nil {
						return passed, err
					}
					passed = begin
				}
			}
			at = next
			if p[next-1] == '\n' {
				break
			}
		}
		r.count++
	}
	if err := r.pass(p[passed:]); err != nil {
		return passed, err
	}
	return len(p), nil
}

func (r *rows) pass(p []byte) error {
	n, err := r.to.Write(p)
	r.bytes += int64(n)
	return err
}

// cell looks at a cell's content, in which quotes are still doubled, and tells
// whether an apostrophe belongs before it.
func (r *rows) cell(c *rowColumn, content []byte) (insert bool) {
	if len(content) == 0 {
		return false
	}
	if c.guard && (content[0] < '0' || content[0] > '9') && needsGuard(content) {
		insert = true
		r.guarded[c.name]++
	}
	if c.note != nil {
		id := content
		if insert {
			r.scratch = append(append(r.scratch[:0], '\''), content...)
			id = r.scratch
		}
		if bytes.IndexByte(id, '"') >= 0 {
			id = bytes.ReplaceAll(id, []byte(`""`), []byte(`"`))
		}
		c.note(id)
	}
	return insert
}

// nextCell finds the cell that begins at p[at]: its content without the quotes
// around it, and where the next one begins, behind a comma or a line feed.
func nextCell(p []byte, at int) (begin, end, next int, ok bool) {
	if at < len(p) && p[at] == '"' {
		begin = at + 1
		for end = begin; ; {
			i := bytes.IndexByte(p[end:], '"')
			if i < 0 {
				return 0, 0, 0, false
			}
			end += i
			if end+1 < len(p) && p[end+1] == '"' {
				end += 2
				continue
			}
			break
		}
		next = end + 2
		return begin, end, next, next <= len(p) && (p[next-1] == ',' || p[next-1] == '\n')
	}
	for end = at; end < len(p); end++ {
		if c := p[end]; c == ',' || c == '\n' {
			return at, end, end + 1, true
		}
	}
	return 0, 0, 0, false
}

// cellText writes a text as COPY would: quoted where CSV demands it, and when it is
// empty or alone means the end of data.
func cellText(text string) string {
	if text == "" || text == `\.` || strings.ContainsAny(text, "\",\r\n") {
		return `"` + strings.ReplaceAll(text, `"`, `""`) + `"`
	}
	return text
}

// rowOf is a line of CSV. A nil cell is NULL.
func rowOf(cells ...*string) string {
	var b strings.Builder
	for i, c := range cells {
		if i > 0 {
			b.WriteByte(',')
		}
		if c != nil {
			b.WriteString(cellText(*c))
		}
	}
	b.WriteByte('\n')
	return b.String()
}
