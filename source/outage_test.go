package source

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/url"
	"sync"
	"testing"
	"time"

	"farewell/migration"
)

// lifted is a way to the server that can be taken away and put back.
type lifted struct {
	t      *testing.T
	server string
	at     string

	mu     sync.Mutex
	listen net.Listener
	conns  []net.Conn
}

func (l *lifted) down() {
	l.mu.Lock()
	defer l.mu.Unlock()
	_ = l.listen.Close()
	for _, c := range l.conns {
		_ = c.Close()
	}
	l.conns = nil
}

func (l *lifted) up() {
	listen, err := new(net.ListenConfig).Listen(context.Background(), "tcp", l.at)
	if err != nil {
		l.t.Error(err)
		return
	}
	l.mu.Lock()
	l.listen, l.at = listen, listen.Addr().String()
	l.mu.Unlock()
	go func() {
		for {
			near, err := listen.Accept()
			if err != nil {
				return
			}
			far, err := new(net.Dialer).DialContext(context.Background(), "tcp", l.server)
			if err != nil {
				_ = near.Close()
				continue
			}
			l.mu.Lock()
			l.conns = append(l.conns, near, far)
			l.mu.Unlock()
			go func() { _, _ = io.Copy(near, far) }()
			go func() { _, _ = io.Copy(far, near) }()
		}
	}()
}

var allTickets = PageQuery{Customer: "acme", Partition: migration.Partition{Entity: migration.Tickets}, Limit: 10}

// overALiftedWay is a source behind a way that is up, and that it has gone once.
func overALiftedWay(t *testing.T, pace Pace) (*lifted, Governed) {
	t.Helper()
	address, err := url.Parse(newFixture(t, "bigint").url)
	if err != nil {
		t.Fatal(err)
	}
	way := &lifted{t: t, server: address.Host, at: "127.0.0.1:0"}
	way.up()
	t.Cleanup(way.down)
	address.Host = way.at
	through := must(Open(t.Context(), Options{URL: address.String()}))(t)
	t.Cleanup(through.Close)
	g := through.Govern(pace, slog.New(slog.DiscardHandler))
	t.Cleanup(g.Close)
	governed := Governed{through, g}
	if _, err := governed.Page(t.Context(), allTickets); err != nil {
		t.Fatal(err)
	}
	return way, governed
}

func TestPageOutlastsAnOutageAndSaysThatTheSourceIsDown(t *testing.T) {
	t.Parallel()
	way, g := overALiftedWay(t, ungoverned{})
	if r := g.Down(); r.Code != "" {
		t.Errorf("the source answers, and the reason is %+v", r)
	}
	way.down()
	read := make(chan error, 1)
	go func() {
		_, err := g.Page(t.Context(), allTickets)
		read <- err
	}()
	for g.Down().Code != "source_down" {
		select {
		case err := <-read:
			t.Fatalf("the page ended with %v while the source was down", err)
		case <-time.After(10 * time.Millisecond):
		}
	}
	way.up()
	if err := <-read; err != nil {
		t.Errorf("after the outage: %v", err)
	}
	if r := g.Down(); r.Code != "" {
		t.Errorf("after the outage the reason is %+v", r)
	}
}

func TestOutageIsNamedWhenNobodyReads(t *testing.T) {
	t.Parallel()
	way, g := overALiftedWay(t, leading{})
	way.down()
	await(t, func() bool { return g.Down().Code == "source_down" })
	way.up()
	await(t, func() bool { return g.Down().Code == "" })
}

// await looks again and again, for half a minute.
func await(t *testing.T, holds func() bool) {
	t.Helper()
	over := time.After(30 * time.Second)
	for !holds() {
		select {
		case <-over:
			t.Fatal("it did not happen")
		case <-time.After(10 * time.Millisecond):
		}
	}
}

// leading is a pace without bounds that has this worker look at the source.
type leading struct{ ungoverned }

func (leading) Lead(context.Context) (migration.SourcePace, bool, error) {
	return migration.SourcePace{}, true, nil
}

// ungoverned is a pace without bounds.
type ungoverned struct{}

func (ungoverned) Queries(_ context.Context, _, _, limit int) (int, error) { return limit, nil }

func (ungoverned) Spend(context.Context, int, float64) (time.Duration, error) { return 0, nil }

func (ungoverned) Lead(context.Context) (migration.SourcePace, bool, error) {
	return migration.SourcePace{}, false, nil
}

func (ungoverned) Govern(context.Context, migration.SourcePace) error { return nil }

func TestReadThatIsNotAnsweredIsNamedBeforeItFails(t *testing.T) {
	t.Parallel()
	o := newOutage()
	end := o.begin()
	now := time.Now()
	if r := o.reason(now.Add(silence - time.Second)); r.Code != "" {
		t.Errorf("a read of some seconds is named: %+v", r)
	}
	if r := o.reason(now.Add(silence + time.Second)); r.Code != "source_down" || r.Since.After(now) {
		t.Errorf("a read that is not answered is not named: %+v", r)
	}
	end(nil)
	if r := o.reason(now.Add(time.Hour)); r.Code != "" {
		t.Errorf("its answer came, and the reason is %+v", r)
	}
}

func TestWhatTheSourceRefusesIsNoOutage(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		err  error
		down bool
	}{
		"connection refused":      {&Error{cause: errors.New("connection refused")}, true},
		"no answer in time":       {&Error{cause: errCallTimeout}, true},
		"being stopped":           {&Error{SQLState: "57P01"}, true},
		"too many connections":    {&Error{SQLState: "53300"}, true},
		"statement timeout":       {&Error{SQLState: "57014"}, false},
		"missing view":            {&Error{SQLState: "42P01", Permanent: true}, false},
		"refused on this side":    {&Error{Permanent: true}, false},
		"the caller's own cancel": {&Error{cause: context.Canceled}, false},
		"the stream's writer":     {&Error{cause: &writeError{io.ErrShortWrite}}, false},
	} {
		if outOfReach(c.err) != c.down {
			t.Errorf("%s: an outage is %v, want %v", name, !c.down, c.down)
		}
	}
}
