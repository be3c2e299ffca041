package integration_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"farewell/sandbox/samplecrm"
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
			{"created_at", instant("made_at")}, {"updated_at", instant("changed_at")}, {"organization_fields", "attributes::text"},
		}, "crm.companies where client = $1"},
		{"users", []csvColumn{
			{"id", "person_no::text"}, {"organization_id", "company_no::text"}, {"name", "concat_ws(' ', first_name, last_name)"},
			{"email", "mail"}, {"phone", "phone"},
			{"role", "case kind when 'owner' then 'admin' when 'teammate' then 'agent' else 'end_user' end"},
			{"time_zone", "zone"}, {"locale", "language"}, {"tags", "to_jsonb(labels)::text"},
			{"created_at", instant("made_at")}, {"updated_at", instant("changed_at")},
			{"organization_ids", "to_jsonb(also_at)::text"}, {"emails", "to_jsonb(more_mails)::text"}, {"phones", "to_jsonb(more_phones)::text"},
			{"user_fields", "attributes::text"}, {"suspended", "banned::text"},
		}, "crm.people where client = $1"},
		{"tickets", []csvColumn{
			{"id", "conversation_no::text"}, {"requester_id", "opened_by::text"}, {"submitter_id", "entered_by::text"}, {"organization_id", "company_no::text"},
			{"subject", "title"},
			{"status", `(array['new','open','pending','hold','solved','closed'])[array_position(array['fresh','active','waiting','parked','answered','archived'], progress::text)]`},
			{"priority", "(array['low','normal','high','urgent'])[urgency]"},
			{"type", `(array['question','problem','incident','task'])[array_position(array['ask','fault','outage','todo'], category::text)]`},
			{"channel", `(array['email','chat','facebook','twitter'])[array_position(array['mail','livechat','facebook','twitter'], channel::text)]`},
			{"custom_fields", "jsonb_strip_nulls(jsonb_build_object('360500000001', product, '360500000002', order_no))::text"},
			{"created_at", instant("opened_at")}, {"updated_at", instant("touched_at")}, {"solved_at", instant("answered_at")},
			{"cc_ids", "to_jsonb(copied_to)::text"},
		}, "crm.conversations c where client = $1"},
		{"ticket_tags", []csvColumn{
			{"ticket_id", "conversation_no::text"}, {"position", "(row_number() over (partition by conversation_no order by tag))::text"}, {"tag", "tag"},
		}, "crm.conversation_tags join crm.conversations using (conversation_no) where client = $1"},
		{"comments", []csvColumn{
			{"id", "message_no::text"}, {"ticket_id", "conversation_no::text"}, {"author_id", "sent_by::text"},
			{"public", "(not internal)::text"}, {"body", "content"}, {"body_format", "case markup when 'html' then 'html' else 'plain' end"},
			{"created_at", instant("sent_at")},
		}, "crm.messages where client = $1"},
		{"attachments", []csvColumn{
			{"id", "file_no::text"}, {"ticket_id", "conversation_no::text"}, {"comment_id", "message_no::text"}, {"file_name", "name"}, {"content_type", "mime"},
			{"size", "bytes::text"}, {"url", "address"}, {"created_at", instant("stored_at")},
		}, "crm.files where client = $1"},
	}
}

// isJSON tells whether a column holds JSON, in which blanks mean nothing.
func isJSON(column string) bool {
	return slices.Contains([]string{"tags", "custom_fields", "organization_fields", "organization_ids", "emails", "phones", "user_fields", "cc_ids"}, column)
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

// bundleFiles lists the files of each table, as the bundle's data package does.
func (s *stage) bundleFiles(account string) map[string][]map[string]any {
	s.t.Helper()
	folder := filepath.Join(s.bundles, account, "data")
	content, err := os.ReadFile(filepath.Join(folder, "datapackage.json"))
	if err != nil {
		s.t.Fatalf("no bundle: %v", err)
	}
	files := map[string][]map[string]any{}
	for _, r := range objects(s.t, decodeObject(s.t, content)["resources"]) {
		for _, f := range objects(s.t, r["x-files"]) {
			f["path"] = filepath.Join(folder, text(f["path"]))
			files[text(r["name"])] = append(files[text(r["name"])], f)
		}
	}
	return files
}

// wantBundle compares every cell of a published bundle with the CRM's tables,
// the data package with the files, and the attachments with what the CRM keeps,
// byte by byte: all are there but those of the given numbers.
func (s *stage) wantBundle(account, client string, without ...int64) {
	s.t.Helper()
	s.mustStart("verify-bundle", filepath.Join(s.bundles, account))
	files := s.bundleFiles(account)
	for _, f := range csvFiles() {
		var paths []string
		for _, listed := range files[f.name] {
			paths = append(paths, text(listed["path"]))
		}
		s.wantPackageRight(f, client, files[f.name])
		s.wantSameByPostgres(paths, f, client)
		s.wantSameByPython(paths, f, client)
	}
	s.wantAttachments(account, client, without)
}

func (s *stage) wantAttachments(account, client string, without []int64) {
	s.t.Helper()
	folder := filepath.Join(s.bundles, account)
	there, _ := sizeOf(filepath.Join(folder, "data", "attachments"))
	rows := map[string][]string{}
	for i, listed := range s.bundleFiles(account)["attachment_files"] {
		all := decodeRows(s.t, text(listed["path"]))
		if columns := []string{"attachment_id", "ticket_id", "path", "bytes", "sha256", "status", "reason_code", "reason"}; !slices.Equal(all[0], columns) {
			s.t.Fatalf("attachment_files.csv begins with %q", all[0])
		}
		for _, row := range all[1:] {
			if rows[row[0]] != nil {
				s.t.Errorf("file %d of attachment_files has %s twice", i+1, row[0])
			}
			rows[row[0]] = row
		}
	}
	want := query(s.t, s.source, "select file_no, conversation_no from crm.files where client = $1", client)
	if len(rows) != len(want) || there != len(want)-len(without) {
		s.t.Errorf("%s: %d attachments are listed and %d are there, want %d without %v", account, len(rows), there, len(want), without)
	}
	for _, f := range want {
		no := int64(number(s.t, f["file_no"]))
		row := rows[fmt.Sprint(no)]
		missing := slices.Contains(without, no)
		switch {
		case row == nil:
			s.t.Errorf("attachment %d is not listed", no)
		case missing && (row[2] != "" || row[5] == "created" || row[6] == ""):
			s.t.Errorf("attachment %d, which could not be had, is listed as %q", no, row)
		case missing:
		default:
			content, err := os.ReadFile(filepath.Join(folder, filepath.FromSlash(row[2])))
			if source := samplecrm.FileContent(no); err != nil || !bytes.Equal(content, source) || row[1] != fmt.Sprint(f["conversation_no"]) || row[3] != fmt.Sprint(len(source)) {
				s.t.Errorf("attachment %d is not the %d bytes of the source: %d bytes, listed as %q (%v)", no, len(source), len(content), row, err)
			}
		}
	}
}

func (s *stage) wantPackageRight(f csvFile, client string, listed []map[string]any) {
	s.t.Helper()
	rows := 0
	for _, file := range listed {
		content, err := os.ReadFile(text(file["path"]))
		if err != nil {
			s.t.Fatal(err)
		}
		sum := sha256.Sum256(content)
		if got := text(file["hash"]); got != "sha256:"+hex.EncodeToString(sum[:]) || number(s.t, file["bytes"]) != len(content) {
			s.t.Errorf("%s: the data package says %s and %s bytes, the file is %x and has %d", file["path"], got, file["bytes"], sum, len(content))
		}
		rows += number(s.t, file["rowCount"])
	}
	if want := count(s.t, s.source, "select count(*) from "+f.from, client); rows != want {
		s.t.Errorf("%s: the data package says %d rows, want %d", f.name, rows, want)
	}
}

// guardPattern finds a text before which the bundle has put an apostrophe.
const guardPattern = `^'('*[-=+@\t\r\n])`

// wantSameByPostgres reads the file by COPY FROM, which tells NULL from the
// empty text, and compares it as a multiset.
func (s *stage) wantSameByPostgres(paths []string, f csvFile, client string) {
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
		if isJSON(name) {
			name += "::jsonb::text" // as JSON: blanks mean nothing
		}
		shown = append(shown, `regexp_replace(`+name+`, E'`+strings.ReplaceAll(guardPattern, "'", "''")+`', E'\\1')`)
	}
	if _, err := conn.Exec(ctx, "create temp table actual ("+strings.Join(columns, ", ")+")"); err != nil {
		s.t.Fatal(err)
	}
	for _, path := range paths {
		file, err := os.Open(path)
		if err != nil {
			s.t.Fatal(err)
		}
		defer file.Close()
		if _, err := conn.PgConn().CopyFrom(ctx, file, "copy actual from stdin (format csv, header match)"); err != nil {
			s.t.Fatalf("Postgres cannot read %s: %v", path, err)
		}
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
func (s *stage) wantSameByPython(paths []string, f csvFile, client string) {
	s.t.Helper()
	var got [][]string
	for i, path := range paths {
		rows := decodeRows(s.t, path)
		if i > 0 {
			rows = rows[min(1, len(rows)):]
		}
		got = append(got, rows...)
	}
	guarded := regexp.MustCompile(guardPattern)
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
		for i := range cells {
			cells[i] = guarded.ReplaceAllString(cells[i], "$1")
		}
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
		if i < len(f.columns) && isJSON(f.columns[i].name) && cell != "" {
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
	// The file server will give fewer bytes than the CRM says it has, and the
	// database has other ones than the CRM says.
	cut := s.spoil("bytes = bytes + 1", "address is not null")
	differs := s.spoil("checksum = repeat('0', 64)", "content is not null")
	s.startWorker()
	s.wantExit(exitFailures, "start", "customer-0003", "--wait")
	s.wantBundle("customer-0003-csv", "customer-0003", cut, differs)
	status := s.status("customer-0003")
	wantCounts(t, status, "tickets", map[string]int{"read": 500, "created": 500})
	all := count(t, s.source, "select count(*) from crm.files where client = $1", "customer-0003")
	wantCounts(t, status, "attachments", map[string]int{"read": all, "created": all - 2, "failed": 2})
	listed := map[string]string{}
	for _, f := range s.failures("customer-0003") {
		listed[text(f["entity"])+" "+text(f["source_id"])] = text(f["code"])
	}
	want := map[string]string{fmt.Sprint("attachments ", cut): "file_cut_short", fmt.Sprint("attachments ", differs): "file_differs"}
	if !maps.Equal(listed, want) {
		t.Errorf("failures lists %v, want %v", listed, want)
	}
}

// spoil changes what the CRM says of one file of customer-0003.
func (s *stage) spoil(change, which string) (no int64) {
	s.t.Helper()
	const sql = "select file_no from crm.files where client = 'customer-0003' and bytes > 100 and %s order by file_no limit 1"
	no = int64(count(s.t, s.source, fmt.Sprintf(sql, which)))
	s.change("update crm.files set "+change+" where file_no = $1", no)
	return no
}
