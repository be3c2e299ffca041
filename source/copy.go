package source

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strconv"
	"sync/atomic"
	"time"

	"github.com/jackc/pgx/v5"

	"farewell/migration"
)

// PartQuery says which rows are streamed as one part.
type PartQuery struct {
	Customer  string
	Partition migration.Partition
	IDs       []string // when not empty: exactly these records of the partition's entity, instead of the range
	Views     []string // in this order, the entity's own first; of tickets: tickets, ticket_tags, comments, attachments
	// AsOf leaves out what was made later, comments of older tickets included.
	// Zero: nothing is left out.
	AsOf time.Time
}

// PartRows is what CopyPart has read.
type PartRows struct {
	IDs    []string         // the records, in key order
	Rows   map[string]int64 // view → rows written
	ReadAt time.Time        // the snapshot's time, by the source's clock
}

// CopyPart streams several views of one partition, or of the given records of
// its entity, from one snapshot, and lists the records in it.
// The views come one after the other; open is asked for each view's writer
// before its first row, and closing is the caller's. There are no header rows;
// Columns names the columns.
//
// Each Write is of whole rows of CSV, as Postgres's COPY writes them, in key
// order; comments and attachments are by ticket, time and id. The text is UTF-8;
// rows end in LF; NULL is an unquoted empty field and an empty text a quoted
// one; times are RFC 3339 in UTC with microseconds; tags are a JSON array,
// custom fields a JSON object; booleans are true and false.
//
// It ends 15 s after the last byte moved; a writer must not block for ever.
// After an error, the writers have incomplete streams.
func (s *Source) CopyPart(ctx context.Context, q PartQuery, open func(view string) (io.Writer, error)) (PartRows, error) {
	return s.copyPart(ctx, q, open, func() error { return nil })
}

// copyPart is CopyPart with a say before each row is passed on.
func (s *Source) copyPart(ctx context.Context, q PartQuery, open func(view string) (io.Writer, error), each func() error) (PartRows, error) {
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
		c := copier{Source: s, shape: sh, conn: conn, op: &op, alive: alive, open: open, each: each, gathered: make([]byte, 0, gatherRoom)}
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
	each  func() error // before each row
	// gathered is the room in which each stream gathers.
	gathered []byte
}

func (c copier) part(ctx context.Context, e migration.Entity, sel selection, views []string, part *PartRows) error {
	entity, err := entityView(e)
	if err != nil {
		return &refusal{err.Error(), "this is a defect of the caller"}
	}
	if len(views) == 0 || views[0] != entity.name {
		return &refusal{"the view " + entity.name + " must come first", "this is a defect of the caller"}
	}
	if part.ReadAt, err = c.begin(ctx); err != nil {
		return err
	}
	for _, name := range views {
		c.alive.moved()
		c.op.view = name
		if err = c.view(ctx, entity, sel, name, part); err != nil {
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
func (c copier) view(ctx context.Context, entity view, sel selection, name string, part *PartRows) error {
	hangsOff := false
	if name != ticketTags || entity.name != "tickets" {
		v, err := viewNamed(name)
		if err != nil || !v.ofEntity(migration.Entity(entity.name)) {
			return &refusal{fmt.Sprintf("view %s does not belong to %s", name, entity.name), "this is a defect of the caller"}
		}
		hangsOff = v.name != entity.name
	}
	if hangsOff {
		sel = selection{customer: sel.customer, asOf: sel.asOf, ids: part.IDs}
		if sel.ids == nil {
			sel.ids = []string{} // nothing rather than everything
		}
	}
	columns, err := c.csvColumnsOf(name)
	if err != nil {
		return err
	}
	sql, err := c.csvSelect(c.schema, name, columns, sel)
	if err != nil {
		return err
	}
	w, err := c.open(name)
	if err != nil {
		return &writeError{err}
	}
	out := &stream{w: w, columns: columns, alive: c.alive, each: c.each, rows: c.gathered[:0], lists: name == entity.name}
	tag, err := c.conn.PgConn().CopyTo(ctx, out, "copy ("+sql+") to stdout (format binary)")
	if err == nil {
		out.flush()
	}
	if out.err != nil {
		return &writeError{out.err}
	}
	if part.Rows[name] = tag.RowsAffected(); out.lists {
		part.IDs = out.ids
		err = errors.Join(err, out.twice(name))
	}
	return err
}

// idleWatch ends a context when nothing has moved for a while.
type idleWatch struct {
	moves  atomic.Int64
	cancel context.CancelCauseFunc
}

// looksPerIdle is how often the watch looks before it ends a stream that stands
// still: moving must cost next to nothing, since every row moves.
const looksPerIdle = 16

func stopWhenIdle(ctx context.Context, after time.Duration) (context.Context, *idleWatch) {
	ctx, cancel := context.WithCancelCause(ctx)
	w := &idleWatch{cancel: cancel}
	go w.look(ctx, after)
	return ctx, w
}

// look returns when the stream has ended or is ended.
func (w *idleWatch) look(ctx context.Context, after time.Duration) {
	tick := time.NewTicker(after / looksPerIdle)
	defer tick.Stop()
	moves, since := w.moves.Load(), time.Now()
	for {
		select {
		case <-ctx.Done():
			return
		case now := <-tick.C:
			if n := w.moves.Load(); n != moves {
				moves, since = n, now
			} else if now.Sub(since) >= after {
				w.cancel(errStreamIdle)
			}
		}
	}
}

func (w *idleWatch) moved() { w.moves.Add(1) }

func (w *idleWatch) stop() { w.cancel(context.Canceled) }
