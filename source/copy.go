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

// PartQuery says which rows are streamed as one part.
type PartQuery struct {
	Customer  string
	Partition migration.Partition
	IDs       []string // when not empty: exactly these records of the partition's entity, instead of the range
	Views     []string // in this order; of tickets: tickets, ticket_tags, comments, attachments
	// AsOf leaves out what was made later, comments of older tickets included.
	// Zero: nothing is left out.
	AsOf time.Time
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
// before its first row, and closing is the caller's. There are no header rows;
// Columns names the columns.
//
// Each Write is one whole row of CSV, as Postgres's COPY writes it, in key
// order; comments and attachments are by ticket, time and id. The text is UTF-8;
// rows end in LF; NULL is an unquoted empty field and an empty text a quoted
// one; times are RFC 3339 in UTC with microseconds; tags are a JSON array,
// custom fields a JSON object; booleans are true and false.
//
// It ends 15 s after the last byte moved; a writer must not block for ever.
// After an error, the writers have incomplete streams.
func (s *Source) CopyPart(ctx context.Context, q PartQuery, open func(view string) (io.Writer, error)) (PartRows, error) {
	part := PartRows{Rows: map[string]int64{}}
	op := operation{name: "stream a part", view: string(q.Partition.Entity), customer: q.Customer}
	ids := q.IDs
	if len(ids) == 0 {
		ids = nil
		if q.Partition.IsOnDemand() {
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
		c := copier{Source: s, shape: sh, conn: conn, op: &op, alive: alive, open: open}
		sel := selection{customer: q.Customer, after: q.Partition.After, upTo: q.Partition.UpTo, ids: ids, asOf: q.AsOf}
		if ids != nil {
			sel.after, sel.upTo = "", ""
		}
		return c.part(ctx, q.Partition.Entity, sel, q.Views, &part)
	})
	return part, err
}

// copier streams views on one connection.
type copier struct {
	*Source
	shape
	conn  *pgx.Conn
	op    *operation // its view follows what is being read
	alive *idleWatch
	open  func(view string) (io.Writer, error)
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
	hangsOff := false
	if name != ticketTags || entity.name != "tickets" {
		v, err := viewNamed(name)
		if err != nil || !v.ofEntity(migration.Entity(entity.name)) {
			return 0, &refusal{fmt.Sprintf("view %s does not belong to %s", name, entity.name), "this is a defect of the caller"}
		}
		hangsOff = v.name != entity.name
	}
	if hangsOff {
		sel = selection{customer: sel.customer, asOf: sel.asOf, ids: make([]string, len(listed))}
		for i := range listed {
			sel.ids[i] = listed[i].ID
		}
	}
	sql, err := c.csvSelect(c.schema, name, sel)
	if err != nil {
		return 0, err
	}
	w, err := c.open(name)
	if err != nil {
		return 0, &writeError{err}
	}
	out := &stream{w: w, alive: c.alive}
	tag, err := c.conn.PgConn().CopyTo(ctx, out, "copy ("+sql+") to stdout (format csv)")
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
