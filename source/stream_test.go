package source

import (
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"strings"
	"testing"
	"time"

	"farewell/migration"
)

// wantAsPostgresWrites compares every stream of a customer with what Postgres
// makes of the same statement when it writes CSV itself.
func (f *fixture) wantAsPostgresWrites(customer string) {
	f.t.Helper()
	statements := must(f.Selects(f.t.Context(), customer))(f.t)
	for _, e := range []migration.Entity{migration.Organizations, migration.Users, migration.Tickets} {
		views := []string{string(e)}
		if e == migration.Tickets {
			views = append(views, ticketTags, "comments", "attachments")
		}
		got := map[string]*bytes.Buffer{}
		must(f.CopyPart(f.t.Context(), PartQuery{Customer: customer, Partition: migration.Partition{ID: "all", Entity: e}, Views: views},
			func(view string) (io.Writer, error) {
				got[view] = &bytes.Buffer{}
				return got[view], nil
			}))(f.t)
		for _, view := range views {
			var want bytes.Buffer
			if _, err := f.conn.PgConn().CopyTo(f.t.Context(), &want, "copy ("+statements[view]+") to stdout (format csv)"); err != nil {
				f.t.Fatal(err)
			}
			if want.Len() == 0 {
				f.t.Errorf("%s: nothing to compare", view)
			}
			if !bytes.Equal(got[view].Bytes(), want.Bytes()) {
				f.t.Errorf("%s: %q, want %q", view, got[view], want.String())
			}
		}
	}
}

// hostileTexts is what CSV has to do something about, and what it must leave
// alone.
func hostileTexts() []string {
	return []string{
		"", " ", `"`, `""`, `a"b`, `"a"`, ",", ",,", "\n", "\r", "\r\n", "a\nb", "\t", `\.`, `\N`, `\`, "NULL", "null", "'", "''", "=1+1", "-", "é👍", "‏עברית‏", "\x01\x7f",
		"two\n\"lines\"\n", strings.Repeat(`long, "quoted" and on several`+"\r\n", 20_000), strings.Repeat("long and plain ", 20_000),
	}
}

func TestStreamsAreByteForByteWhatPostgresWritesAsCSV(t *testing.T) {
	t.Parallel()
	for idType, id := range map[string]string{
		"bigint": "(array[-9223372036854775808, -1, 0, 9223372036854775807])[n % 4 + 1] # n",
		"int":    "n - 5",
		"uuid":   "md5(n::text)::uuid",
		"text":   "t || n",
	} {
		t.Run(idType, func(t *testing.T) {
			t.Parallel()
			f := newFixture(t, idType)
			for _, insert := range []string{
				"organizations select 'acme', " + id + ", t, t, null, array[t, null], now(), null",
				"users select 'acme', " + id + ", " + id + ", t, t, null, t, t, null, array[t], null, now()",
				`tickets (customer_id, id, subject, status, tags, custom_fields, created_at)
					select 'acme', ` + id + `, t, null, array[t, t], jsonb_build_object('a', t, t, n), timestamptz '0044-03-15 00:00:00.000001Z' + n * interval '1 year'`,
				"comments (customer_id, id, ticket_id, public, body) select 'acme', " + id + ", " + id + ", n % 2 = 0, t",
				"attachments (customer_id, id, ticket_id, file_name, size) select 'acme', " + id + ", " + id + ", t, n * 1000",
			} {
				// A row of text ids is as wide as its text, which no index takes.
				f.exec("insert into farewell."+insert+" from (select case when $2 then left(t, 100) else t end as t, n::int as n from unnest($1::text[]) with ordinality as u(t, n)) r",
					hostileTexts(), idType == "text")
			}
			f.wantAsPostgresWrites("acme")
		})
	}
}

func TestAViewWhoseTypesChangeMeanwhileIsReadAsBefore(t *testing.T) {
	t.Parallel()
	f := newFixture(t, "bigint")
	f.tickets("acme", 1, "n")
	q := copyQuery{Customer: "acme", View: "tickets", Partition: tickets("", "")}
	before := f.csv(q)
	f.exec("alter table farewell.tickets alter requester_id type int, alter submitter_id type text, alter subject type varchar(300)")
	if after := f.csv(q); after != before {
		t.Errorf("%q, before %q", after, before)
	}
}

// binaryCopy is one row of an id and a text, with the header before it.
func binaryCopy(id int64, text string) []byte {
	row := []byte("PGCOPY\n\xff\r\n\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x02\x00\x00\x00\x08")
	row = binary.BigEndian.AppendUint64(row, uint64(id))
	row = binary.BigEndian.AppendUint32(row, uint32(len(text)))
	return append(row, text...)
}

func newStream(t *testing.T, w io.Writer) *stream {
	_, alive := stopWhenIdle(t.Context(), time.Minute)
	t.Cleanup(alive.stop)
	return &stream{w: w, alive: alive, each: func() error { return nil }, lists: true, columns: []csvColumn{
		{migration.Column{Name: "id", Type: migration.ColumnInteger}, ""}, {migration.Column{Name: "text", Type: migration.ColumnString}, ""},
	}}
}

func TestAStreamThatIsNoWholeRowIsRefused(t *testing.T) {
	t.Parallel()
	whole := binaryCopy(7, "text")
	var out bytes.Buffer
	s := newStream(t, &out)
	if _, err := s.Write(whole); err != nil {
		t.Fatal(err)
	}
	if s.flush(); out.String() != "7,text\n" || len(s.ids) != 1 || s.ids[0] != "7" {
		t.Errorf("%q with ids %q", out.String(), s.ids)
	}
	headerOnly := len("PGCOPY\n\xff\r\n\x00") + 8
	for n := range len(whole) {
		if _, err := newStream(t, io.Discard).Write(whole[:n]); n != headerOnly && !errors.Is(err, errNoCopy) {
			t.Errorf("of %d bytes the first %d: %v", len(whole), n, err)
		}
	}
	for name, message := range map[string][]byte{
		"text":              []byte("7,text\n"),
		"a column too few":  append(whole[:headerOnly:headerOnly], 0, 1, 0, 0, 0, 0),
		"a column too many": append(whole[:headerOnly:headerOnly], 0, 3, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255),
		"an id of 4 bytes":  append(whole[:headerOnly:headerOnly], 0, 2, 0, 0, 0, 4, 0, 0, 0, 7, 255, 255, 255, 255),
		"a length below 0":  append(whole[:headerOnly:headerOnly], 0, 2, 255, 255, 255, 254),
	} {
		if _, err := newStream(t, io.Discard).Write(message); !errors.Is(err, errNoCopy) {
			t.Errorf("%s: %v", name, err)
		}
	}
}
