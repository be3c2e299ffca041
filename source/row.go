package source

import (
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"time"

	"github.com/jackc/pgx/v5"
)

// row takes the cells of one row in the order of pageColumns, as the server
// sent them: text as text, everything else in Postgres's binary form. Reading
// them by hand, without reflection, is what lets one core read 20,000 tickets
// a second and more.
type row struct {
	cells [][]byte
	next  int
	err   error
}

// eachRow reads a result to its end.
func eachRow(rows pgx.Rows, err error, take func(*row)) error {
	if err != nil {
		return err
	}
	defer rows.Close()
	var r row
	for rows.Next() {
		r.cells, r.next = rows.RawValues(), 0
		take(&r)
		if r.err != nil {
			return r.err
		}
	}
	return rows.Err()
}

func (r *row) cell() []byte {
	c := r.cells[r.next]
	r.next++
	return c
}

// id is a key: without one the cursor would lose the row.
func (r *row) id(view string) string {
	c := r.cell()
	if len(c) == 0 {
		r.fail(&refusal{"view " + view + " holds a row without an id", "give the row an id, or leave it out of the view"})
	}
	return string(c)
}

func (r *row) text() string { return string(r.cell()) }

func (r *row) json() json.RawMessage {
	c := r.cell()
	if c == nil {
		return nil
	}
	return append(json.RawMessage(nil), c...)
}

func (r *row) bool() bool {
	c := r.cell()
	return len(c) == 1 && c[0] == 1
}

func (r *row) integer() int64 {
	c := r.cell()
	switch len(c) {
	case 0:
		return 0
	case 8:
		return int64(binary.BigEndian.Uint64(c))
	}
	r.fail(fmt.Errorf("a bigint of %d bytes", len(c)))
	return 0
}

// postgresEpoch is 2000-01-01 in microseconds of Unix time, from which
// Postgres counts (https://www.postgresql.org/docs/current/datatype-datetime.html).
const postgresEpoch = 946_684_800_000_000

// time is zero for NULL.
func (r *row) time() time.Time {
	c := r.cell()
	if c == nil {
		return time.Time{}
	}
	if len(c) != 8 {
		r.fail(fmt.Errorf("a timestamp of %d bytes", len(c)))
		return time.Time{}
	}
	micros := int64(binary.BigEndian.Uint64(c))
	if micros == math.MaxInt64 || micros == math.MinInt64 {
		r.fail(&refusal{"a time is infinity", "show null instead: nullif(column, 'infinity')"})
		return time.Time{}
	}
	at := time.UnixMicro(micros + postgresEpoch).UTC()
	if at.IsZero() { // 0001-01-01, some programs' word for none, is not NULL
		at = at.Add(time.Microsecond)
	}
	return at
}

var errArrayForm = errors.New("a list of tags is not in Postgres's binary form")

// tags reads a text[] of any number of dimensions in its binary form: number
// of dimensions, flags, element type, length and lower bound of each
// dimension, then each element with its length (-1: NULL, left out).
func (r *row) tags() []string {
	c := r.cell()
	if c == nil {
		return nil
	}
	if len(c) < 12 {
		r.fail(errArrayForm)
		return nil
	}
	dimensions := int(binary.BigEndian.Uint32(c))
	if dimensions == 0 {
		return nil
	}
	if len(c) < 12+8*dimensions {
		r.fail(errArrayForm)
		return nil
	}
	c = c[12+8*dimensions:]
	var tags []string
	for len(c) > 0 {
		if len(c) < 4 {
			r.fail(errArrayForm)
			return nil
		}
		n := int(int32(binary.BigEndian.Uint32(c)))
		c = c[4:]
		if n < 0 {
			continue
		}
		if n > len(c) {
			r.fail(errArrayForm)
			return nil
		}
		tags = append(tags, string(c[:n]))
		c = c[n:]
	}
	return tags
}

func (r *row) fail(err error) {
	if r.err == nil {
		r.err = err
	}
}
