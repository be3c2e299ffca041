package source

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"

	"farewell/migration"
)

// Count counts the customer's records of an entity.
func (s *Source) Count(ctx context.Context, customer string, e migration.Entity) (int64, error) {
	var n int64
	op := operation{name: "count the records", view: string(e), customer: customer}
	err := s.onEntity(ctx, op, e, selection{customer: customer}, func(ctx context.Context, conn *pgx.Conn, from string, args []any) error {
		return conn.QueryRow(ctx, "select count(*) "+from, args...).Scan(&n)
	})
	return n, err
}

// Cut divides the customer's records of an entity into partitions of size
// records, in the order of their ids. The last one is open-ended and holds
// what remains. There is always at least one, with zero records if need be;
// none only where the source's views have no column for such records.
func (s *Source) Cut(ctx context.Context, customer string, e migration.Entity, size int) ([]migration.Partition, error) {
	op := operation{name: "plan the partitions", view: string(e), customer: customer}
	var partitions []migration.Partition
	err := s.onEntity(ctx, op, e, selection{customer: customer}, func(ctx context.Context, conn *pgx.Conn, from string, args []any) error {
		if size < 1 {
			return &refusal{fmt.Sprintf("partitions of %d records", size), "ask for at least one"}
		}
		args = append(args, size)
		rows, err := conn.Query(ctx, fmt.Sprintf(`
			select k.id::text, k.n, k.last
			from (select v.id, row_number() over w as n, lead(v.id) over w is null as last %s window w as (order by v.id)) k
			where k.n %% $%d = 0 or k.last order by k.n`, from, len(args)), args...)
		var total int64
		after := ""
		add := func(upTo string, rows int64) {
			id := migration.PartitionID(e, len(partitions)+1)
			partitions = append(partitions, migration.Partition{ID: id, Entity: e, After: after, UpTo: upTo, Rows: rows})
			after = upTo
		}
		err = eachRow(rows, err, func(r *row) {
			id, n, last := r.id(string(e)), r.integer(), r.bool()
			if !last {
				add(id, n-total)
				total = n
				return
			}
			add("", n-total)
		})
		if err == nil && len(partitions) == 0 {
			add("", 0)
		}
		return err
	})
	return partitions, err
}

// IDs lists the records of a partition in key order, without content. A
// partition made by migration.OnDemand has no range and lists none.
func (s *Source) IDs(ctx context.Context, customer string, p migration.Partition) ([]migration.Listed, error) {
	if p.IsOnDemand() {
		return nil, nil
	}
	op := operation{name: "list the ids", view: string(p.Entity), customer: customer}
	var listed []migration.Listed
	sel := selection{customer: customer, after: p.After, upTo: p.UpTo}
	err := s.onEntity(ctx, op, p.Entity, sel, func(ctx context.Context, conn *pgx.Conn, from string, args []any) error {
		var err error
		listed, err = readListed(ctx, conn, p, from, args)
		return err
	})
	return listed, err
}

func readListed(ctx context.Context, conn *pgx.Conn, p migration.Partition, from string, args []any) ([]migration.Listed, error) {
	view := string(p.Entity)
	listed := make([]migration.Listed, 0, p.Rows) // as many as there were when the plan was made
	rows, err := conn.Query(ctx, "select v.id::text, v.created_at, v.updated_at "+from+" order by v.id", args...)
	err = eachRow(rows, err, func(r *row) {
		l := migration.Listed{ID: r.id(view), CreatedAt: r.time(), UpdatedAt: r.time()}
		if n := len(listed); n > 0 && listed[n-1].ID == l.ID {
			r.fail(twice(view, l.ID))
		}
		listed = append(listed, l)
	})
	return listed, err
}

// onEntity runs one query on the selected records of an entity; the work is
// given the "from … where …" clause and its arguments. Where the views have no
// column for such records, there is nothing to run.
func (s *Source) onEntity(ctx context.Context, op operation, e migration.Entity, sel selection,
	work func(ctx context.Context, conn *pgx.Conn, from string, args []any) error,
) error {
	return s.call(ctx, op, func(ctx context.Context, conn *pgx.Conn) error {
		v, err := entityView(e)
		if err != nil {
			return &refusal{err.Error(), "this is a defect of the caller"}
		}
		sh, err := s.shape(ctx, conn)
		if err != nil || !sh.shows(v) {
			return err
		}
		var p parameters
		where, err := sh.where(v, sel, &p)
		if err != nil {
			return err
		}
		return work(ctx, conn, "from "+s.table(v.name)+" v where "+where, p.values)
	})
}
