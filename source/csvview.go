package source

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"

	"farewell/migration"
)

// ticketTags is the CSV file of the tickets' tags, a row for each: a list in
// one cell helps nobody in a spreadsheet. It has no view of its own.
const ticketTags = "ticket_tags"

// csvViews lists what CopyPart can stream, in the order in which readers with
// foreign keys want it.
func csvViews() []string {
	return []string{"organizations", "users", "tickets", ticketTags, "comments", "attachments"}
}

// csvColumn is a column of a CSV file and how it is selected.
type csvColumn struct {
	migration.Column
	sql string
}

// csvColumnsOf lists the columns of a CSV file, in order: those of its view
// without customer_id, and without the tags of tickets.
func (sh shape) csvColumnsOf(name string) ([]csvColumn, error) {
	if name == ticketTags {
		id := sh["tickets"]["id"].csvType(kindID)
		return []csvColumn{
			{migration.Column{Name: "ticket_id", Type: id}, "v.id" + cast(id) + " as ticket_id"},
			{migration.Column{Name: "position", Type: migration.ColumnInteger}, "t.position"},
			{migration.Column{Name: "tag", Type: migration.ColumnString}, "t.tag"},
		}, nil
	}
	v, err := viewNamed(name)
	if err != nil {
		return nil, err
	}
	var columns []csvColumn
	for _, c := range v.columns {
		if c.name == customerID || !sh.has(v, c.name) || (name == "tickets" && c.kind == kindTags) || fetched(name, c.name) {
			continue
		}
		t := sh[v.name][c.name].csvType(c.kind)
		columns = append(columns, csvColumn{migration.Column{Name: c.name, Type: t}, c.csvExpression(t) + " as " + c.name})
	}
	return columns, nil
}

// fetched tells whether a column only says where a file's bytes are and what
// they should be: the bundle has the bytes themselves.
func fetched(view, column string) bool {
	return view == "attachments" && (column == "blob_key" || column == "content" || column == "sha256")
}

// csvExpression selects a column for a bundle: whole numbers as bigint, UUIDs as
// such, and all else as text: times in RFC 3339 UTC, tags as a JSON array, true
// and false spelt out.
func (c column) csvExpression(t migration.ColumnType) string {
	switch c.kind {
	case kindTime:
		return `to_char(v.` + c.name + ` at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')`
	case kindTags, kindIDs:
		return "array_to_json(v." + c.name + ")::text"
	}
	return "v." + c.name + cast(t)
}

// cast makes a column's values what stream takes them for, even when the view
// has changed since its columns were looked at. It costs nothing where it
// changes nothing.
func cast(t migration.ColumnType) string {
	switch t {
	case migration.ColumnInteger:
		return "::bigint"
	case migration.ColumnUUID:
		return "::uuid"
	}
	return "::text"
}

// csvType is what the column's cells hold at this source: ids are what the
// customer's database says.
func (t columnType) csvType(k kind) migration.ColumnType {
	switch k {
	case kindTime:
		return migration.ColumnDatetime
	case kindTags, kindIDs:
		return migration.ColumnArray
	case kindJSON:
		return migration.ColumnObject
	case kindBool:
		return migration.ColumnBoolean
	case kindInteger:
		return migration.ColumnInteger
	case kindID:
		switch t.idCast() {
		case "bigint":
			return migration.ColumnInteger
		case "uuid":
			return migration.ColumnUUID
		}
	}
	return migration.ColumnString
}

// Columns lists, for every view that CopyPart can stream, the columns of its
// CSV in their order, the id first or, for ticket_tags, the ticket's.
func (s *Source) Columns(ctx context.Context) (map[string][]migration.Column, error) {
	all := map[string][]migration.Column{}
	err := s.call(ctx, operation{name: "look at the views' columns"}, func(ctx context.Context, conn *pgx.Conn) error {
		sh, err := s.shape(ctx, conn)
		if err != nil {
			return err
		}
		for _, name := range csvViews() {
			columns, err := sh.csvColumnsOf(name)
			if err != nil {
				return err
			}
			for _, c := range columns {
				all[name] = append(all[name], c.Column)
			}
		}
		return nil
	})
	return all, err
}

// csvSelect is the statement whose rows are a view's CSV, with the columns that
// csvColumnsOf lists.
func (sh shape) csvSelect(schema, name string, columns []csvColumn, sel selection) (string, error) {
	of := name
	if name == ticketTags {
		of = "tickets"
	}
	v, err := viewNamed(of)
	if err != nil {
		return "", err
	}
	where, err := sh.where(v, sel, literals{})
	if err != nil {
		return "", err
	}
	list := ""
	for i, c := range columns {
		if i > 0 {
			list += ", "
		}
		list += c.sql
	}
	from := pgx.Identifier{schema, v.name}.Sanitize() + " v"
	order := v.orderBy()
	if name == ticketTags {
		from += " cross join lateral unnest(v.tags) with ordinality as t(tag, position)"
		order = " order by v.id, t.position"
	}
	return fmt.Sprintf("select %s from %s where %s%s", list, from, where, order), nil
}

// Selects are the statements that stream all of a customer's records, by view,
// as CopyPart does for a part of them: for who wants to compare.
func (s *Source) Selects(ctx context.Context, customer string) (map[string]string, error) {
	all := map[string]string{}
	err := s.call(ctx, operation{name: "write down the statements", customer: customer}, func(ctx context.Context, conn *pgx.Conn) error {
		sh, err := s.shape(ctx, conn)
		if err != nil {
			return err
		}
		for _, name := range csvViews() {
			columns, err := sh.csvColumnsOf(name)
			if err != nil {
				return err
			}
			if all[name], err = sh.csvSelect(s.schema, name, columns, selection{customer: customer}); err != nil {
				return err
			}
		}
		return nil
	})
	return all, err
}
