package source

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strconv"
	"time"

	"github.com/jackc/pgx/v5"

	"farewell/migration"
)

// CopyQuery says which rows of a view are streamed.
type CopyQuery struct {
	Customer  string
	View      string // organizations, users, tickets, comments or attachments
	Partition migration.Partition
	IDs       []string // when not empty: of exactly these records of the partition's entity, instead of the range
	Header    bool     // begin with a line of column names
}

// CopyCSV streams rows of a view as CSV, as Postgres's COPY writes it, in key
// order, and returns their number. Comments and attachments are those of the
// partition's tickets, by ticket, time and id.
//
// The text is UTF-8; lines end in LF; NULL is an unquoted empty field and an
// empty text a quoted one; times are RFC 3339 in UTC with microseconds; tags
// are a JSON array, custom fields a JSON object; booleans are true and false.
//
// It ends 15 s after the last byte moved; w must not block for ever. After an
// error, w has an incomplete stream.
func (s *Source) CopyCSV(ctx context.Context, q CopyQuery, w io.Writer) (int64, error) {
	part, err := s.copyPart(ctx, q.Customer, q.Partition, q.IDs, []string{q.View}, q.Header,
		func(string) (io.Writer, error) { return w, nil })
	return part.Rows[q.View], err
}

// PartRows is what CopyPart has read.
type PartRows struct {
	Listed []migration.Listed // the records, in key order
	Rows   map[string]int64   // view → rows written
	ReadAt time.Time          // the snapshot's time, by the source's clock
}

// CopyPart streams several views of one partition, or of the given records of
// its entity, from one snapshot, together with the list of the records in it.
// The views come one after the other; open is asked for each view's writer
// before its first row, and closing is the caller's. There are no headers;
// CSVColumns names the columns. For the rest see CopyCSV.
func (s *Source) CopyPart(ctx context.Context, customer string, p migration.Partition, ids []string, views []string,
	open func(view string) (io.Writer, error),
) (PartRows, error) {
	return s.copyPart(ctx, customer, p, ids, views, false, open)
}

func (s *Source) copyPart(ctx context.Context, customer string, p migration.Partition, ids []string, views []string, header bool,
	open func(view string) (io.Writer, error),
) (PartRows, error) {
	part := PartRows{Rows: map[string]int64{}}
	op := operation{name: "stream a part", view: string(p.Entity), customer: customer}
	if len(ids) == 0 {
		ids = nil
		if p.IsOnDemand() {
			ids = []string{} // it has no range: nothing rather than everything
		}
	}
	ctx, alive := stopWhenIdle(ctx, s.streamIdleTimeout)
	defer alive.stop()
	err := s.run(ctx, &op, func(ctx context.Context, conn *pgx.Conn) error {
		sh, err := s.shape(ctx, conn)
		if err != nil {
			return err
		}
		c := copier{Source: s, shape: sh, conn: conn, op: &op, alive: alive, header: header, open: open}
		sel := selection{customer: customer, after: p.After, upTo: p.UpTo, ids: ids}
		if ids != nil {
			sel.after, sel.upTo = "", ""
		}
		return c.part(ctx, p.Entity, sel, views, &part)
	})
	return part, err
}

// copier streams views on one connection.
type copier struct {
	*Source
	shape
	conn   *pgx.Conn
	op     *operation // its view follows what is being read
	alive  *idleWatch
	header bool
	open   func(view string) (io.Writer, error)
}

func (c copier) part(ctx context.Context, e migration.Entity, sel selection, views []string, part *PartRows) error {
	entity, err := entityView(e)
	if err != nil {
		return &refusal{err.Error(), "this is a defect of the caller"}
	}
	var p parameters
	where, err := c.where(entity, sel, &p)
	if err != nil {
		return err
	}
	if part.ReadAt, err = c.begin(ctx); err != nil {
		return err
	}
	part.Listed, err = readListed(ctx, c.conn, entity.name, "from "+c.table(entity.name)+" v where "+where, p.values)
	if err != nil {
		return err
	}
	for _, name := range views {
		c.alive.moved()
		c.op.view = name
		if part.Rows[name], err = c.view(ctx, entity, sel, name, part.Listed); err != nil {
			return err
		}
	}
	return commit(ctx, c.conn)
}

// begin opens a snapshot in which a stream may last.
func (c copier) begin(ctx context.Context) (time.Time, error) {
	return readSnapshot(ctx, c.conn, "select set_config('statement_timeout', $1, true)",
		[]any{strconv.FormatInt(streamTimeout.Milliseconds(), 10)}, func(*row) {})
}

// view streams one view of the part. Rows that hang off tickets are selected
// by the tickets' ids rather than by their range: that needs no more than an
// index on the ticket, and brings nothing whose ticket the source hides.
func (c copier) view(ctx context.Context, entity view, sel selection, name string, listed []migration.Listed) (int64, error) {
	v, err := viewNamed(name)
	if err != nil || !v.ofEntity(migration.Entity(entity.name)) {
		return 0, &refusal{fmt.Sprintf("view %s does not belong to %s", name, entity.name), "this is a defect of the caller"}
	}
	if v.name != entity.name {
		sel = selection{customer: sel.customer, ids: make([]string, len(listed))}
		for i := range listed {
			sel.ids[i] = listed[i].ID
		}
	}
	where, err := c.where(v, sel, literals{})
	if err != nil {
		return 0, err
	}
	format := "(format csv)"
	if c.header {
		format = "(format csv, header true)"
	}
	w, err := c.open(name)
	if err != nil {
		return 0, &writeError{err}
	}
	sql := "copy (select " + v.csvColumns() + " from " + c.table(v.name) + " v where " + where + v.orderBy() + ") to stdout " + format
	out := &stream{w: w, alive: c.alive}
	tag, err := c.conn.PgConn().CopyTo(ctx, out, sql)
	if out.err != nil {
		return 0, &writeError{out.err}
	}
	return tag.RowsAffected(), err
}

// stream passes bytes on and tells the watch of each.
type stream struct {
	w     io.Writer
	alive *idleWatch
	err   error
}

func (s *stream) Write(b []byte) (int, error) {
	s.alive.moved()
	n, err := s.w.Write(b)
	s.alive.moved()
	s.err = errors.Join(s.err, err)
	return n, err
}

// idleWatch ends a context when nothing has moved for a while.
type idleWatch struct {
	timer  *time.Timer
	after  time.Duration
	cancel context.CancelCauseFunc
}

func stopWhenIdle(ctx context.Context, after time.Duration) (context.Context, *idleWatch) {
	ctx, cancel := context.WithCancelCause(ctx)
	w := &idleWatch{after: after, cancel: cancel}
	w.timer = time.AfterFunc(after, func() { cancel(errStreamIdle) })
	return ctx, w
}

func (w *idleWatch) moved() { w.timer.Reset(w.after) }

func (w *idleWatch) stop() {
	w.timer.Stop()
	w.cancel(context.Canceled)
}
