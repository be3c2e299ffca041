package zendesk_test

import (
	"net/http/httptest"
	"testing"
	"time"

	"farewell/destination"
	"farewell/destination/destinationtest"
	"farewell/destination/zendesk"
	"farewell/destination/zendesk/zendesktest"
	"farewell/migration"
)

// scale makes a minute of the sandbox half a second.
const scale = 120

// sandbox serves one account of the pretended Zendesk.
type sandbox struct {
	*zendesktest.Server
	http *httptest.Server
}

func newSandbox(t *testing.T, settings map[string]any) *sandbox {
	t.Helper()
	server, err := zendesktest.New(zendesktest.Options{})
	if err != nil {
		t.Fatal(err)
	}
	s := &sandbox{Server: server, http: httptest.NewServer(server)}
	t.Cleanup(s.http.Close)
	all := map[string]any{"time_scale": scale, "seconds_per_ticket": 0.15, "bulk_users": true}
	for k, v := range settings {
		all[k] = v
	}
	if err := server.CreateAccount("acme", all); err != nil {
		t.Fatal(err)
	}
	return s
}

func timings() migration.Timings {
	t := migration.DefaultTimings().Scaled(scale)
	t.LookupEvery = 100 * time.Millisecond
	return t
}

func (s *sandbox) account() destination.Account {
	return destination.Account{
		Name: "acme", Customer: "c1", Kind: migration.DestinationZendesk,
		URL: s.http.URL + "/accounts/acme", PlanPerMinute: 700, ReservedPercent: 20,
		Auth: zendesk.AuthBearer, Secret: func() (string, error) { return "sandbox-acme", nil },
	}
}

func open(t *testing.T, o zendesk.Options) *zendesk.Account {
	t.Helper()
	a, err := zendesk.Open(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := a.Close(); err != nil {
			t.Error(err)
		}
	})
	return a
}

func (s *sandbox) open(t *testing.T) *zendesk.Account {
	t.Helper()
	return open(t, zendesk.Options{Account: s.account(), Timings: timings()})
}

func TestAccountConforms(t *testing.T) {
	t.Parallel()
	for name, settings := range map[string]map[string]any{
		"bulk users on":  {"poison": map[string]any{"marker": "poison"}},
		"bulk users off": {"poison": map[string]any{"marker": "poison"}, "bulk_users": false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			destinationtest.RunBatches(t, func(t *testing.T) destinationtest.Account {
				return destinationtest.Account{
					Destination: newSandbox(t, settings).open(t),
					Poison:      func(t *migration.Ticket) { t.Subject = "poison" },
				}
			})
		})
	}
}
