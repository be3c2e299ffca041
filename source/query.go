package source

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"time"
)

// selection is which rows of a view are meant.
type selection struct {
	customer string
	after    string    // key column > after; empty: from the beginning
	upTo     string    // key column <= upTo; empty: to the end
	ids      []string  // key column is one of them; nil: any
	asOf     time.Time // not made later; zero: whenever
}

// binder puts a value into a statement and returns the SQL that stands for it.
type binder interface {
	bind(value, cast string) string
}

// parameters binds values as $1, $2, …
type parameters struct{ values []any }

func (p *parameters) bind(value, cast string) string {
	p.values = append(p.values, value)
	return "$" + strconv.Itoa(len(p.values)) + "::" + cast
}

// literals binds values as quoted literals, for statements that take no
// parameters (COPY). It relies on standard_conforming_strings, which every
// session sets.
type literals struct{}

func (literals) bind(value, cast string) string {
	return "'" + strings.ReplaceAll(value, "'", "''") + "'::" + cast
}

// where is the condition that selects the rows of a view named v.
func (sh shape) where(v view, sel selection, b binder) (string, error) {
	columns := sh[v.name]
	customer, err := columns[customerID].value("customer", sel.customer)
	if err != nil {
		return "", err
	}
	cast := columns[v.key].idCast()
	key := "v." + v.key
	conditions := []string{"v.customer_id = " + b.bind(customer, columns[customerID].idCast())}
	if sel.after != "" {
		after, err := columns[v.key].value(v.name, sel.after)
		if err != nil {
			return "", err
		}
		conditions = append(conditions, key+" > "+b.bind(after, cast))
	}
	if sel.upTo != "" {
		upTo, err := columns[v.key].value(v.name, sel.upTo)
		if err != nil {
			return "", err
		}
		conditions = append(conditions, key+" <= "+b.bind(upTo, cast))
	}
	if sel.ids != nil {
		list, err := columns[v.key].array(v.name, sel.ids)
		if err != nil {
			return "", err
		}
		conditions = append(conditions, key+" = any("+b.bind(list, cast+"[]")+")")
	}
	if v.only != "" && sel.ids == nil {
		conditions = append(conditions, v.only)
	}
	if !sel.asOf.IsZero() {
		// A row without a time is as old as any.
		conditions = append(conditions, "(v.created_at > "+b.bind(sel.asOf.UTC().Format(time.RFC3339Nano), "timestamptz")+") is not true")
	}
	return strings.Join(conditions, " and "), nil
}

var uuidForm = regexp.MustCompile(`^[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}$`)

// value checks that an id can be compared with the column, so that the server
// need not refuse it.
func (t columnType) value(what, id string) (string, error) {
	var ok bool
	switch t.idCast() {
	case "bigint":
		_, err := strconv.ParseInt(id, 10, 64)
		ok = err == nil
	case "uuid":
		ok = uuidForm.MatchString(id)
	default:
		ok = !strings.ContainsRune(id, 0)
	}
	if !ok {
		return "", &refusal{fmt.Sprintf("the id %q (%s) is not a %s, as the source's ids are", id, what, t.idCast()), "check the spelling"}
	}
	return id, nil
}

// array is Postgres's text form of a list of ids.
func (t columnType) array(what string, ids []string) (string, error) {
	escape := strings.NewReplacer(`\`, `\\`, `"`, `\"`)
	var b strings.Builder
	b.WriteByte('{')
	for i, id := range ids {
		if _, err := t.value(what, id); err != nil {
			return "", err
		}
		if i > 0 {
			b.WriteByte(',')
		}
		b.WriteByte('"')
		b.WriteString(escape.Replace(id))
		b.WriteByte('"')
	}
	b.WriteByte('}')
	return b.String(), nil
}

// orderBy is the view's own order.
func (v view) orderBy() string {
	columns := make([]string, len(v.order))
	for i, name := range v.order {
		columns[i] = "v." + name
	}
	return " order by " + strings.Join(columns, ", ")
}

// pageColumns selects the view's columns, without customer_id, in the forms
// that row understands; NULL stands for those that this source does without. Of
// bytes, a page only tells whether they are there.
func (sh shape) pageColumns(v view) string {
	return v.selectColumns(func(c column) string {
		if !sh.has(v, c.name) {
			return "null"
		}
		switch c.kind {
		case kindID, kindText, kindJSON:
			return "v." + c.name + "::text"
		case kindIDs:
			return "v." + c.name + "::text[]"
		case kindInteger:
			return "v." + c.name + "::bigint"
		case kindBytes:
			return "(v." + c.name + " is not null)"
		default:
			return "v." + c.name
		}
	})
}

func (v view) selectColumns(expression func(column) string) string {
	var list []string
	for _, c := range v.columns {
		if c.name != customerID {
			list = append(list, expression(c))
		}
	}
	return strings.Join(list, ", ")
}
