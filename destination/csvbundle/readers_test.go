package csvbundle

import (
	"bytes"
	"context"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
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
		"=1+1", "+1", "-1", "@sum(1)", "'=1", "'''-1", "'tis", "''", "=", "-", "'\t", "\"=1\"", "-\"\"", "'\"=", " =1", "－1", "=cmd|' /C calc'!A0", "#comment",
		"Ünïcödé", "日本語", "العربية", "👩‍👩‍👧", "\u2028\u2029\u0085", "\ufeff", "\u200b", "e\u0301",
		"\x01\x1f\x7f\v\f", "001", "1e5", "2026-01-02", "TRUE",
		strings.Repeat("long \"text\",\r\n", 70_000),
	}
}

// published is a bundle of hostile text, and what the source's table holds.
type published struct {
	path string // of the file with the comments
	raw  bool
	want [][]*string
	conn *pgx.Conn
}

// publishFromPostgres fills a table with hostile text and NULLs, and publishes
// it in two parts as comments.
func publishFromPostgres(t *testing.T, query string) published {
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
	var want [][]*string
	for i, text := range hostile() {
		for _, row := range [][2]*string{{&text, nil}, {nil, &text}, {&text, &hostile()[len(hostile())-2-i%10]}} {
			id := strconv.Itoa(len(want) + 1)
			want = append(want, []*string{&id, row[0], row[1]})
			if _, err := conn.Exec(ctx, `insert into comments values ($1::text::int, $2, $3)`, id, row[0], row[1]); err != nil {
				t.Fatal(err)
			}
		}
	}
	b := openAt(t, "file://"+t.TempDir()+query)
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
	if published := publish(t, b, parts...); published.Rows["comments"] != int64(len(want)) {
		t.Fatalf("published %v, the table has %d rows", published.Rows, len(want))
	}
	return published{path: filepath.Join(files(b).where(), "data", "comments-0001.csv"), raw: b.form.Raw, want: want, conn: conn}
}

// reading is a program that reads a bundle, and whether it tells NULL from the
// empty text.
func readers() map[string]struct {
	read  func(t *testing.T, p published) [][]*string
	nulls bool
} {
	type program = struct {
		read  func(t *testing.T, p published) [][]*string
		nulls bool
	}
	return map[string]program{
		"our reader": {readWithOurs, true},
		"COPY FROM":  {readWithCopy, true},
		"Python":     {readWithPython, false},
		"SQLite":     {readWithSQLite, false},
	}
}

// Guarded cells are put back first, by the rule that the data package states.
func TestReadersAgreeOnEveryCell(t *testing.T) {
	t.Parallel()
	for name, query := range map[string]string{"guarded": "", "raw": "?raw=true"} {
		for program, r := range readers() {
			t.Run(program+" "+name, func(t *testing.T) {
				t.Parallel()
				p := publishFromPostgres(t, query)
				found := r.read(t, p)
				if len(found) != len(p.want) {
					t.Fatalf("%d rows were read, the table has %d", len(found), len(p.want))
				}
				for i := range found {
					for c, want := range p.want[i] {
						got := found[i][c]
						if got != nil && !p.raw {
							back := unguard(*got)
							got = &back
						}
						if !r.nulls {
							got, want = orEmpty(got), orEmpty(want)
						}
						if (want == nil) != (got == nil) || (want != nil && *want != *got) {
							t.Errorf("row %d, column %d: the cell differs", i+1, c+1)
						}
					}
				}
			})
		}
	}
}

func orEmpty(text *string) *string {
	if text == nil {
		return new(string)
	}
	return text
}

func readWithOurs(t *testing.T, p published) (found [][]*string) {
	f, err := os.Open(p.path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	for r := newReader(f); ; {
		record, err := r.read()
		if errors.Is(err, io.EOF) {
			return found[1:]
		}
		if err != nil {
			t.Fatal(err)
		}
		var row []*string
		for _, c := range record {
			row = append(row, nil)
			if !c.null {
				row[len(row)-1] = &c.text
			}
		}
		found = append(found, row)
	}
}

func readWithCopy(t *testing.T, p published) [][]*string {
	ctx := context.Background()
	if _, err := p.conn.Exec(ctx, `create table back (id text, ticket_id text, body text)`); err != nil {
		t.Fatal(err)
	}
	f, err := os.Open(p.path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if _, err := p.conn.PgConn().CopyFrom(ctx, f, `copy back from stdin (format csv, header match)`); err != nil {
		t.Fatal(err)
	}
	rows, err := p.conn.Query(ctx, `select id, ticket_id, body from back order by id::int`)
	if err != nil {
		t.Fatal(err)
	}
	found, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) ([]*string, error) {
		cells := make([]*string, 3)
		return cells, row.Scan(&cells[0], &cells[1], &cells[2])
	})
	if err != nil {
		t.Fatal(err)
	}
	return found
}

// run is a program that reads the bundle; it prints JSON.
func run(t *testing.T, result any, program string, args ...string) {
	t.Helper()
	path, err := exec.LookPath(program)
	if err != nil {
		t.Fatalf("this test reads the bundle with %s: install it (%v)", program, err)
	}
	var stderr bytes.Buffer
	cmd := exec.Command(path, args...)
	cmd.Stderr = &stderr
	output, err := cmd.Output()
	if err != nil {
		t.Fatalf("%v\n%s", err, &stderr)
	}
	if err := json.Unmarshal(output, result); err != nil {
		t.Fatal(err)
	}
}

func readWithPython(t *testing.T, p published) (found [][]*string) {
	run(t, &found, "python3", "-c", `
import csv, json, sys
csv.field_size_limit(2**31 - 1)
with open(sys.argv[1], newline="", encoding="utf-8") as f:
    json.dump(list(csv.reader(f)), sys.stdout)
`, p.path)
	return found[1:]
}

func readWithSQLite(t *testing.T, p published) (found [][]*string) {
	var rows []struct{ ID, Ticket, Body string }
	run(t, &rows, "sqlite3", ":memory:", "-cmd", ".import --csv '"+p.path+"' t", "-json",
		`select hex(id) as ID, hex(ticket_id) as Ticket, hex(body) as Body from t`)
	for _, r := range rows {
		var row []*string
		for _, text := range []string{r.ID, r.Ticket, r.Body} {
			plain, err := hex.DecodeString(text)
			if err != nil {
				t.Fatal(err)
			}
			cell := string(plain)
			row = append(row, &cell)
		}
		found = append(found, row)
	}
	return found
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
