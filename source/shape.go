package source

import (
	"context"
	"fmt"
	"slices"

	"github.com/jackc/pgx/v5"
)

// shape is what the views look like at this source: view → column → type.
type shape map[string]map[string]columnType

type columnType struct {
	name    string // as Postgres writes it: "timestamp without time zone"
	base    string // the type's own name, below any domain: "int8"
	isEnum  bool
	unequal bool // a collation under which different texts are equal
}

// readShape asks the catalogue. A view that the role may not see is missing.
func readShape(ctx context.Context, conn *pgx.Conn, schema string) (shape, error) {
	rows, err := conn.Query(ctx, `
		select c.relname::text, a.attname::text, format_type(a.atttypid, a.atttypmod),
		       b.typname::text, b.typtype = 'e', not coalesce(l.collisdeterministic, true)
		from pg_catalog.pg_namespace n
		join pg_catalog.pg_class c on c.relnamespace = n.oid and c.relkind in ('v', 'm', 'r', 'p', 'f')
		join pg_catalog.pg_attribute a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
		join pg_catalog.pg_type t on t.oid = a.atttypid
		join pg_catalog.pg_type b on b.oid = case when t.typtype = 'd' then t.typbasetype else t.oid end
		left join pg_catalog.pg_collation l on l.oid = a.attcollation
		where n.nspname = $1`, schema)
	if err != nil {
		return nil, err
	}
	found := shape{}
	var table, name string
	var t columnType
	_, err = pgx.ForEachRow(rows, []any{&table, &name, &t.name, &t.base, &t.isEnum, &t.unequal}, func() error {
		if found[table] == nil {
			found[table] = map[string]columnType{}
		}
		found[table][name] = t
		return nil
	})
	return found, err
}

// shape returns what is known of the views, asking once.
func (s *Source) shape(ctx context.Context, conn *pgx.Conn) (shape, error) {
	s.mu.Lock()
	known := s.known
	s.mu.Unlock()
	if known != nil {
		return known, nil
	}
	found, err := readShape(ctx, conn, s.schema)
	if err != nil {
		return nil, err
	}
	for _, v := range views() {
		if problems := found.problems(s.schema, v); len(problems) > 0 {
			return nil, problems[0]
		}
	}
	s.mu.Lock()
	s.known = found
	s.mu.Unlock()
	return found, nil
}

// problems are what keeps a view from being read, each with what to do.
func (sh shape) problems(schema string, v view) []*refusal {
	have, ok := sh[v.name]
	if !ok {
		return []*refusal{{fmt.Sprintf("view %s.%s does not exist", schema, v.name), "create it as docs/source-views.md shows, and grant select on it"}}
	}
	var problems []*refusal
	for _, c := range v.columns {
		t, ok := have[c.name]
		if !ok && c.optional {
			continue
		}
		if !ok {
			problems = append(problems, &refusal{fmt.Sprintf("view %s.%s has no column %s", schema, v.name, c.name),
				fmt.Sprintf("add the column to the view; where there is nothing to show: null::%s as %s", c.kind.sample(), c.name)})
			continue
		}
		if p := c.check(schema, v.name, t); p != nil {
			problems = append(problems, p)
		}
	}
	return append(problems, sh.mismatches(schema, v)...)
}

// has tells whether the view shows the column.
func (sh shape) has(v view, column string) bool {
	_, ok := sh[v.name][column]
	return ok
}

// columns are those of the contract that the view shows.
func (sh shape) columns(v view) []column {
	return slices.DeleteFunc(slices.Clone(v.columns), func(c column) bool { return !sh.has(v, c.name) })
}

// shows tells whether the source has the column without which there are no
// records of this kind.
func (sh shape) shows(v view) bool { return v.needs == "" || sh.has(v, v.needs) }

// mismatches are keys that are compared across views but have types that do
// not compare.
func (sh shape) mismatches(schema string, v view) []*refusal {
	var problems []*refusal
	compare := func(column, otherView, otherColumn string) {
		a, b := sh[v.name][column], sh[otherView][otherColumn]
		if a.idCast() != "" && b.idCast() != "" && a.idCast() != b.idCast() {
			problems = append(problems, &refusal{
				fmt.Sprintf("column %s of view %s.%s is of type %s, but %s of view %s is of type %s", column, schema, v.name, a.name, otherColumn, otherView, b.name),
				"show both with the same type",
			})
		}
	}
	if v.name != "customers" {
		compare(customerID, "customers", "id")
	}
	if v.key == "ticket_id" {
		compare("ticket_id", "tickets", "id")
	}
	return problems
}

// check tells whether a column's type can be read.
func (c column) check(schema, view string, t columnType) *refusal {
	what := fmt.Sprintf("column %s of view %s.%s is of type %s", c.name, schema, view, t.name)
	ok := false
	switch c.kind {
	case kindID:
		ok = t.idCast() != ""
		if ok && t.unequal {
			return &refusal{fmt.Sprintf("column %s of view %s.%s has a collation under which different ids are equal", c.name, schema, view),
				fmt.Sprintf(`show it as %s collate "C", with an index of that collation`, c.name)}
		}
	case kindText:
		ok = t.isEnum || t.base == "text" || t.base == "varchar" || t.base == "citext" || t.base == "name"
	case kindTime:
		if t.base == "timestamp" {
			return &refusal{what, fmt.Sprintf("say in the view which zone it means: %s at time zone 'UTC' as %s", c.name, c.name)}
		}
		ok = t.base == "timestamptz"
	case kindTags:
		ok = t.base == "_text" || t.base == "_varchar"
	case kindIDs:
		switch t.base {
		case "_int8", "_int4", "_int2", "_uuid", "_text", "_varchar":
			ok = true
		}
	case kindJSON:
		ok = t.base == "jsonb"
	case kindBool:
		ok = t.base == "bool"
	case kindInteger:
		ok = t.base == "int2" || t.base == "int4" || t.base == "int8"
	case kindBytes:
		ok = t.base == "bytea"
	}
	if !ok {
		return &refusal{what, fmt.Sprintf("show it as %s", c.kind.wanted())}
	}
	return nil
}

// wanted is the contract's word for what a column may be.
func (k kind) wanted() string {
	switch k {
	case kindID:
		return "bigint, uuid or text (a cast in the view would defeat the index: choose the type that the table has, or index the expression)"
	case kindText:
		return "text"
	case kindTime:
		return "timestamptz"
	case kindTags:
		return "text[]"
	case kindIDs:
		return "bigint[], uuid[] or text[]"
	case kindJSON:
		return "jsonb"
	case kindBool:
		return "boolean"
	case kindBytes:
		return "bytea"
	default:
		return "bigint"
	}
}

// sample is one type that a column may have.
func (k kind) sample() string {
	if k == kindID {
		return "text"
	}
	return k.wanted()
}

// idCast is the type that parameters are cast to when they are compared with
// the column; empty: not a type for ids. The column itself is never cast, so
// that its index stays in use.
func (t columnType) idCast() string {
	switch t.base {
	case "int2", "int4", "int8":
		return "bigint"
	case "uuid":
		return "uuid"
	case "text", "varchar":
		return "text"
	}
	return ""
}
