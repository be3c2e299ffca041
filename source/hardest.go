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
// n of each at most. It reads sizes, not texts, of all comments once.
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
	limit := fmt.Sprintf(" limit $%d)", len(p.values))
	kinds := []string{
		"(select ticket_id from said order by bytes desc, ticket_id" + limit,
		"(select ticket_id from said order by n desc, ticket_id" + limit,
		"(select v.ticket_id from " + from["attachments"] + " group by v.ticket_id order by count(*) desc, v.ticket_id" + limit,
		"(select v.id from " + from["tickets"] + " order by v.created_at, v.id" + limit,
		"(select v.id from " + from["tickets"] + " and v.subject ~ '" + beyondLatin + "' order by v.id" + limit,
	}
	return `with said as materialized (
		select v.ticket_id, sum(octet_length(v.body::text)) as bytes, count(*) as n from ` + from["comments"] + ` group by v.ticket_id)
		select distinct h.id::text from (` + strings.Join(kinds, " union all ") + `) h(id) where h.id is not null`, p.values, nil
}
