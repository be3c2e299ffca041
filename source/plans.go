package source

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5"

	"farewell/migration"
)

const (
	// largeTable is where reading a whole table for a page is refused.
	largeTable = 100_000
	// wasteful is how many rows an ordered scan may throw away for one it keeps.
	wasteful = 10
	// samplePage is the size of the pages whose plans are looked at.
	samplePage = 100
	// assumedRowBytes stands in for the statistics of a table that was never
	// analysed.
	assumedRowBytes = 200
)

// plans looks how the planner would read this customer's pages. A page that
// reads a large table as a whole would read it again for each next page. When
// one does, nothing further is looked at: it would take too long.
func (c *checker) plans(ctx context.Context) (bool, error) {
	for _, e := range migration.Entities() {
		v, err := entityView(e)
		if err != nil {
			return false, err
		}
		r := reader{c.Source, c.shape, c.conn}
		sql, args, err := r.sizeQuery(v, selection{customer: c.customer}, samplePage)
		if err != nil {
			return false, err
		}
		if err := c.plan(ctx, v, sql, args); err != nil {
			return false, err
		}
	}
	if c.slow() {
		return false, nil
	}
	err := c.hangingPlans(ctx)
	return !c.slow(), err
}

func (c *checker) slow() bool {
	return slices.ContainsFunc(c.findings, func(f Finding) bool { return f.Override == OverrideSlowSource })
}

// hangingPlans looks at what is read by the ids of tickets.
func (c *checker) hangingPlans(ctx context.Context) error {
	tickets, err := viewNamed(string(migration.Tickets))
	if err != nil {
		return err
	}
	r := reader{c.Source, c.shape, c.conn}
	cut, _, err := r.size(ctx, tickets, selection{customer: c.customer}, samplePage)
	if err != nil {
		return err
	}
	if err := commit(ctx, c.conn); err != nil || len(cut.ids) == 0 {
		return err
	}
	for _, v := range views() {
		if v.key != "ticket_id" {
			continue
		}
		sql, args, err := r.contentQuery(v, c.customer, cut.ids)
		if err != nil {
			return err
		}
		if err := c.plan(ctx, v, sql, args); err != nil {
			return err
		}
	}
	return nil
}

// plan explains one query and judges it.
func (c *checker) plan(ctx context.Context, v view, sql string, args []any) error {
	root, err := explain(ctx, c.conn, sql, args)
	if err != nil {
		return err
	}
	name := "source paging of " + v.name
	for _, scan := range root.scans() {
		rows, err := c.rows(ctx, scan)
		if err != nil {
			return err
		}
		if rows < largeTable || !scan.readsAll(rows) {
			continue
		}
		fix, err := c.indexFor(ctx, v, scan)
		if err != nil {
			return err
		}
		c.findings = append(c.findings, Finding{
			Name: name, Fatal: true, Override: OverrideSlowSource, Fix: fix,
			Text: fmt.Sprintf("each page would read all of %s.%s, about %d rows (%s)", scan.Schema, scan.Relation, rows, strings.ToLower(scan.Type)),
		})
		return nil
	}
	c.ok(name, "by an index, or small enough without")
	return nil
}

// planNode is what is needed of EXPLAIN (FORMAT JSON); see
// https://www.postgresql.org/docs/current/sql-explain.html.
type planNode struct {
	Type      string     `json:"Node Type"`
	Schema    string     `json:"Schema"`
	Relation  string     `json:"Relation Name"`
	Alias     string     `json:"Alias"`
	Rows      float64    `json:"Plan Rows"`
	IndexCond string     `json:"Index Cond"`
	Filter    string     `json:"Filter"`
	Output    []string   `json:"Output"`
	Plans     []planNode `json:"Plans"`
}

func explain(ctx context.Context, conn *pgx.Conn, sql string, args []any) (planNode, error) {
	var text []byte
	if err := conn.QueryRow(ctx, "explain (format json, verbose) "+sql, args...).Scan(&text); err != nil {
		return planNode{}, err
	}
	var plans []struct{ Plan planNode }
	if err := json.Unmarshal(text, &plans); err != nil {
		return planNode{}, fmt.Errorf("read the plan: %w", err)
	}
	if len(plans) != 1 {
		return planNode{}, fmt.Errorf("read the plan: %d plans", len(plans))
	}
	return plans[0].Plan, nil
}

// scans lists the nodes that read a table.
func (n planNode) scans() []planNode {
	var list []planNode
	if n.Relation != "" {
		list = append(list, n)
	}
	for _, p := range n.Plans {
		list = append(list, p.scans()...)
	}
	return list
}

// equality finds a condition like "client = 'acme'" or "id = ANY (…)".
var equality = regexp.MustCompile(`[^<>!]= `)

// readsAll tells whether the scan reads a table of so many rows as a whole, or
// walks an index past the rows of all other customers.
func (n planNode) readsAll(rows int64) bool {
	switch n.Type {
	case "Seq Scan":
		return true
	case "Index Scan", "Index Only Scan":
		return n.Filter != "" && !equality.MatchString(n.IndexCond) && n.Rows*wasteful < float64(rows)
	}
	return false
}

// rows estimates how many rows the scanned table has.
func (c *checker) rows(ctx context.Context, scan planNode) (int64, error) {
	var rows int64
	err := c.conn.QueryRow(ctx, `
		select case when t.reltuples >= 0 then t.reltuples::bigint else pg_relation_size(t.oid) / $3::bigint end
		from pg_catalog.pg_class t join pg_catalog.pg_namespace n on n.oid = t.relnamespace
		where n.nspname = $1 and t.relname = $2`, scan.Schema, scan.Relation, assumedRowBytes).Scan(&rows)
	if errors.Is(err, pgx.ErrNoRows) {
		return 0, nil // a table that came and went
	}
	return rows, err
}

// indexFor writes the statement that would help: an index on the columns that
// the views show as customer_id and key.
func (c *checker) indexFor(ctx context.Context, v view, scan planNode) (string, error) {
	for _, v := range append([]view{v}, views()[1:]...) { // the view's own page also sizes what hangs off it
		columns, err := c.columnsBehind(ctx, v, scan)
		if err != nil {
			return "", err
		}
		if len(columns) > 0 {
			return fmt.Sprintf("create index concurrently on %s (%s)",
				pgx.Identifier{scan.Schema, scan.Relation}.Sanitize(), strings.Join(columns, ", ")), nil
		}
	}
	return fmt.Sprintf("show bare columns as customer_id and %s in view %s.%s, and index them together", v.key, c.Source.schema, v.name), nil
}

// output is a plain column in a plan's output: alias.column, either of them
// quoted when need be, and without the alias where there is but one table.
var output = regexp.MustCompile(`^(?:(?:"([^"]+)"|([a-z_][a-z0-9_]*))\.)?(?:"([^"]+)"|([a-z_][a-z0-9_$]*))$`)

// columnsBehind asks the planner which columns of the scanned table the view
// shows as customer_id and key; none unless the key is one.
func (c *checker) columnsBehind(ctx context.Context, v view, scan planNode) ([]string, error) {
	root, err := explain(ctx, c.conn, "select v.customer_id, v."+v.key+" from "+c.table(v.name)+" v", nil)
	if err != nil {
		return nil, err
	}
	var columns []string
	key := false
	for i, expression := range root.Output {
		m := output.FindStringSubmatch(expression)
		if m == nil {
			continue
		}
		alias, column := m[1]+m[2], m[3]+m[4]
		if slices.ContainsFunc(root.scans(), func(n planNode) bool {
			return (alias == "" || n.Alias == alias) && n.Schema == scan.Schema && n.Relation == scan.Relation
		}) {
			columns = append(columns, pgx.Identifier{column}.Sanitize())
			key = key || i == 1
		}
	}
	if !key {
		return nil, nil
	}
	return columns, nil
}
