package zendesk_test

import (
	"context"
	"io"
	"net"
	"net/http"
	"sync"
	"testing"
	"time"

	"farewell/destination"
	"farewell/destination/zendesk"
	"farewell/migration"
)

// heartbeat is how long an activity may be silent: every single call must have
// returned by then.
const heartbeat = 25 * time.Second

// TestEveryRequestLeavesAPeerThatDoesNotAnswer makes each kind of request to a
// peer that says nothing, and to one that says a byte a second and never comes
// to an end.
func TestEveryRequestLeavesAPeerThatDoesNotAnswer(t *testing.T) {
	t.Parallel()
	gone := make(chan struct{})
	t.Cleanup(func() { close(gone) })
	peers := map[string]func(net.Conn, func() *http.Request){
		"silent": func(net.Conn, func() *http.Request) { <-gone },
		"dripping": func(c net.Conn, next func() *http.Request) {
			next()
			_, err := io.WriteString(c, "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 100000\r\n\r\n")
			tick := time.NewTicker(time.Second)
			defer tick.Stop()
			for err == nil {
				select {
				case <-tick.C:
					_, err = io.WriteString(c, " ")
				case <-gone:
					return
				}
			}
		},
	}
	person := migration.Page{Users: []migration.User{{ID: "7", Name: "Ann", Email: "ann@example.com"}}}
	calls := map[string]func(context.Context, *zendesk.Account) error{
		"preflight": func(ctx context.Context, a *zendesk.Account) error {
			_, err := a.Preflight(ctx, destination.PreflightInput{})
			return err
		},
		"look for people": func(ctx context.Context, a *zendesk.Account) error {
			_, err := a.Prepare(ctx, destination.PrepareInput{Entity: migration.Users, Page: person})
			return err
		},
		"import": func(ctx context.Context, a *zendesk.Account) error {
			b, parcel := batch(time.Now().Add(heartbeat))
			_, err := a.Submit(ctx, b, parcel)
			return err
		},
		"delete": func(ctx context.Context, a *zendesk.Account) error { return a.Delete(ctx, migration.Tickets, "17") },
		"inventory of people": func(ctx context.Context, a *zendesk.Account) error {
			return a.Inventory(ctx, migration.Users, []string{"7"}, func(migration.Item) error { return nil })
		},
		"look up a doubt": func(ctx context.Context, a *zendesk.Account) error {
			b, _ := batch(time.Now().Add(-time.Hour))
			_, err := a.Lookup(ctx, destination.Doubt{Batch: b}, func(context.Context, []string) (map[string]bool, error) { return nil, nil })
			return err
		},
	}
	// All at once, whatever number of tests may run beside each other: each waits.
	var waiting sync.WaitGroup
	defer waiting.Wait()
	for kind, handle := range peers {
		for name, call := range calls {
			a := newPeer(t, handle).open(t)
			waiting.Go(func() { leaves(t, kind+": "+name, func() error { return call(context.Background(), a) }) })
		}
		a := open(t, zendesk.Options{Account: destination.Account{
			Name: "peer", URL: newPeer(t, handle).address, PlanPerMinute: 1_000_000, Auth: zendesk.AuthClientCredentials,
			Secret: func() (string, error) { return "client:secret", nil },
		}, Timings: timings()})
		waiting.Go(func() {
			leaves(t, kind+": fetch a token", func() error { return a.Delete(context.Background(), migration.Tickets, "17") })
		})
	}
}

// leaves fails the test when a call succeeds, or holds for longer than a
// heartbeat.
func leaves(t *testing.T, what string, call func() error) {
	began := time.Now()
	if err := call(); err == nil {
		t.Errorf("%s: no answer is no success", what)
	}
	if took := time.Since(began); took > heartbeat {
		t.Errorf("%s: the call held for %s, longer than a heartbeat", what, took)
	}
}
