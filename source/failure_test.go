package source

import (
	"context"
	"errors"
	"net"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"farewell/migration"
)

// wantNoTransaction waits until no session of the source is in a transaction.
func (f *fixture) wantNoTransaction() {
	f.t.Helper()
	for range 500 {
		if len(f.column(`select state from pg_stat_activity, pg_sleep(0.01) where datname = current_database()
			and application_name = 'farewell' and (state like 'idle in transaction%' or state = 'active')`)) == 0 {
			return
		}
	}
	f.t.Error("a session of the source is still in a transaction")
}

func TestFailuresSayWhereAndWhatToDoAndWhetherARetryHelps(t *testing.T) {
	t.Parallel()
	asView := func(change string) string {
		return `alter table farewell.tickets rename to base;
			create view farewell.tickets as select customer_id, id, requester_id, submitter_id, organization_id, subject, status,
			priority, type, ` + change + ` as channel, tags, custom_fields, created_at, updated_at, solved_at from farewell.base`
	}
	for name, c := range map[string]struct {
		sql       string
		hold      string // by another session, all the while
		options   Options
		query     PageQuery
		permanent bool
		words     []string
	}{
		"missing view":   {sql: "drop table farewell.comments", permanent: true, words: []string{"view farewell.comments does not exist", "docs/source-views.md"}},
		"missing column": {sql: "alter table farewell.tickets drop tags", permanent: true, words: []string{"no column tags", "null::text[] as tags"}},
		"no zone":        {sql: "alter table farewell.comments alter created_at type timestamp", permanent: true, words: []string{"at time zone 'UTC'"}},
		"value that cannot be computed": {sql: asView("(subject::int)::text"), permanent: true,
			words: []string{"(view tickets, customer acme)", "22P02", "in the source's log"}},
		"raised by the operator's own function": {sql: `create function farewell.f(text) returns text language plpgsql as $$ begin raise exception 'Subject 1'; end $$;` +
			asView("farewell.f(subject)"), permanent: true, words: []string{"P0001"}},
		"a view that writes": {sql: `create table farewell.seen (id bigint);
			create function farewell.f(bigint) returns text language sql volatile as 'insert into farewell.seen values ($1); select null::text';` +
			asView("farewell.f(id)"), permanent: true, words: []string{"only reads"}},
		"slow":   {sql: asView("pg_sleep(2)::text"), options: Options{StatementTimeout: 50 * time.Millisecond}, words: []string{"57014", "a retry helps"}},
		"locked": {hold: "lock table farewell.tickets", words: []string{"55P03", "lock", "a retry helps"}},
		"id of another type": {query: PageQuery{Customer: "acme", Partition: tickets("T-1", ""), Limit: 1}, permanent: true,
			words: []string{`"T-1"`, "not a bigint"}},
		"number beyond bigint": {query: PageQuery{Customer: "acme", Partition: tickets("", ""), IDs: []string{"9223372036854775808"}}, permanent: true,
			words: []string{"not a bigint"}},
		"no limit":       {query: PageQuery{Customer: "acme", Partition: tickets("", "")}, permanent: true, words: []string{"at least one"}},
		"unknown entity": {query: PageQuery{Customer: "acme", Partition: migration.Partition{Entity: "macros"}, Limit: 1}, permanent: true, words: []string{"macros"}},
		"one id twice": {sql: "alter table farewell.tickets drop constraint tickets_pkey; insert into farewell.tickets select * from farewell.tickets where id = 1",
			permanent: true, words: []string{"shows id 1 more than once"}},
		"empty id": {sql: "alter table farewell.tickets alter id type text using coalesce(nullif(id, 1)::text, ''); " +
			"alter table farewell.comments alter ticket_id type text; alter table farewell.attachments alter ticket_id type text", permanent: true, words: []string{"without an id"}},
		"infinity":       {sql: "update farewell.tickets set solved_at = 'infinity'", permanent: true, words: []string{"infinity"}},
		"wrong database": {options: Options{URL: "/nowhere"}, permanent: true, words: []string{"3D000", "connection URL"}},
		"no server":      {options: Options{URL: "postgres://127.0.0.1:1/x"}, words: []string{"a retry helps"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := newFixture(t, "bigint")
			f.tickets("acme", 2, "n")
			if c.sql != "" {
				f.exec(c.sql)
			}
			if c.hold != "" {
				defer f.hold(c.hold)()
			}
			f.Source = f.open(f.elsewhere(c.options))
			if c.query.Customer == "" {
				c.query = PageQuery{Customer: "acme", Partition: tickets("", ""), Limit: 5}
			}
			_, err := f.Page(t.Context(), c.query)
			if err == nil || Permanent(err) != c.permanent {
				t.Fatalf("permanent %t: %v", Permanent(err), err)
			}
			for _, w := range c.words {
				if !strings.Contains(err.Error(), w) {
					t.Errorf("want %q in: %v", w, err)
				}
			}
			for e := err; e != nil; e = errors.Unwrap(e) {
				if strings.Contains(e.Error(), "Subject 1") {
					t.Errorf("it quotes a record: %v", e)
				}
			}
			f.wantNoTransaction()
		})
	}
}

// elsewhere reads a URL that is only a path as another database.
func (f *fixture) elsewhere(o Options) Options {
	if strings.HasPrefix(o.URL, "/") {
		u, err := url.Parse(f.url)
		if err != nil {
			f.t.Fatal(err)
		}
		u.Path = o.URL
		o.URL = u.String()
	}
	return o
}

func TestCorrectedViewsAreSeenWithoutARestart(t *testing.T) {
	t.Parallel()
	f := newFixture(t, "bigint")
	f.tickets("acme", 2, "n")
	read := func() error {
		_, err := f.Page(t.Context(), PageQuery{Customer: "acme", Partition: tickets("", ""), Limit: 5})
		return err
	}
	if err := read(); err != nil {
		t.Fatal(err)
	}
	f.exec("alter table farewell.comments rename body to text")
	f.wantPermanent(read(), "body")
	f.exec("alter table farewell.comments rename text to body")
	if err := read(); err != nil {
		t.Fatal(err)
	}
	f.exec("alter table farewell.tickets alter id type text; alter table farewell.comments alter ticket_id type text; alter table farewell.attachments alter ticket_id type text")
	f.wantPermanent(read(), "starter check")
	if err := read(); err != nil {
		t.Fatal(err)
	}
}

func TestOpenRefusesContradictions(t *testing.T) {
	t.Parallel()
	for name, o := range map[string]Options{
		"no URL at all":          {URL: "postgres://%"},
		"statement beyond calls": {StatementTimeout: time.Minute},
		"connections below one":  {MaxConns: -1},
	} {
		if _, err := Open(t.Context(), o); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}

// stallingProxy passes a connection on to the server until it is told to
// stall; then it takes everything and answers nothing.
type stallingProxy struct {
	url   string
	stall atomic.Bool

	mu    sync.Mutex
	conns []net.Conn
}

// heal closes what was held up and passes on what comes.
func (p *stallingProxy) heal() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.stall.Store(false)
	for _, c := range p.conns {
		_ = c.Close() // both sides see it
	}
	p.conns = nil
}

func newStallingProxy(t *testing.T, server string) *stallingProxy {
	t.Helper()
	u, err := url.Parse(server)
	if err != nil {
		t.Fatal(err)
	}
	target := u.Host
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	u.Host = listener.Addr().String()
	p := &stallingProxy{url: u.String()}
	t.Cleanup(func() { _ = listener.Close() }) // it ends accept, which is all that matters
	go func() {
		for {
			client, err := listener.Accept()
			if err != nil {
				return
			}
			server, err := net.Dial("tcp", target)
			if err != nil {
				_ = client.Close() // the client sees it
				return
			}
			p.mu.Lock()
			p.conns = append(p.conns, client, server)
			p.mu.Unlock()
			go p.pass(client, server)
			go p.pass(server, client)
		}
	}()
	return p
}

func (p *stallingProxy) pass(from, to net.Conn) {
	buffer := make([]byte, 4096)
	for {
		n, err := from.Read(buffer)
		if err != nil {
			_ = to.Close() // what one side ends, ends on the other
			return
		}
		if p.stall.Load() {
			continue
		}
		if _, err := to.Write(buffer[:n]); err != nil {
			_ = from.Close() // likewise
			return
		}
	}
}

func TestAServerThatNeverAnswersHoldsNobodyUp(t *testing.T) {
	t.Parallel()
	f := newFixture(t, "bigint")
	f.tickets("acme", 20_000, "n")
	proxy := newStallingProxy(t, f.url)
	s := f.open(Options{URL: proxy.url, MaxConns: 1})
	s.callTimeout, s.streamIdleTimeout = time.Second, time.Second
	if _, err := s.Now(t.Context()); err != nil {
		t.Fatal(err)
	}
	calls := map[string]func() error{
		"a page": func() error {
			proxy.stall.Store(true)
			_, err := s.Page(t.Context(), PageQuery{Customer: "acme", Partition: tickets("", ""), Limit: 5})
			return err
		},
		"a stream": func() error {
			_, err := s.copyView(t.Context(), copyQuery{Customer: "acme", View: "tickets", Partition: tickets("", "")}, stallingWriter{proxy})
			return err
		},
	}
	for name, call := range calls {
		begin := time.Now()
		err := call()
		if err == nil || Permanent(err) || errors.Is(err, context.Canceled) {
			t.Errorf("%s: %v", name, err)
		}
		if lasted := time.Since(begin); lasted > 10*time.Second {
			t.Errorf("%s lasted %s", name, lasted)
		}
		proxy.heal()
		if _, err := s.Now(t.Context()); err != nil {
			t.Errorf("after %s: %v", name, err)
		}
	}
}

// stallingWriter stalls the server with the first bytes that arrive.
type stallingWriter struct{ proxy *stallingProxy }

func (w stallingWriter) Write(b []byte) (int, error) {
	w.proxy.stall.Store(true)
	return len(b), nil
}

func TestACancelledPageLeavesNoSessionInATransaction(t *testing.T) {
	t.Parallel()
	f := newFixture(t, "bigint")
	f.tickets("acme", 2, "n")
	release := f.hold("lock table farewell.attachments") // the third query of a page waits
	defer release()
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() {
		_, err := f.Page(ctx, PageQuery{Customer: "acme", Partition: tickets("", ""), Limit: 5})
		done <- err
	}()
	for len(f.column("select 'x' from pg_stat_activity, pg_sleep(0.01) where application_name = 'farewell' and wait_event_type = 'Lock' and datname = current_database()")) == 0 {
	}
	cancel()
	if err := <-done; !errors.Is(err, context.Canceled) || Permanent(err) {
		t.Errorf("%v", err)
	}
	f.wantNoTransaction()
}

func TestSessionsAreReadOnlyAndBounded(t *testing.T) {
	t.Parallel()
	f := newFixture(t, "bigint")
	conn, err := f.pool.Acquire(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Release()
	for name, want := range map[string]string{
		"application_name":                    "farewell",
		"default_transaction_read_only":       "on",
		"statement_timeout":                   "15s",
		"lock_timeout":                        "5s",
		"idle_in_transaction_session_timeout": "30s",
	} {
		var got string
		if err := conn.QueryRow(t.Context(), "select current_setting($1)", name).Scan(&got); err != nil || got != want {
			t.Errorf("%s is %q (%v), want %q", name, got, err, want)
		}
	}
	if _, err := conn.Exec(t.Context(), "create table farewell.x ()"); err == nil || !strings.Contains(err.Error(), "25006") {
		t.Errorf("writing: %v", err)
	}
}
