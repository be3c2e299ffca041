package zendesk

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"time"

	"farewell/destination"
)

// How the accounts file spells the kinds of credentials.
const (
	AuthBearer            = "bearer"                   // secret: an access token
	AuthAPIToken          = "api_token"                // secret: email:token
	AuthClientCredentials = "oauth_client_credentials" // secret: client_id:client_secret
)

// credentials makes Authorization headers. Secrets are read at each use.
type credentials interface {
	header(ctx context.Context) (string, error)
	// refused tells that the account answered 401 to the header.
	refused(header string)
	// accepted tells that the account took the header.
	accepted(header string)
	// expired tells whether the header was accepted before, so that a 401 means
	// its end, not a wrong secret.
	expired(header string) bool
}

func newCredentials(a *Account, account destination.Account) (credentials, error) {
	secret := account.Secret
	switch account.Auth {
	case AuthBearer:
		return fixed(func() (string, error) {
			token, err := secret()
			return "Bearer " + token, err
		}), nil
	case AuthAPIToken:
		return fixed(func() (string, error) {
			email, token, err := pair(secret, "email:token")
			return "Basic " + base64.StdEncoding.EncodeToString([]byte(email+"/token:"+token)), err
		}), nil
	case AuthClientCredentials:
		return &clientCredentials{account: a, secret: secret, busy: make(chan struct{}, 1)}, nil
	}
	return nil, fmt.Errorf("its auth is none of %s, %s and %s", AuthClientCredentials, AuthBearer, AuthAPIToken)
}

// fixed is a header made from the secret alone.
type fixed func() (string, error)

func (f fixed) header(context.Context) (string, error) {
	h, err := f()
	if err != nil {
		return "", secretError(err)
	}
	return h, nil
}

func (f fixed) refused(string)  {}
func (f fixed) accepted(string) {}

// expired is true when the secret was changed after the header was made.
func (f fixed) expired(header string) bool {
	now, err := f()
	return err == nil && now != header
}

// clientCredentials fetches access tokens of OAuth's client_credentials grant,
// one fetch at a time (https://developer.zendesk.com/api-reference/ticketing/oauth/grant_type_tokens/).
type clientCredentials struct {
	account *Account
	secret  func() (string, error)
	busy    chan struct{} // holds one while a token is fetched

	mu      sync.Mutex
	current string    // the header; empty: none
	renew   time.Time // when to fetch the next one
	ends    time.Time // when the account takes it no more
	good    string    // the last header that the account took
}

const (
	// renewBefore the end of a token's life, at most a third of it: longer
	// than a call lasts, so that no token ends under way.
	renewBefore = time.Minute
	// assumedLife of a token whose answer names none: Zendesk's default.
	assumedLife = 30 * time.Minute
)

func (c *clientCredentials) header(ctx context.Context) (string, error) {
	if h := c.fresh(); h != "" {
		return h, nil
	}
	select {
	case c.busy <- struct{}{}:
		defer func() { <-c.busy }()
	case <-ctx.Done():
		return "", ctx.Err()
	}
	if h := c.fresh(); h != "" {
		return h, nil // another caller fetched it meanwhile
	}
	err := c.fetch(ctx)
	c.mu.Lock()
	defer c.mu.Unlock()
	if err != nil && (destination.KindOf(err) != destination.Temporary || c.current == "" || time.Now().After(c.ends)) {
		return "", err
	}
	return c.current, nil // when no new one can be had now, the old one serves to its end
}

func (c *clientCredentials) fresh() string {
	c.mu.Lock()
	defer c.mu.Unlock()
	if time.Now().Before(c.renew) {
		return c.current
	}
	return ""
}

func (c *clientCredentials) refused(header string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.current == header {
		c.current = ""
	}
}

func (c *clientCredentials) accepted(header string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.good = header
}

func (c *clientCredentials) expired(header string) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.good == header || c.current != "" && c.current != header
}

// fetch asks for a new token.
func (c *clientCredentials) fetch(ctx context.Context) error {
	id, secret, err := pair(c.secret, "client_id:client_secret")
	if err != nil {
		return secretError(err)
	}
	body, err := json.Marshal(map[string]string{
		"grant_type": "client_credentials", "client_id": id, "client_secret": secret, "scope": "read write",
	})
	if err != nil {
		return fmt.Errorf("encode the token request: %w", err)
	}
	asked := time.Now()
	ans, err := c.account.fetchToken(ctx, body)
	if err != nil {
		return tokenError(err)
	}
	var token struct {
		AccessToken string  `json:"access_token"`
		ExpiresIn   float64 `json:"expires_in"`
	}
	if err := json.Unmarshal(ans.body, &token); err != nil || token.AccessToken == "" {
		return &destination.Error{Op: opToken, Kind: destination.Temporary, Code: "no token in the answer"}
	}
	life := assumedLife
	if token.ExpiresIn > 0 {
		life = time.Duration(token.ExpiresIn * float64(time.Second))
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.current = "Bearer " + token.AccessToken
	c.ends = asked.Add(life)
	c.renew = c.ends.Add(-min(renewBefore, life/3))
	return nil
}

const opToken = "fetch an access token"

// fetchToken makes the request of a token. It counts in the account's pace but
// does not wait for it, since other requests wait for the token.
func (a *Account) fetchToken(ctx context.Context, body []byte) (*answer, error) {
	c := call{op: opToken, method: http.MethodPost, path: "/oauth/tokens", body: body, form: "application/json", noAuth: true}
	limited, cancel := context.WithTimeout(ctx, callLimit)
	defer cancel()
	if err := a.exit.depart(limited, a); err != nil {
		return nil, err
	}
	a.pace.charge()
	ans, err := a.send(limited, c, "", nil)
	if failure := a.judge(ctx, c, "", ans, err); failure != nil {
		return nil, failure
	}
	return ans, nil
}

// tokenError says what a refusal of the token endpoint means: the client is
// unknown there, or its secret is wrong.
func tokenError(err error) error {
	var e *destination.Error
	if errors.As(err, &e) && (e.Kind == destination.Refused || e.Kind == destination.Credentials) {
		e.Kind = destination.Credentials
		e.Fix = "check the OAuth client's id and secret, and that the client is confidential and active"
	}
	return err
}

func secretError(err error) error {
	return &destination.Error{
		Op: "read the account's secret", Kind: destination.Credentials, Code: "secret", Err: err,
		Fix: "check the account's secret_ref",
	}
}

// pair reads a secret of two parts. The error shows the form, not the secret.
func pair(secret func() (string, error), form string) (first, second string, err error) {
	s, err := secret()
	if err != nil {
		return "", "", err
	}
	first, second, ok := strings.Cut(s, ":")
	if !ok || first == "" || second == "" {
		return "", "", fmt.Errorf("the secret is not of the form %s", form)
	}
	return first, second, nil
}
