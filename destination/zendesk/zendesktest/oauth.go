package zendesktest

import (
	"encoding/json"
	"maps"
	"net/http"
	"net/url"
	"strings"
)

// token is a credential: static, or given out by /oauth/tokens.
type token struct {
	user    *user
	expires int64 // nanoseconds, 0 never
	refresh string
}

type tokenStore struct {
	access  map[string]*token
	refresh map[string]string // refresh token to the access token that it came with
	issued  int64
	current string // the latest refresh token, as the control API shows it
}

func newTokenStore() tokenStore {
	return tokenStore{access: map[string]*token{}, refresh: map[string]string{}}
}

// issueStaticTokens makes what an operator would have made by hand: an API token of the owner and one of the agent, and
// the pair that a customer's consent (authorization_code) left.
func (a *account) issueStaticTokens() {
	a.tokens.access["sandbox-"+a.name] = &token{user: a.users.all[0]}
	a.tokens.access["sandbox-"+a.name+"-agent"] = &token{user: a.users.all[1]}
	a.tokens.current = a.secret("refresh", 0)
	a.tokens.refresh[a.tokens.current] = ""
}

func (a *account) oauthClientID() string     { return "farewell-" + a.name }
func (a *account) oauthClientSecret() string { return "secret-" + a.name }

// grant is the request of a token.
type grant struct {
	Type         string `json:"grant_type"`
	ClientID     string `json:"client_id"`
	ClientSecret string `json:"client_secret"`
	RefreshToken string `json:"refresh_token"`
	Scope        string `json:"scope"`
	ExpiresIn    int64  `json:"expires_in"`
}

// parseGrant reads JSON, or a form.
func parseGrant(a *account, q *request) (refused *answer) {
	var g grant
	if strings.Contains(q.mime, "json") {
		if json.Unmarshal(q.body, &g) != nil {
			reply := malformedJSON()
			return &reply
		}
		q.input = g
		return nil
	}
	form, err := url.ParseQuery(string(q.body))
	if err != nil {
		reply := oauthError(http.StatusBadRequest, "invalid_request", "The form cannot be read")
		return &reply
	}
	q.input = grant{
		Type: form.Get("grant_type"), ClientID: form.Get("client_id"), ClientSecret: form.Get("client_secret"),
		RefreshToken: form.Get("refresh_token"), Scope: form.Get("scope"), ExpiresIn: atoi(form.Get("expires_in")),
	}
	return nil
}

func oauthError(status int, code, description string) answer {
	return jsonAnswer(status, mustMarshal(map[string]string{"error": code, "error_description": description}))
}

// issueToken is POST /oauth/tokens for the grants client_credentials and refresh_token. A refresh ends the old pair.
func issueToken(a *account, q *request) answer {
	g := q.input.(grant)
	if g.ClientID != a.oauthClientID() || g.ClientSecret != a.oauthClientSecret() {
		return oauthError(http.StatusUnauthorized, "invalid_client", "The client id or secret is wrong")
	}
	if g.ExpiresIn != 0 && (g.ExpiresIn < 300 || g.ExpiresIn > 172_800) {
		return oauthError(http.StatusBadRequest, "invalid_request", "expires_in must be between 300 and 172800 seconds")
	}
	switch g.Type {
	case "client_credentials":
		return a.grantToken(q, g, false)
	case "refresh_token":
		old, known := a.tokens.refresh[g.RefreshToken]
		if !known {
			return oauthError(http.StatusBadRequest, "invalid_grant", "The refresh token is invalid, expired or revoked")
		}
		delete(a.tokens.refresh, g.RefreshToken)
		delete(a.tokens.access, old)
		return a.grantToken(q, g, true)
	case "authorization_code":
		return oauthError(http.StatusBadRequest, "invalid_grant", "The authorization code is invalid, expired or revoked")
	}
	return oauthError(http.StatusBadRequest, "unsupported_grant_type", "The grant type is not supported")
}

func (a *account) grantToken(q *request, g grant, withRefresh bool) answer {
	lifetime := int64(1800)
	if g.ExpiresIn != 0 {
		lifetime = g.ExpiresIn
	}
	if a.settings.TokenLifetimeSeconds != 0 {
		lifetime = int64(a.settings.TokenLifetimeSeconds)
	}
	maps.DeleteFunc(a.tokens.access, func(_ string, t *token) bool { return t.expires != 0 && q.now >= t.expires })
	a.tokens.issued++
	given := &token{user: a.users.all[0], expires: q.now + lifetime*1e9}
	access := a.secret("access", a.tokens.issued)
	a.tokens.access[access] = given
	scope := g.Scope
	if scope == "" {
		scope = "read write"
	}
	reply := map[string]any{"access_token": access, "token_type": "bearer", "scope": scope, "expires_in": lifetime}
	if withRefresh {
		given.refresh = a.secret("refresh", a.tokens.issued)
		a.tokens.refresh[given.refresh] = access
		a.tokens.current = given.refresh
		reply["refresh_token"], reply["refresh_token_expires_in"] = given.refresh, 30*24*60*60
	}
	return jsonAnswer(http.StatusCreated, mustMarshal(reply)) // so Zendesk's own OpenAPI file
}
