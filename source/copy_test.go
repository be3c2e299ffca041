package source

import (
	"bytes"
	"context"
	"errors"
	"io"
	"log/slog"
	"maps"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"farewell/migration"
	"farewell/sandbox/samplecrm"
)

// copyQuery asks for one view of a part.
type copyQuery struct {
	Customer  string
	View      string
	Partition migration.Partition
	IDs       []string
	AsOf      time.Time
}

func (s *Source) copyView(ctx context.Context, q copyQuery, w io.Writer) (int64, error) {
	views := []string{q.View}
	if own := string(q.Partition.Entity); q.View != own {
		views = []string{own, q.View}
	}
	part, err := s.CopyPart(ctx, PartQuery{Customer: q.Customer, Partition: q.Partition, IDs: q.IDs, Views: views, AsOf: q.AsOf},
		func(view string) (io.Writer, error) {
			if view != q.View {
				return io.Discard, nil
			}
			return w, nil
		})
	return part.Rows[q.View], err
}

func (f *fixture) csv(q copyQuery) string {
	f.t.Helper()
	var out bytes.Buffer
	rows := must(f.copyView(f.t.Context(), q, &out))(f.t)
	if int(rows) != strings.Count(out.String(), "\n") {
		f.t.Errorf("%d rows in\n%s", rows, out.String())
	}
	return out.String()
}

func TestCopyPartWritesWhatPostgresCopyWrites(t *testing.T) {
	t.Parallel()
	f := newFixture(t, "bigint")
	f.exec(`insert into farewell.organizations values ('acme', 1, 'a "b", c', '', null, '{"x y",z}', '2020-01-02 03:04:05.6+02', null);
		insert into farewell.tickets (customer_id, id, subject, custom_fields, tags) values
			('acme', 9, '=1+1', '{"7": "é"}', '{b,a,b,null}'), ('acme', 10, '', null, null), ('other', 11, 'x', null, null);
		insert into farewell.comments values ('acme', 3, 10, null, true, 'b', 'plain', '2020-01-01Z'),
			('acme', 2, 10, 5, false, 'a', 'html', '2020-01-01Z'), ('acme', 1, 10, null, null, 'c', null, '2020-01-02Z'),
			('acme', 4, 9, null, true, 'z', 'plain', '2021-01-01Z'), ('acme', 5, 77, null, true, 'its ticket is hidden', 'plain', null);
		insert into farewell.attachments values ('acme', 1, 9, 4, 'f', 't', 12, 'u', '2020-01-01Z')`)
	for name, c := range map[string]struct {
		q    copyQuery
		want string
	}{
		"organizations": {copyQuery{View: "organizations", Partition: organizations()},
			`1,"a ""b"", c","",,"[""x y"",""z""]",2020-01-02T01:04:05.600000Z,` + "\n"},
		"tickets": {copyQuery{View: "tickets", Partition: tickets("", "")},
			`9,,,,=1+1,,,,,"{""7"": ""é""}",,,` + "\n" + `10,,,,"",,,,,,,,` + "\n"},
		"comments by ticket, time and id": {copyQuery{View: "comments", Partition: tickets("", "")},
			"4,9,,true,z,plain,2021-01-01T00:00:00.000000Z\n2,10,5,false,a,html,2020-01-01T00:00:00.000000Z\n" +
				"3,10,,true,b,plain,2020-01-01T00:00:00.000000Z\n1,10,,,c,,2020-01-02T00:00:00.000000Z\n"},
		"comments of a range":       {copyQuery{View: "comments", Partition: tickets("", "9")}, "4,9,,true,z,plain,2021-01-01T00:00:00.000000Z\n"},
		"comments of given tickets": {copyQuery{View: "comments", Partition: tickets("", ""), IDs: []string{"9"}}, "4,9,,true,z,plain,2021-01-01T00:00:00.000000Z\n"},
		"attachments":               {copyQuery{View: "attachments", Partition: tickets("", "")}, "1,9,4,f,t,12,u,2020-01-01T00:00:00.000000Z\n"},
		"tags":                      {copyQuery{View: "ticket_tags", Partition: tickets("", "")}, "9,1,b\n9,2,a\n9,3,b\n9,4,\n"},
		"nothing":                   {copyQuery{View: "users", Partition: users()}, ""},
		"on demand":                 {copyQuery{View: "tickets", Partition: migration.OnDemand(migration.Tickets)}, ""},
	} {
		c.q.Customer = "acme"
		if got := f.csv(c.q); got != c.want {
			t.Errorf("%s:\n%s, want\n%s", name, got, c.want)
		}
	}
}

func TestIDsAreQuotedInCopy(t *testing.T) {
	t.Parallel()
	f := newFixture(t, "text")
	ids := []string{`it's`, `back\slash`, `"quoted"`, `{brace,comma}`, `'; drop schema farewell cascade; --`, `é👍`, `NULL`, ` `}
	for _, id := range ids {
		f.exec("insert into farewell.tickets (customer_id, id) values ('acme', $1)", id)
		f.exec("insert into farewell.comments (customer_id, id, ticket_id) values ('acme', '1', $1)", id)
	}
	for _, id := range ids {
		for _, view := range []string{"tickets", "comments"} {
			if got := f.csv(copyQuery{Customer: "acme", View: view, Partition: tickets("", ""), IDs: []string{id}}); strings.Count(got, "\n") != 1 {
				t.Errorf("%s of %q: %q", view, id, got)
			}
		}
		if page := must(f.Page(t.Context(), PageQuery{Customer: "acme", Partition: tickets("", ""), IDs: []string{id}}))(t); page.Len() != 1 || len(page.Tickets[0].Comments) != 1 {
			t.Errorf("page of %q: %+v", id, page)
		}
	}
	if got := f.csv(copyQuery{Customer: "acme", View: "comments", Partition: tickets("", "")}); strings.Count(got, "\n") != len(ids) {
		t.Errorf("%s", got)
	}
	part := must(f.CopyPart(t.Context(), PartQuery{Customer: "acme", Partition: tickets("", ""), Views: []string{"tickets"}},
		func(string) (io.Writer, error) { return io.Discard, nil }))(t)
	if got, want := slices.Sorted(slices.Values(part.IDs)), slices.Sorted(slices.Values(ids)); !slices.Equal(got, want) {
		t.Errorf("lists %q, want %q", got, want)
	}
}

// spending is a pace that only counts the rows that were read.
type spending struct {
	ungoverned
	rows atomic.Int64
}

func (s *spending) Spend(_ context.Context, rows int, _ float64) (time.Duration, error) {
	s.rows.Add(int64(rows))
	return 0, nil
}

func TestEachRowOfAStreamIsCountedByThePace(t *testing.T) {
	t.Parallel()
	f := newFixture(t, "bigint")
	const n = 3*streamStep + 1
	f.tickets("acme", n, "n")
	counted := &spending{}
	g := f.Govern(counted, slog.New(slog.DiscardHandler))
	t.Cleanup(g.Close)
	part := must(Governed{f.Source, g}.CopyPart(t.Context(), PartQuery{Customer: "acme", Partition: tickets("", ""), Views: []string{"tickets", "comments"}},
		func(string) (io.Writer, error) { return io.Discard, nil }))(t)
	if want := part.Rows["tickets"] + part.Rows["comments"]; want <= n || counted.rows.Load() != want {
		t.Errorf("%d rows were counted, want %d", counted.rows.Load(), want)
	}
}

func TestCopyPartReadsAllViewsFromOneSnapshot(t *testing.T) {
	t.Parallel()
	f := newFixture(t, "bigint")
	f.tickets("acme", 5, "n")
	before := must(f.Now(t.Context()))(t)
	out := map[string]*bytes.Buffer{}
	part := must(f.CopyPart(t.Context(), PartQuery{Customer: "acme", Partition: tickets("1", "4"), Views: []string{"tickets", "comments", "attachments"}},
		func(view string) (io.Writer, error) {
			// Whatever happens meanwhile belongs to another moment.
			f.exec("delete from farewell.tickets where id = 3; delete from farewell.comments where ticket_id = 3")
			f.exec("insert into farewell.comments (customer_id, id, ticket_id) values ('acme', $1, 2)", 1000+len(out))
			out[view] = &bytes.Buffer{}
			return out[view], nil
		}))(t)
	if want := map[string]int64{"tickets": 3, "comments": 6, "attachments": 0}; !maps.Equal(part.Rows, want) {
		t.Errorf("rows %v, want %v", part.Rows, want)
	}
	if want := []string{"2", "3", "4"}; !slices.Equal(part.IDs, want) {
		t.Errorf("lists %q, want %q", part.IDs, want)
	}
	if part.ReadAt.Before(before) || part.ReadAt.After(must(f.Now(t.Context()))(t)) {
		t.Errorf("read at %s", part.ReadAt)
	}
	if n := strings.Count(out["comments"].String(), "\n"); n != 6 {
		t.Errorf("%d lines of comments", n)
	}
}

func TestCopyPartOfTheSampleHoldsEveryRow(t *testing.T) {
	t.Parallel()
	f := newSample(t, samplecrm.Customers(2, 500, 4))
	sums := map[string]int64{}
	for _, p := range must(f.Cut(t.Context(), "customer-0002", migration.Tickets, 150))(t) {
		part := must(f.CopyPart(t.Context(), PartQuery{Customer: "customer-0002", Partition: p, Views: []string{"tickets", "comments", "attachments"}},
			func(string) (io.Writer, error) { return io.Discard, nil }))(t)
		for view, n := range part.Rows {
			sums[view] += n
		}
	}
	want := map[string]int64{}
	for _, view := range []string{"tickets", "comments", "attachments"} {
		var n int64
		if err := f.conn.QueryRow(t.Context(), "select count(*) from farewell."+view+" where customer_id = 'customer-0002'").Scan(&n); err != nil {
			t.Fatal(err)
		}
		want[view] = n
	}
	if !maps.Equal(sums, want) || want["comments"] == 0 {
		t.Errorf("%v, want %v", sums, want)
	}
}

type failingWriter struct{ err error }

func (w failingWriter) Write([]byte) (int, error) { return 0, w.err }

func TestAWriterThatFailsEndsTheStreamAndIsNamed(t *testing.T) {
	t.Parallel()
	f := newFixture(t, "bigint")
	f.tickets("acme", 1, "n")
	full := errors.New("disk full")
	q := copyQuery{Customer: "acme", View: "tickets", Partition: tickets("", "")}
	_, err := f.copyView(t.Context(), q, failingWriter{full})
	if !errors.Is(err, full) || Permanent(err) || !strings.Contains(err.Error(), "writer failed") {
		t.Errorf("%v", err)
	}
	_, err = f.CopyPart(t.Context(), PartQuery{Customer: "acme", Partition: tickets("", ""), Views: []string{"tickets"}}, func(string) (io.Writer, error) { return nil, full })
	if !errors.Is(err, full) {
		t.Errorf("%v", err)
	}
	if f.csv(q) == "" { // and the source goes on
		t.Error("nothing")
	}
}

func TestAViewOfAnotherEntityIsRefused(t *testing.T) {
	t.Parallel()
	f := newFixture(t, "bigint")
	_, err := f.copyView(t.Context(), copyQuery{Customer: "acme", View: "users", Partition: tickets("", "")}, io.Discard)
	f.wantPermanent(err, "users does not belong to tickets")
}

// cancellingWriter ends its context with the first bytes.
type cancellingWriter struct{ cancel context.CancelFunc }

func (w cancellingWriter) Write(b []byte) (int, error) {
	w.cancel()
	return len(b), nil
}

func TestACancelledStreamLeavesNoSessionInATransaction(t *testing.T) {
	t.Parallel()
	f := newFixture(t, "bigint")
	f.tickets("acme", 20_000, "n")
	ctx, cancel := context.WithCancel(t.Context())
	_, err := f.copyView(ctx, copyQuery{Customer: "acme", View: "tickets", Partition: tickets("", "")}, cancellingWriter{cancel})
	if !errors.Is(err, context.Canceled) || Permanent(err) {
		t.Errorf("%v", err)
	}
	f.wantNoTransaction()
}

func TestCopyPartLeavesOutWhatWasMadeLater(t *testing.T) {
	t.Parallel()
	f := newFixture(t, "bigint")
	f.exec(`insert into farewell.tickets (customer_id, id, created_at) values ('acme', 1, '2020-01-01Z'), ('acme', 2, '2020-01-03Z'), ('acme', 3, null);
		insert into farewell.comments (customer_id, id, ticket_id, created_at) values
			('acme', 1, 1, '2020-01-02Z'), ('acme', 2, 1, '2020-01-02 00:00:00.000001Z'), ('acme', 3, 2, '2020-01-01Z')`)
	asOf := time.Date(2020, 1, 2, 0, 0, 0, 0, time.UTC)
	out := map[string]*bytes.Buffer{}
	part := must(f.CopyPart(t.Context(), PartQuery{Customer: "acme", Partition: tickets("", ""), Views: []string{"tickets", "comments"}, AsOf: asOf},
		func(view string) (io.Writer, error) {
			out[view] = &bytes.Buffer{}
			return out[view], nil
		}))(t)
	if part.Rows["tickets"] != 2 || len(part.IDs) != 2 || part.Rows["comments"] != 1 {
		t.Errorf("rows %v, lists %v\n%s%s", part.Rows, part.IDs, out["tickets"], out["comments"])
	}
}

func TestColumnsSayWhatTheSourceHolds(t *testing.T) {
	t.Parallel()
	for id, want := range map[string]migration.ColumnType{"bigint": "integer", "uuid": "uuid", "text": "string"} {
		f := newFixture(t, id)
		columns := must(f.Columns(t.Context()))(t)
		tags := columns["ticket_tags"]
		if len(columns) != 6 || columns["tickets"][0] != (migration.Column{Name: "id", Type: want}) || tags[0].Type != want || tags[2].Name != "tag" {
			t.Errorf("%s: %v", id, columns)
		}
	}
}
