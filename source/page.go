package source

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"farewell/migration"
)

// maxPageBytes is where a page is cut: what a worker's lanes hold at a time
// must stay small, whatever the tickets hold.
const maxPageBytes = 8 << 20

// maxMemberships is how many memberships the users of a page have together: as
// many go out in one request.
const maxMemberships = 100

// PageQuery says which records of an entity are read.
type PageQuery struct {
	Customer  string
	Partition migration.Partition
	After     string   // go on after this id; empty: from Partition.After
	Limit     int      // records at most; may be 0 with IDs
	IDs       []string // when not empty: exactly these, in key order, instead of the range; ids that do not exist are missing from the page
}

// Page reads the next records of a partition in key order, tickets with their
// comments (by time, then id) and attachments, all in one snapshot whose time
// is the page's ReadAt.
//
// A page is sized before it is read and cut at 8 MB; it holds at least one
// record, so that a single ticket larger than that is read whole. While More
// is true, ask again with After = Last. A partition made by
// migration.OnDemand has no range: without IDs its page is empty.
//
// What the view leaves NULL is the zero value, and false for "public". An
// attachment whose comment is not there is shown at the ticket's first, or at
// the ticket when that has none.
func (s *Source) Page(ctx context.Context, q PageQuery) (migration.Page, error) {
	op := operation{name: "read a page", view: string(q.Partition.Entity), customer: q.Customer}
	if len(q.IDs) == 0 && q.Partition.IsOnDemand() {
		return migration.Page{}, nil
	}
	var page migration.Page
	err := s.call(ctx, op, func(ctx context.Context, conn *pgx.Conn) error {
		sh, err := s.shape(ctx, conn)
		if err != nil {
			return err
		}
		page, err = reader{s, sh, conn}.page(ctx, q)
		return err
	})
	return page, err
}

// reader reads pages on one connection.
type reader struct {
	*Source
	shape
	conn *pgx.Conn
}

func (r reader) page(ctx context.Context, q PageQuery) (migration.Page, error) {
	v, err := entityView(q.Partition.Entity)
	if err != nil {
		return migration.Page{}, &refusal{err.Error(), "this is a defect of the caller"}
	}
	if len(q.IDs) == 0 && !r.shows(v) {
		return migration.Page{}, nil
	}
	sel, limit := selection{customer: q.Customer, after: q.After}, q.Limit
	if len(q.IDs) > 0 {
		sel.ids = q.IDs
		if limit == 0 {
			limit = len(q.IDs)
		}
	} else {
		sel.upTo = q.Partition.UpTo
		if sel.after == "" {
			sel.after = q.Partition.After
		}
	}
	if limit < 1 {
		return migration.Page{}, &refusal{fmt.Sprintf("a page of %d records", limit), "ask for at least one"}
	}
	cut, at, err := r.size(ctx, v, sel, limit)
	if err != nil {
		return migration.Page{}, err
	}
	page := migration.Page{ReadAt: at, More: cut.more}
	if len(cut.ids) == 0 {
		return page, commit(ctx, r.conn)
	}
	page.Last = cut.ids[len(cut.ids)-1]
	err = r.content(ctx, v, q.Customer, cut.ids, &page)
	if err == nil && page.Len() != len(cut.ids) {
		err = &refusal{fmt.Sprintf("the view shows %d rows for %d ids", page.Len(), len(cut.ids)), "make the view show the same rows to each query"}
	}
	return page, err
}

// cut is the part of a range that one page takes.
type cut struct {
	ids  []string
	more bool
}

// size opens the snapshot, and decides by the records' bytes how many of them
// the page takes.
func (r reader) size(ctx context.Context, v view, sel selection, limit int) (cut, time.Time, error) {
	sql, args, err := r.sizeQuery(v, sel, limit)
	if err != nil {
		return cut{}, time.Time{}, err
	}
	c := cut{ids: make([]string, 0, limit)}
	var bytes int64
	most := int64(maxPageBytes)
	if v.heavy != "" {
		most = maxMemberships
	}
	last := ""
	at, err := readSnapshot(ctx, r.conn, sql, args, func(row *row) {
		id, size := row.id(v.name), row.integer()
		if id == last {
			row.fail(twice(v.name, id))
		}
		last = id
		bytes += size
		if c.more || len(c.ids) == limit || len(c.ids) > 0 && bytes > most {
			c.more = true
			return
		}
		c.ids = append(c.ids, id)
	})
	return c, at, err
}

// twice is an id that a cursor would pass over after its first row.
func twice(view, id string) error {
	return &refusal{fmt.Sprintf("view %s shows id %s more than once", view, id), "show each id once for a customer, then retry"}
}

// sizeQuery lists the range's next ids, one more than the limit, with the
// bytes of their long texts. Sizes come from the rows' headers: long texts are
// neither fetched nor unpacked for it.
func (r reader) sizeQuery(v view, sel selection, limit int) (string, []any, error) {
	var p parameters
	where, err := r.where(v, sel, &p)
	if err != nil {
		return "", nil, err
	}
	size := "0"
	if v.heavy != "" && r.has(v, v.needs) {
		size = v.heavy
		v.sized = nil
	}
	for _, name := range v.sized {
		size += " + coalesce(octet_length(v." + name + "::text), 0)"
	}
	p.values = append(p.values, limit+1)
	rangeOf := fmt.Sprintf("select v.id, (%s)::bigint as bytes from %s v where %s order by v.id limit $%d",
		size, r.table(v.name), where, len(p.values))
	if v.name != string(migration.Tickets) {
		return "select p.id::text, p.bytes from (" + rangeOf + ") p order by p.id", p.values, nil
	}
	customer := p.bind(sel.customer, r.shape["comments"][customerID].idCast())
	return fmt.Sprintf(`with page as materialized (%s)
		select p.id::text, p.bytes + coalesce(c.bytes, 0)::bigint
		from page p left join (
			select v.ticket_id, sum(octet_length(v.body::text)) as bytes from %s v
			where v.customer_id = %s and v.ticket_id = any (array(select id from page))
			group by v.ticket_id) c on c.ticket_id = p.id
		order by p.id`, rangeOf, r.table("comments"), customer), p.values, nil
}

// content reads the records with the given ids and ends the snapshot, in one
// round trip.
func (r reader) content(ctx context.Context, v view, customer string, ids []string, page *migration.Page) error {
	read := []view{v}
	if v.name == string(migration.Tickets) {
		comments, _ := viewNamed("comments")       // in the contract
		attachments, _ := viewNamed("attachments") // in the contract
		read = append(read, comments, attachments)
	}
	var b pgx.Batch
	for _, v := range read {
		sql, args, err := r.contentQuery(v, customer, ids)
		if err != nil {
			return err
		}
		b.Queue(sql, args...)
	}
	b.Queue("commit")
	results := r.conn.SendBatch(ctx, &b)
	defer results.Close()
	if err := take(results, v, len(ids), page); err != nil {
		return err
	}
	if _, err := results.Exec(); err != nil {
		return err
	}
	return results.Close()
}

func (r reader) contentQuery(v view, customer string, ids []string) (string, []any, error) {
	var p parameters
	where, err := r.where(v, selection{customer: customer, ids: ids}, &p)
	if err != nil {
		return "", nil, err
	}
	return "select " + r.pageColumns(v) + " from " + r.table(v.name) + " v where " + where + v.orderBy(), p.values, nil
}

func take(results pgx.BatchResults, v view, n int, page *migration.Page) error {
	rows, err := results.Query()
	switch migration.Entity(v.name) {
	case migration.Organizations:
		page.Organizations, err = takeOrganizations(rows, err, n)
	case migration.Users:
		page.Users, err = takeUsers(rows, err, n)
	case migration.Tickets:
		page.Tickets, err = takeTickets(rows, err, n)
		if err != nil {
			return err
		}
		return takeConversations(results, page.Tickets)
	}
	return err
}
