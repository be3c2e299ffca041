package integration_test

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
)

// csvFile is a file of a bundle: its columns, each with what the CRM's own
// tables say, as text.
type csvFile struct {
	name    string
	columns []csvColumn
	from    string // the CRM's tables, $1 is the tenant
}

type csvColumn struct{ name, sql string }

// instant is a time as the bundle writes it.
func instant(column string) string {
	return `to_char(` + column + ` at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')`
}

func csvFiles() []csvFile {
	return []csvFile{
		{"organizations", []csvColumn{
			{"id", "company_no::text"}, {"name", "title"}, {"details", "about"}, {"notes", "memo"}, {"tags", "to_jsonb(labels)::text"},
			{"created_at", instant("made_at")}, {"updated_at", instant("changed_at")},
		}, "crm.companies where client = $1"},
		{"users", []csvColumn{
			{"id", "person_no::text"}, {"organization_id", "company_no::text"}, {"name", "concat_ws(' ', first_name, last_name)"},
			{"email", "mail"}, {"phone", "phone"},
			{"role", "case kind when 'owner' then 'admin' when 'teammate' then 'agent' else 'end_user' end"},
			{"time_zone", "zone"}, {"locale", "language"}, {"tags", "to_jsonb(labels)::text"},
			{"created_at", instant("made_at")}, {"updated_at", instant("changed_at")},
		}, "crm.people where client = $1"},
		{"tickets", []csvColumn{
			{"id", "conversation_no::text"}, {"requester_id", "opened_by::text"}, {"submitter_id", "entered_by::text"}, {"organization_id", "company_no::text"},
			{"subject", "title"},
			{"status", `(array['new','open','pending','hold','solved','closed'])[array_position(array['fresh','active','waiting','parked','answered','archived'], progress::text)]`},
			{"priority", "(array['low','normal','high','urgent'])[urgency]"},
			{"type", `(array['question','problem','incident','task'])[array_position(array['ask','fault','outage','todo'], category::text)]`},
			{"channel", `(array['email','chat','facebook','twitter'])[array_position(array['mail','livechat','facebook','twitter'], channel::text)]`},
			{"tags", "coalesce((select jsonb_agg(t.tag order by t.tag) from crm.conversation_tags t where t.conversation_no = c.conversation_no), '[]')::text"},
			{"custom_fields", "jsonb_strip_nulls(jsonb_build_object('360500000001', product, '360500000002', order_no))::text"},
			{"created_at", instant("opened_at")}, {"updated_at", instant("touched_at")}, {"solved_at", instant("answered_at")},
		}, "crm.conversations c where client = $1"},
		{"comments", []csvColumn{
			{"id", "message_no::text"}, {"ticket_id", "conversation_no::text"}, {"author_id", "sent_by::text"},
			{"public", "(not internal)::text"}, {"body", "content"}, {"body_format", "case markup when 'html' then 'html' else 'plain' end"},
			{"created_at", instant("sent_at")},
		}, "crm.messages where client = $1"},
		{"attachments", []csvColumn{
			{"id", "file_no::text"}, {"ticket_id", "conversation_no::text"}, {"comment_id", "message_no::text"}, {"file_name", "name"}, {"content_type", "mime"},
			{"size", "bytes::text"}, {"url", "'https://files.example.com/' || storage_key"}, {"created_at", instant("stored_at")},
		}, "crm.files where client = $1"},
	}
}

// expected selects what the file must hold.
func (f csvFile) expected() string {
	var columns []string
	for _, c := range f.columns {
		columns = append(columns, c.sql+" as "+c.name)
	}
	return "select " + strings.Join(columns, ", ") + " from " + f.from
}

func (f csvFile) header() []string {
	var names []string
	for _, c := range f.columns {
		names = append(names, c.name)
	}
	return names
}

// wantBundle compares every cell of a published bundle with the CRM's tables,
// and the manifest with the files.
func (s *stage) wantBundle(account, client string) {
	s.t.Helper()
	folder := filepath.Join(s.bundles, account)
	content, err := os.ReadFile(filepath.Join(folder, "manifest.json"))
	if err != nil {
		s.t.Fatalf("no bundle: %v", err)
	}
	listed := map[string]map[string]any{}
	for _, f := range objects(s.t, decodeObject(s.t, content)["files"]) {
		listed[text(f["name"])] = f
	}
	for _, f := range csvFiles() {
		path := filepath.Join(folder, f.name+".csv")
		s.wantManifestRight(path, f, client, listed[f.name+".csv"])
		s.wantSameByPostgres(path, f, client)
		s.wantSameByPython(path, f, client)
	}
}

func (s *stage) wantManifestRight(path string, f csvFile, client string, listed map[string]any) {
	s.t.Helper()
	if listed == nil {
		s.t.Errorf("the manifest does not list %s", path)
		return
	}
	content, err := os.ReadFile(path)
	if err != nil {
		s.t.Fatal(err)
	}
	sum := sha256.Sum256(content)
	if got := text(listed["sha256"]); got != hex.EncodeToString(sum[:]) {
		s.t.Errorf("%s: the manifest's SHA-256 is %s, the file's is %x", f.name, got, sum)
	}
	rows := count(s.t, s.source, "select count(*) from "+f.from, client)
	if number(s.t, listed["rows"]) != rows || number(s.t, listed["bytes"]) != len(content) {
		s.t.Errorf("%s: the manifest says %s rows, %s bytes; want %d and %d", f.name, listed["rows"], listed["bytes"], rows, len(content))
	}
}

// wantSameByPostgres reads the file by COPY FROM, which tells NULL from the
// empty text, and compares it as a multiset.
func (s *stage) wantSameByPostgres(path string, f csvFile, client string) {
	s.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	conn, err := pgx.Connect(ctx, s.source)
	if err != nil {
		s.t.Fatal(err)
	}
	defer conn.Close(ctx)
	var columns, shown []string
	for _, name := range f.header() {
		columns = append(columns, name+" text")
		if name == "tags" || name == "custom_fields" {
			name += "::jsonb::text" // as JSON: blanks mean nothing
		}
		shown = append(shown, name)
	}
	if _, err := conn.Exec(ctx, "create temp table actual ("+strings.Join(columns, ", ")+")"); err != nil {
		s.t.Fatal(err)
	}
	file, err := os.Open(path)
	if err != nil {
		s.t.Fatal(err)
	}
	defer file.Close()
	if _, err := conn.PgConn().CopyFrom(ctx, file, "copy actual from stdin (format csv, header match)"); err != nil {
		s.t.Fatalf("Postgres cannot read %s: %v", path, err)
	}
	if _, err := conn.Exec(ctx, "create temp table expected as "+strings.Replace(f.expected(), "$1", quoteLiteral(client), 1)); err != nil {
		s.t.Fatal(err)
	}
	actual := "select " + strings.Join(shown, ", ") + " from actual"
	for what, sql := range map[string]string{
		"is in the CRM, not in the file": "table expected except all " + actual,
		"is in the file, not in the CRM": actual + " except all table expected",
	} {
		rows, err := conn.Query(ctx, "select row_to_json(q)::text from ("+sql+" limit 3) q")
		if err != nil {
			s.t.Fatal(err)
		}
		found, err := pgx.CollectRows(rows, pgx.RowTo[string])
		if err != nil {
			s.t.Fatal(err)
		}
		for _, row := range found {
			s.t.Errorf("%s.csv: %s: %.600s", f.name, what, row)
		}
	}
}

func quoteLiteral(v string) string { return "'" + strings.ReplaceAll(v, "'", "''") + "'" }

// readCSV prints the rows that Python's csv module reads as JSON.
const readCSV = `
import csv, json, sys
csv.field_size_limit(1 << 30)
with open(sys.argv[1], newline="", encoding="utf-8") as f:
    json.dump(list(csv.reader(f)), sys.stdout)
`

// decodeRows reads a CSV file with Python, the header included.
func decodeRows(t testing.TB, path string) [][]string {
	t.Helper()
	var rows [][]string
	if err := json.Unmarshal(python(t, readCSV, path), &rows); err != nil {
		t.Fatal(err)
	}
	return rows
}

// wantSameByPython compares every cell as Python reads it; to it, NULL is an
// empty text.
func (s *stage) wantSameByPython(path string, f csvFile, client string) {
	s.t.Helper()
	got := decodeRows(s.t, path)
	if len(got) == 0 || !slices.Equal(got[0], f.header()) {
		s.t.Fatalf("%s.csv begins with %q, want the columns %q", f.name, got[:min(1, len(got))], f.header())
	}
	var want []string
	for _, row := range query(s.t, s.source, f.expected(), client) {
		var cells []string
		for _, name := range f.header() {
			cells = append(cells, text(row[name]))
		}
		want = append(want, oneLine(f, cells))
	}
	var read []string
	for _, cells := range got[1:] {
		read = append(read, oneLine(f, cells))
	}
	slices.Sort(want)
	slices.Sort(read)
	if !slices.Equal(want, read) {
		for i := range min(len(want), len(read)) {
			if want[i] != read[i] {
				s.t.Errorf("%s.csv as Python reads it: %.400q, want %.400q", f.name, read[i], want[i])
				break
			}
		}
		s.t.Errorf("%s.csv as Python reads it is not equal: %d rows, want %d", f.name, len(read), len(want))
	}
}

// oneLine puts a row's cells together; JSON is written anew, since its blanks
// mean nothing.
func oneLine(f csvFile, cells []string) string {
	var b strings.Builder
	for i, cell := range cells {
		if i < len(f.columns) && (f.columns[i].name == "tags" || f.columns[i].name == "custom_fields") && cell != "" {
			var value any
			if json.Unmarshal([]byte(cell), &value) == nil {
				again, _ := json.Marshal(value) // it was decoded from JSON
				cell = string(again)
			}
		}
		fmt.Fprintf(&b, "%q,", cell)
	}
	return b.String()
}

func TestBundleHoldsEveryCell(t *testing.T) {
	s := newStage(t, setting{customers: 3, tickets: 500, comments: 4})
	s.startWorker()
	s.mustStart("start", "customer-0003", "--wait")
	s.wantBundle("customer-0003-csv", "customer-0003")
	wantCounts(t, s.status("customer-0003"), "tickets", map[string]int{"read": 500, "created": 500})
}
