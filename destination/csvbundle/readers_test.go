package csvbundle

import (
	"bytes"
	"context"
	"encoding/hex"
	"encoding/json"
	"errors"
	"flag"
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
	form form
	want [][]*string
	conn *pgx.Conn
}

// publishFromPostgres fills a table with hostile text and NULLs, and publishes
// it in two parts as comments. What is read afterwards is unpacked, by programs
// other than ours.
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
	return published{path: unpacked(t, b), form: b.form, want: want, conn: conn}
}

// unpacked is where the comments lie as plain CSV.
func unpacked(t *testing.T, b *Bundle) string {
	t.Helper()
	const file = "data/comments-0001.csv"
	dir := t.TempDir()
	switch {
	case b.form.Zip:
		command(t, "python3", "-m", "zipfile", "-e", files(b).where(), dir)
		return filepath.Join(dir, b.account, file)
	case b.form.Gzip:
		path := filepath.Join(dir, "comments.csv")
		if err := os.WriteFile(path, command(t, "gzip", "-dc", filepath.Join(files(b).where(), file+".gz")), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	return filepath.Join(files(b).where(), file)
}

// program reads a bundle's file.
type program struct {
	name string
	read func(t *testing.T, p published) [][]*string
	// nulls tells whether it tells NULL from the empty text.
	nulls bool
	// sees is what it makes of a text, whoever wrote the file; nil: the text.
	sees func(text string) string
}

func programs() []program {
	return []program{
		{name: "our reader", read: readWithOurs, nulls: true},
		{name: "COPY FROM", read: readWithCopy, nulls: true},
		{name: "Python", read: readWithPython},
		{name: "SQLite", read: readWithSQLite},
	}
}

// further are programs that not every machine has: `make readers` says how to
// get them, and has the tests use them.
func further() []program {
	lineFeeds := strings.NewReplacer("\r\n", "\n")
	return []program{
		// Miller drops the CR of a CR LF inside quotes.
		{name: "Miller", read: readWithMiller, sees: lineFeeds.Replace},
		// csvkit opens files with universal line ends.
		{name: "csvkit", read: readWithCsvkit, sees: func(text string) string {
			return strings.ReplaceAll(lineFeeds.Replace(text), "\r", "\n")
		}},
	}
}

var alsoFurther = flag.Bool("further-readers", false, "also read bundles with Miller and csvkit")

// Guarded cells are put back first, by the rule that the data package states.
func TestReadersAgreeOnEveryCell(t *testing.T) {
	t.Parallel()
	readers := programs()
	if *alsoFurther {
		readers = append(readers, further()...)
	}
	for form, query := range map[string]string{
		"guarded": "", "raw": "?raw=true", "excel": "?excel=true", "gzip": "?compress=gzip", "zip": "?format=zip",
	} {
		t.Run(form, func(t *testing.T) {
			t.Parallel()
			p := publishFromPostgres(t, query)
			for _, r := range readers {
				t.Run(r.name, func(t *testing.T) { wantSameCells(t, r, p) })
			}
		})
	}
}

func wantSameCells(t *testing.T, r program, p published) {
	found := r.read(t, p)
	if len(found) != len(p.want) {
		t.Fatalf("%d rows were read, the table has %d", len(found), len(p.want))
	}
	for i := range found {
		for c, want := range p.want[i] {
			got := found[i][c]
			if got != nil && !p.form.Raw {
				back := unguard(*got)
				got = &back
			}
			if !r.nulls {
				got, want = orEmpty(got), orEmpty(want)
			}
			if r.sees != nil {
				seen := r.sees(*want)
				want = &seen
			}
			if (want == nil) != (got == nil) || (want != nil && *want != *got) {
				t.Errorf("row %d, column %d: the cell differs", i+1, c+1)
			}
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
			return found[1:] // without the header row
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
	header := "match"
	if p.form.Excel {
		header = "true" // its first name begins with the byte order mark
	}
	if _, err := p.conn.PgConn().CopyFrom(ctx, f, `copy back from stdin (format csv, header `+header+`)`); err != nil {
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

// command runs a program and returns what it prints.
func command(t *testing.T, program string, args ...string) []byte {
	t.Helper()
	path, err := exec.LookPath(program)
	if err != nil {
		t.Fatalf("this test needs %s: install it (%v)", program, err)
	}
	var stderr bytes.Buffer
	cmd := exec.Command(path, args...)
	cmd.Stderr = &stderr
	output, err := cmd.Output()
	if err != nil {
		t.Fatalf("%s: %v\n%s", program, err, &stderr)
	}
	return output
}

// run is a program that reads the bundle; it prints JSON.
func run(t *testing.T, result any, program string, args ...string) {
	t.Helper()
	if err := json.Unmarshal(command(t, program, args...), result); err != nil {
		t.Fatalf("%s: %v", program, err)
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

// readWithMiller has it print separators that no text holds: its JSON leaves
// control characters as they are, which is none.
func readWithMiller(t *testing.T, p published) (found [][]*string) {
	const cellEnd, rowEnd = "␟", "␞"
	printed := string(command(t, "mlr", "--icsv", "--onidx", "--ofs", cellEnd, "--ors", rowEnd, "-S", "cat", p.path))
	for line := range strings.SplitSeq(strings.TrimSuffix(printed, rowEnd), rowEnd) {
		var row []*string
		for cell := range strings.SplitSeq(line, cellEnd) {
			row = append(row, &cell)
		}
		found = append(found, row)
	}
	return found
}

func readWithCsvkit(t *testing.T, p published) (found [][]*string) {
	var rows []struct {
		ID       *string
		TicketID *string `json:"ticket_id"`
		Body     *string
	}
	encoding := "utf-8"
	if p.form.Excel {
		encoding = "utf-8-sig"
	}
	run(t, &rows, "csvjson", "--no-inference", "--blanks", "--snifflimit", "0", "--maxfieldsize", strconv.Itoa(1<<30), "--encoding", encoding, p.path)
	for _, r := range rows {
		found = append(found, []*string{r.ID, r.TicketID, r.Body})
	}
	return found
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
