package csvbundle

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"

	"farewell/integration/postgrestest"
)

// hostile is text that CSV readers and writers are known to damage.
func hostile() []string {
	return []string{
		"", " ", "plain", "a,b", `"`, `""`, `say "hi"`, `"quoted"`, "\n", "\r", "\r\n", "a\nb", "a\rb", "a\r\nb", "\r\n\r\n",
		"ends in CR\r", "ends in LF\n", ",", ",,", `","`, `\.`, "\\.\n", `\N`, "NULL", "null", "'", ";", "\t", "a\tb",
		"=1+1", "+1", "-1", "@sum(1)", "'=1", "=cmd|' /C calc'!A0", "#comment",
		"Ünïcödé", "日本語", "العربية", "👩‍👩‍👧", "\u2028\u2029\u0085", "\ufeff", "\u200b", "e\u0301",
		"\x01\x1f\x7f\v\f", "001", "1e5", "2026-01-02", "TRUE",
		strings.Repeat("long \"text\",\r\n", 70_000),
	}
}

// publishFromPostgres fills a table with hostile text and NULLs, and publishes
// it in two parts as comments.
func publishFromPostgres(t *testing.T) (*Bundle, *pgx.Conn) {
	t.Helper()
	ctx := context.Background()
	conn, err := pgx.Connect(ctx, postgrestest.New(t))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close(ctx) }) // the database goes away next
	if _, err := conn.Exec(ctx, `create table comments (id int primary key, ticket_id text, body text)`); err != nil {
		t.Fatal(err)
	}
	id := 0
	for i, text := range hostile() {
		for _, row := range [][2]*string{{&text, nil}, {nil, &text}, {&text, &hostile()[len(hostile())-2-i%10]}} {
			id++
			if _, err := conn.Exec(ctx, `insert into comments values ($1, $2, $3)`, id, row[0], row[1]); err != nil {
				t.Fatal(err)
			}
		}
	}
	b := openAt(t, t.TempDir())
	parts := []part{makePart(1, 0, "", ""), makePart(2, 0, "", "")}
	for i, p := range parts {
		_, err := writeViews(ctx, b, p.in, []string{"comments"}, func(ctx context.Context, _ string, w io.Writer) (int64, error) {
			tag, err := conn.PgConn().CopyTo(ctx, w, fmt.Sprintf(
				`copy (select * from comments where (id > 50) = (%d = 1) order by id) to stdout (format csv)`, i))
			return tag.RowsAffected(), err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	if published := publish(t, b, parts...); published.Rows["comments"] != int64(id) {
		t.Fatalf("published %v, the table has %d rows", published.Rows, id)
	}
	return b, conn
}

func TestPostgresReadsBackEveryCell(t *testing.T) {
	t.Parallel()
	b, conn := publishFromPostgres(t)
	ctx := context.Background()
	if _, err := conn.Exec(ctx, `create table back (like comments)`); err != nil {
		t.Fatal(err)
	}
	f, err := os.Open(filepath.Join(b.target(), "comments.csv"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if _, err := conn.PgConn().CopyFrom(ctx, f, `copy back from stdin (format csv, header match)`); err != nil {
		t.Fatal(err)
	}
	var rows, differing int
	err = conn.QueryRow(ctx, `select count(*), count(*) filter (where c.id is null or b.id is null
		or c.ticket_id is distinct from b.ticket_id or c.body is distinct from b.body)
		from comments c full join back b using (id)`).Scan(&rows, &differing)
	if err != nil || rows != 3*len(hostile()) || differing != 0 {
		t.Fatalf("%d of %d rows differ (%v)", differing, rows, err)
	}
}

func TestPythonReadsBackEveryCell(t *testing.T) {
	t.Parallel()
	b, conn := publishFromPostgres(t)
	python, err := exec.LookPath("python3")
	if err != nil {
		t.Fatalf("this test reads the bundle with Python's csv module: install python3 (%v)", err)
	}
	var stderr bytes.Buffer
	cmd := exec.Command(python, "-c", `
import csv, json, sys
csv.field_size_limit(2**31 - 1)
with open(sys.argv[1], newline="", encoding="utf-8") as f:
    json.dump(list(csv.reader(f)), sys.stdout)
`, filepath.Join(b.target(), "comments.csv"))
	cmd.Stderr = &stderr
	output, err := cmd.Output()
	if err != nil {
		t.Fatalf("%v\n%s", err, &stderr)
	}
	var found [][]string
	if err := json.Unmarshal(output, &found); err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(found[0], columns("comments")) {
		t.Fatalf("header %q", found[0])
	}
	wantCells(t, conn, len(found)-1, func(row, column int) *string { return &found[row+1][column] }, func(want *string) *string {
		if want == nil {
			return new(string) // Python does not tell NULL from the empty text
		}
		return want
	})
}

func TestOurReaderReadsBackEveryCell(t *testing.T) {
	t.Parallel()
	b, conn := publishFromPostgres(t)
	f, err := os.Open(filepath.Join(b.target(), "comments.csv"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	var found [][]cell
	for r := newReader(f); ; {
		row, err := r.read()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		found = append(found, row)
	}
	wantCells(t, conn, len(found)-1, func(row, column int) *string {
		if c := found[row+1][column]; !c.null {
			return &c.text
		}
		return nil
	}, func(want *string) *string { return want })
}

// wantCells compares every cell with the table's, after both were seen as the
// reader sees them.
func wantCells(t *testing.T, conn *pgx.Conn, rows int, found func(row, column int) *string, as func(*string) *string) {
	t.Helper()
	if rows != 3*len(hostile()) {
		t.Fatalf("%d rows were read, the table has %d", rows, 3*len(hostile()))
	}
	table, err := conn.Query(context.Background(), `select id::text, ticket_id, body from comments order by comments.id`)
	if err != nil {
		t.Fatal(err)
	}
	cells, err := pgx.CollectRows(table, func(row pgx.CollectableRow) (cells [3]*string, err error) {
		return cells, row.Scan(&cells[0], &cells[1], &cells[2])
	})
	if err != nil {
		t.Fatal(err)
	}
	for r := range cells {
		for c, want := range cells[r] {
			want, got := as(want), found(r, c)
			if (want == nil) != (got == nil) || (want != nil && *want != *got) {
				t.Errorf("row %d, column %d: the cell differs", r+1, c+1)
			}
		}
	}
}

func TestReaderRefusesDamagedRecords(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct{ name, text string }{
		{"no line feed at the end", "a,b"},
		{"open quote", "\"a\nb"},
		{"closing quote at the very end", `"a"`},
		{"quote inside", "a\"b\n"},
		{"text after a quote", "\"a\"b\n"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			record, err := newReader(strings.NewReader(tc.text)).read()
			if err == nil || errors.Is(err, io.EOF) {
				t.Fatalf("read %v, %v", record, err)
			}
		})
	}
}
