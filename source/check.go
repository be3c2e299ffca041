package source

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/jackc/pgx/v5"
)

// OverrideSlowSource is the word by which an operator accepts plans that read
// whole tables.
const OverrideSlowSource = "slow-source"

// Finding is one thing that Check looked at.
type Finding struct {
	Name     string // what was looked at: "source view tickets"
	OK       bool
	Fatal    bool   // a run must not start
	Override string // the word that lets it start nonetheless; empty: none
	Text     string // what was found; no customer's data but ids
	Fix      string // what the reader can do; empty when OK
}

// Check looks whether the customer's records can be read, and writes nothing:
// the connection, the six views with their columns and types, the customer,
// ids that a cursor would lose, and the plans by which pages are read. What it
// finds wrong is in the findings; an error means that it could not look, and
// that trying again may help.
func (s *Source) Check(ctx context.Context, customer string) ([]Finding, error) {
	var findings []Finding
	op := operation{name: "check the source", customer: customer}
	s.mu.Lock()
	s.known = nil // somebody may have corrected the views since
	s.mu.Unlock()
	err := s.call(ctx, op, func(ctx context.Context, conn *pgx.Conn) error {
		c := checker{Source: s, conn: conn, customer: customer}
		err := c.run(ctx)
		findings = c.findings
		return err
	})
	var e *Error
	if errors.As(err, &e) && e.Permanent {
		findings = append(findings, Finding{Name: "source", Fatal: true, Text: e.what, Fix: e.advice})
		return findings, nil
	}
	return findings, err
}

type checker struct {
	*Source
	shape
	conn     *pgx.Conn
	customer string
	findings []Finding
}

func (c *checker) ok(name, format string, args ...any) {
	c.findings = append(c.findings, Finding{Name: name, OK: true, Text: fmt.Sprintf(format, args...)})
}

func (c *checker) refuse(name string, r *refusal) {
	c.findings = append(c.findings, Finding{Name: name, Fatal: true, Text: r.what, Fix: r.advice})
}

// run goes on as far as looking further makes sense.
func (c *checker) run(ctx context.Context) error {
	for _, step := range []func(context.Context) (bool, error){c.connection, c.views, c.exists, c.plans, c.keys} {
		if goOn, err := step(ctx); err != nil || !goOn {
			return err
		}
	}
	return nil
}

func (c *checker) connection(ctx context.Context) (bool, error) {
	var version, database, role string
	err := c.conn.QueryRow(ctx, "select current_setting('server_version'), current_database()::text, current_user::text").
		Scan(&version, &database, &role)
	if err == nil {
		c.ok("source connection", "Postgres %s, database %s, as %s, read only", version, database, role)
	}
	return true, err
}

// views names everything that is missing at once: an operator should not have
// to come back for each column.
func (c *checker) views(ctx context.Context) (bool, error) {
	found, err := readShape(ctx, c.conn, c.schema)
	if err != nil {
		return false, err
	}
	c.shape = found
	sound := true
	for _, v := range views() {
		name := "source view " + v.name
		problems := found.problems(c.Source.schema, v)
		denied, err := c.denied(ctx, v)
		if err != nil {
			return false, err
		}
		if denied && len(problems) == 0 {
			problems = []*refusal{{"the role may not read the view", fmt.Sprintf("grant usage on schema %s and select on %s", c.Source.schema, c.table(v.name))}}
		}
		for _, p := range problems {
			c.refuse(name, p)
			sound = false
		}
		if len(problems) == 0 {
			c.ok(name, "%d columns as expected", len(found.columns(v)))
		}
	}
	return sound, nil
}

func (c *checker) denied(ctx context.Context, v view) (bool, error) {
	if c.shape[v.name] == nil {
		return false, nil
	}
	var granted bool
	err := c.conn.QueryRow(ctx, "select has_schema_privilege($1, 'usage') and has_table_privilege($2, 'select')", c.Source.schema, c.table(v.name)).Scan(&granted)
	return !granted, err
}

func (c *checker) exists(ctx context.Context) (bool, error) {
	id := c.shape["customers"]["id"]
	customer, err := id.value("customer", c.customer)
	if err != nil {
		return false, err
	}
	var there int
	sql := "select count(*) from (select from " + c.table("customers") + " v where v.id = $1::" + id.idCast() + " limit 2) c"
	if err := c.conn.QueryRow(ctx, sql, customer).Scan(&there); err != nil {
		return false, err
	}
	switch there {
	case 0:
		c.refuse("source customer", &refusal{fmt.Sprintf("the view customers has no customer %s", c.customer), "check the spelling in the accounts file and in the command"})
	case 1:
		c.ok("source customer", "customer %s is there", c.customer)
	default:
		c.refuse("source customer", &refusal{fmt.Sprintf("the view customers has customer %s more than once", c.customer), "show each customer once"})
	}
	return there == 1, nil
}

// keys looks for records that have no id, or an empty one: no cursor passes
// over them.
func (c *checker) keys(ctx context.Context) (bool, error) {
	var without []string
	for _, v := range views() {
		if v.name == "customers" {
			continue
		}
		var p parameters
		where, err := c.where(v, selection{customer: c.customer}, &p)
		if err != nil {
			return false, err
		}
		lost := "v." + v.key + " is null"
		if c.shape[v.name][v.key].idCast() == "text" {
			lost = "(" + lost + " or v." + v.key + " = '')"
		}
		var found bool
		sql := "select exists (select from " + c.table(v.name) + " v where " + where + " and " + lost + ")"
		if err := c.conn.QueryRow(ctx, sql, p.values...).Scan(&found); err != nil {
			return false, err
		}
		if found {
			without = append(without, v.name+"."+v.key)
		}
	}
	if len(without) > 0 {
		c.refuse("source ids", &refusal{"rows without an id: " + strings.Join(without, ", "), "give the rows an id, or leave them out of the views"})
		return true, nil
	}
	c.ok("source ids", "every row has one")
	return true, nil
}
