package source

import (
	"context"
	"fmt"
	"strings"

	"github.com/jackc/pgx/v5"
)

// Hardest names the customer's tickets that are likelier than others to arrive
// otherwise than they left: the largest, those with the most comments and the
// most attachments, the oldest, and some whose subjects are in no Latin script,
// n of each at most, the hardest of each first. It reads sizes, not texts, of all comments once.
func (s *Source) Hardest(ctx context.Context, customer string, n int) ([]string, error) {
	var ids []string
	op := operation{name: "look for the hardest tickets", view: "comments", customer: customer}
	err := s.call(ctx, op, func(ctx context.Context, conn *pgx.Conn) error {
		sh, err := s.shape(ctx, conn)
		if err != nil {
			return err
		}
		sql, args, err := reader{s, sh, conn}.hardestQuery(customer, n)
		if err != nil {
			return err
		}
		rows, err := conn.Query(ctx, sql, args...)
		ids = nil // of an earlier try
		return eachRow(rows, err, func(r *row) { ids = append(ids, r.id("tickets")) })
	})
	return ids, err
}

// beyondLatin is a character after the Latin letters of all languages.
const beyondLatin = `[^\u0001-\u024f]`

const (
	bytesSaid = "sum(octet_length(v.body::text))"
	sizes     = "v.ticket_id, " + bytesSaid + " as bytes, count(*) as n"
	// someComments are enough for some hundred tickets, and read in no time.
	someComments = "5000"
)

func (r reader) hardestQuery(customer string, n int) (string, []any, error) {
	var p parameters
	from := make(map[string]string)
	for _, name := range []string{"tickets", "comments", "attachments"} {
		v, err := viewNamed(name)
		if err != nil {
			return "", nil, err
		}
		where, err := r.where(v, selection{customer: customer}, &p)
		if err != nil {
			return "", nil, err
		}
		from[name] = r.table(name) + " v where " + where
	}
	p.values = append(p.values, n)
	first := func(query string) string {
		return fmt.Sprintf("select k.id, row_number() over () from (%s limit $%d) k(id)", query, len(p.values))
	}
	kinds := []string{
		first("select ticket_id from said order by bytes desc nulls last, ticket_id"),
		first("select ticket_id from said order by n desc, ticket_id"),
		first("select v.ticket_id from " + from["attachments"] + " group by v.ticket_id order by count(*) desc, v.ticket_id"),
		first("select v.id from " + from["tickets"] + " order by v.created_at, v.id"),
		first("select v.id from " + from["tickets"] + " and v.subject ~ '" + beyondLatin + "' order by v.id"),
	}
	// A ticket with less than the last of the n largest of some has no place
	// among all: only those with more are kept and sorted.
	least := func(what string) string {
		return fmt.Sprintf("coalesce((select %[1]s from some_said order by %[1]s desc nulls last offset greatest($%[2]d::bigint - 1, 0) limit 1), 0)", what, len(p.values))
	}
	return `with some_said as materialized (
		select ` + sizes + ` from (select v.ticket_id, v.body from ` + from["comments"] + ` limit ` + someComments + `) v group by v.ticket_id),
		said as materialized (
		select ` + sizes + ` from ` + from["comments"] + ` group by v.ticket_id having ` + bytesSaid + ` >= ` + least("bytes") + ` or count(*) >= ` + least("n") + `)
		select h.id::text from (` + strings.Join(kinds, " union all ") + `) h(id, place) where h.id is not null
		group by h.id order by min(h.place), h.id`, p.values, nil
}
