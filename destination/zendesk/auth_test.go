package zendesk_test

import (
	"context"
	"strings"
	"sync"
	"testing"
	"time"

	"farewell/destination"
	"farewell/destination/zendesk"
	"farewell/migration"
)

// oauth opens the account with its OAuth client.
func (s *sandbox) oauth(t *testing.T) *zendesk.Account {
	t.Helper()
	account := s.account()
	account.Auth = zendesk.AuthClientCredentials
	account.Secret = func() (string, error) { return "farewell-acme:secret-acme", nil }
	return open(t, zendesk.Options{Account: account, Timings: timings()})
}

const tokens = "POST /oauth/tokens"

func TestTokenIsRenewedBeforeItEnds(t *testing.T) {
	t.Parallel()
	s := newSandbox(t, map[string]any{"token_lifetime_seconds": 2})
	a := s.oauth(t)
	for end := time.Now().Add(5 * time.Second); time.Now().Before(end); {
		prepare(t, a, migration.Users, migration.Page{Users: []migration.User{{ID: "1"}}})
	}
	if n := s.requests(t, tokens); n < 2 || n > 6 {
		t.Errorf("%d tokens in 5 s of 2 s each", n)
	}
	if n := s.answers(t, "401"); n != 0 {
		t.Errorf("%d answers were 401: tokens should be renewed before their end", n)
	}
}

func (s *sandbox) answers(t *testing.T, status string) int {
	t.Helper()
	answers, ok := s.stats(t)["answers"].(map[string]any)
	if !ok {
		t.Fatal("the statistics have no answers")
	}
	n, _ := answers[status].(float64) // absent: none
	return int(n)
}

func TestManyCallersFetchOneToken(t *testing.T) {
	t.Parallel()
	s := newSandbox(t, nil)
	a := s.oauth(t)
	var wait sync.WaitGroup
	for range 20 {
		wait.Go(func() { prepare(t, a, migration.Tickets, tickets("t", 1)) })
	}
	wait.Wait()
	if n := s.requests(t, tokens); n != 1 {
		t.Errorf("%d tokens were fetched, want 1", n)
	}
}

func TestExpiredTokenIsRenewedOnceAndAPostIsNotRepeated(t *testing.T) {
	t.Parallel()
	s := newSandbox(t, nil)
	a := s.oauth(t)
	prepare(t, a, migration.Users, migration.Page{Users: []migration.User{{ID: "1"}}})
	s.configure(t, fault("expired_token", "users", map[string]any{"count": 1}))
	prepare(t, a, migration.Users, migration.Page{Users: []migration.User{{ID: "1"}}}) // a GET goes on by itself

	b, parcel := prepare(t, a, migration.Tickets, tickets("t", 1))
	s.configure(t, fault("expired_token", "imports", map[string]any{"count": 1}))
	_, err := a.Submit(within(t), b, parcel)
	if kind := destination.KindOf(err); kind != destination.Temporary || s.requests(t, importMany) != 1 {
		t.Errorf("error %v after %d arrivals, want a temporary refusal of one", err, s.requests(t, importMany))
	}
	if _, err := a.Submit(within(t), b, parcel); err != nil {
		t.Errorf("the next request: %v", err)
	}
}

func TestWrongSecretsAreTold(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ auth, secret string }{
		"a wrong token":          {zendesk.AuthBearer, "wrong-sesame"},
		"a wrong client":         {zendesk.AuthClientCredentials, "farewell-acme:wrong-sesame"},
		"a secret of one part":   {zendesk.AuthClientCredentials, "wrong-sesame"},
		"an API token's form":    {zendesk.AuthAPIToken, "wrong-sesame"},
		"a wrong API token":      {zendesk.AuthAPIToken, "owner@example.com:wrong-sesame"},
		"an agent, not an admin": {zendesk.AuthBearer, "sandbox-acme-agent"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newSandbox(t, nil)
			account := s.account()
			account.Auth, account.Secret = c.auth, func() (string, error) { return c.secret, nil }
			began := time.Now()
			checks, err := open(t, zendesk.Options{Account: account, Timings: timings()}).Preflight(within(t), destination.PreflightInput{})
			if err != nil {
				t.Fatalf("preflight: %v", err)
			}
			bad := failing(checks)
			if len(bad) != 1 || !bad[0].Fatal || !bad[0].Credential || bad[0].Fix == "" {
				t.Errorf("checks %+v, want one that is fatal, about credentials, with what to do", checks)
			}
			for _, c := range checks {
				if strings.Contains(c.Text+c.Fix, "sesame") {
					t.Errorf("the secret is in %+v", c)
				}
			}
			if took := time.Since(began); took > 5*time.Second {
				t.Errorf("it took %s", took)
			}
		})
	}
}

func failing(checks []destination.Check) []destination.Check {
	var bad []destination.Check
	for _, c := range checks {
		if !c.OK {
			bad = append(bad, c)
		}
	}
	return bad
}

func TestRotatedSecretIsPickedUp(t *testing.T) {
	t.Parallel()
	s := newSandbox(t, nil)
	account := s.account()
	var mu sync.Mutex
	secret := "old"
	account.Secret = func() (string, error) {
		mu.Lock()
		defer mu.Unlock()
		return secret, nil
	}
	a := open(t, zendesk.Options{Account: account, Timings: timings()})
	in := destination.PrepareInput{Entity: migration.Users, Page: migration.Page{Users: []migration.User{{ID: "1"}}}, Directory: nobody}
	if _, err := a.Prepare(context.Background(), in); destination.KindOf(err) != destination.Credentials {
		t.Errorf("error %v, want credentials", err)
	}
	mu.Lock()
	secret = "sandbox-acme"
	mu.Unlock()
	if _, err := a.Prepare(context.Background(), in); err != nil {
		t.Errorf("with the new secret: %v", err)
	}
}
