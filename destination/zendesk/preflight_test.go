package zendesk_test

import (
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"farewell/destination"
	"farewell/destination/zendesk"
	"farewell/migration"
)

func TestPreflightOfAGoodAccountFindsNothingWrong(t *testing.T) {
	t.Parallel()
	s := newSandbox(t, nil)
	checks, err := s.open(t).Preflight(within(t), destination.PreflightInput{LedgerEmpty: true})
	if err != nil || len(failing(checks)) != 0 {
		t.Fatalf("checks %+v, error %v", checks, err)
	}
	var names []string
	for _, c := range checks {
		names = append(names, c.Name)
	}
	want := []string{"address", "credentials", "role", "token", "rate_limit", "clock", "job_list", "incremental_export", "our_tag", "bulk_users", "agent"}
	if !slices.Equal(names, want) {
		t.Errorf("checks %v, want %v", names, want)
	}
	for name := range s.stats(t)["requests_by_endpoint"].(map[string]any) {
		if !strings.HasPrefix(name, "GET ") && name != "POST /api/v2/users/create_many" {
			t.Errorf("preflight sent %s", name)
		}
	}
}

func TestPreflightRefusesAnAccountThatCarriesOurTag(t *testing.T) {
	t.Parallel()
	s := newSandbox(t, map[string]any{"index_lag_seconds": 0})
	a := s.open(t)
	receipt, b, err := submit(t, a, tickets("t", 3))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := a.Await(within(t), receipt.JobID, migration.Tickets, b.SourceIDs); err != nil {
		t.Fatal(err)
	}
	for empty, want := range map[bool]int{true: 1, false: 0} {
		checks, err := a.Preflight(within(t), destination.PreflightInput{LedgerEmpty: empty})
		bad := failing(checks)
		if err != nil || len(bad) != want {
			t.Fatalf("ledger empty: %t: %+v, error %v; want %d", empty, bad, err, want)
		}
		if want == 1 && (bad[0].Name != "our_tag" || !bad[0].Fatal || bad[0].Override != "" || !strings.HasPrefix(bad[0].Text, "3 tickets")) {
			t.Errorf("check %+v, want a fatal our_tag that nothing overrides", bad[0])
		}
	}
}

func TestPreflightWarns(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		change func(*destination.Account)
		check  string
		says   string
	}{
		"of a plan above the account's": {func(a *destination.Account) { a.PlanPerMinute = 2500 }, "rate_limit", "700"},
		"of a plan that is not given":   {func(a *destination.Account) { a.PlanPerMinute = 0 }, "rate_limit", "700"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			account := newSandbox(t, nil).account()
			c.change(&account)
			checks, err := open(t, zendesk.Options{Account: account, Timings: timings()}).Preflight(within(t), destination.PreflightInput{})
			bad := failing(checks)
			if err != nil || len(bad) != 1 || bad[0].Name != c.check || bad[0].Fatal || !strings.Contains(bad[0].Text, c.says) {
				t.Errorf("checks %+v, error %v; want a warning %s of %s", bad, err, c.check, c.says)
			}
		})
	}
}

func TestPreflightOfAWrongAddress(t *testing.T) {
	t.Parallel()
	stranger := httptest.NewTLSServer(http.NotFoundHandler())
	t.Cleanup(stranger.Close)
	stranger.Config.ErrorLog = log.New(io.Discard, "", 0) // its complaint about the handshake is the aim
	for name, address := range map[string]string{
		"an account that is not there":   newSandbox(t, nil).account().URL + "-other",
		"a host that does not exist":     "https://farewell.invalid",
		"a host with a foreign identity": stranger.URL,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			account := newSandbox(t, nil).account()
			account.URL = address
			checks, err := open(t, zendesk.Options{Account: account, Timings: timings()}).Preflight(within(t), destination.PreflightInput{})
			bad := failing(checks)
			if err != nil || len(bad) != 1 || bad[0].Name != "address" || !bad[0].Fatal || bad[0].Credential {
				t.Errorf("checks %+v, error %v; want the address to be at fault", bad, err)
			}
		})
	}
}

func TestOpenRefusesSettingsWithTheFix(t *testing.T) {
	t.Parallel()
	good := destination.Account{Name: "a", URL: "https://acme.zendesk.com", Auth: zendesk.AuthBearer, Secret: func() (string, error) { return "", nil }}
	for name, change := range map[string]func(*zendesk.Options){
		"no url":              func(o *zendesk.Options) { o.Account.URL = "" },
		"a url with password": func(o *zendesk.Options) { o.Account.URL = "https://u:sesame@acme.zendesk.com" },
		"a url that is none":  func(o *zendesk.Options) { o.Account.URL = "https://sesame:x:y/%zz" },
		"an unknown auth":     func(o *zendesk.Options) { o.Account.Auth = "password" },
		"no secret":           func(o *zendesk.Options) { o.Account.Secret = nil },
		"no timings":          func(o *zendesk.Options) { o.Timings = migration.Timings{} },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			o := zendesk.Options{Account: good, Timings: migration.DefaultTimings()}
			change(&o)
			_, err := zendesk.Open(o)
			if destination.KindOf(err) != destination.Misconfigured || strings.Contains(err.Error(), "sesame") {
				t.Errorf("error %v, want misconfigured, without the secret", err)
			}
		})
	}
}

func TestOpenTakesUrlsAsPeopleWriteThem(t *testing.T) {
	t.Parallel()
	s := newSandbox(t, nil)
	for _, suffix := range []string{"", "/", "/api/v2", "/api/v2/"} {
		account := s.account()
		account.URL += suffix
		a := open(t, zendesk.Options{Account: account, Timings: timings()})
		if _, err := a.Preflight(within(t), destination.PreflightInput{}); err != nil || a.WaitingFor().Code != "" {
			t.Errorf("%q: %v", suffix, err)
		}
	}
}

func TestReasonNamesTheRateWindowsEnd(t *testing.T) {
	t.Parallel()
	s := newSandbox(t, nil)
	account := s.account()
	account.PlanPerMinute = 2
	slow := timings()
	slow.RateWindow, slow.LaneWait = 24*time.Hour, 48*time.Hour
	a := open(t, zendesk.Options{Account: account, Timings: slow})
	release, err := a.Reserve(within(t))
	if err != nil {
		t.Fatal(err)
	}
	release()
	ctx := within(t)
	go func() { _, _ = a.Reserve(ctx) }() // waits to the test's end
	eventually(t, time.Second, func() bool { return a.WaitingFor().Code == "rate_window" })
	r := a.WaitingFor()
	if !r.Until.Equal(r.Until.Truncate(24*time.Hour)) || r.Since.IsZero() || r.Text != "Zendesk's rate window is used up until 00:00:00 UTC" {
		t.Errorf("reason %+v", r)
	}
}
