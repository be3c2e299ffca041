package zendesktest_test

import (
	"encoding/base64"
	"net/http"
	"testing"
)

func (z zendesk) grant(form object) reply {
	z.t.Helper()
	sandboxOnly(z.t, "it has an OAuth client of its own")
	body := object{"client_id": "farewell-" + z.name, "client_secret": "secret-" + z.name}
	for key, value := range form {
		body[key] = value
	}
	return send(z.t, "POST", z.site.url+"/accounts/"+z.name+"/oauth/tokens", body, nil)
}

func TestFact09ClientCredentials(t *testing.T) {
	t.Parallel()
	z := newAccount(t, nil)
	r := z.grant(object{"grant_type": "client_credentials", "scope": "read write"}).is(t, 201)
	equal(t, "expires_in", r.at("expires_in"), 1800)
	equal(t, "token_type", r.at("token_type"), "bearer")
	z.token = text(r.at("access_token"))
	equal(t, "role", z.get("users/me").at("user", "role"), "admin")
	equal(t, "expires_in as asked", z.grant(object{"grant_type": "client_credentials", "expires_in": 7200}).at("expires_in"), 7200)
	form := send(t, "POST", z.site.url+"/accounts/acme/oauth/tokens", "grant_type=client_credentials&client_id=farewell-acme&client_secret=secret-acme",
		http.Header{"Content-Type": {"application/x-www-form-urlencoded"}})
	form.is(t, 201)
}

func TestFact09RefusedGrants(t *testing.T) {
	t.Parallel()
	sandboxOnly(t, "it has an OAuth client of its own")
	z := newAccount(t, nil)
	for _, row := range []struct {
		name   string
		form   object
		status int
		code   string
	}{
		{"wrong secret", object{"grant_type": "client_credentials", "client_secret": "x"}, 401, "invalid_client"},
		{"unknown grant", object{"grant_type": "password"}, 400, "unsupported_grant_type"},
		{"lifetime too short", object{"grant_type": "client_credentials", "expires_in": 10}, 400, "invalid_request"},
		{"unknown refresh token", object{"grant_type": "refresh_token", "refresh_token": "x"}, 400, "invalid_grant"},
		{"used code", object{"grant_type": "authorization_code", "code": "x"}, 400, "invalid_grant"},
	} {
		t.Run(row.name, func(t *testing.T) {
			equal(t, "error", z.grant(row.form).is(t, row.status).at("error"), row.code)
		})
	}
}

func TestFact09RefreshTokenRotatesAndTheOldPairDies(t *testing.T) {
	t.Parallel()
	z := newAccount(t, nil)
	first := text(z.configure(object{})["oauth_refresh_token"])
	a := z.grant(object{"grant_type": "refresh_token", "refresh_token": first}).is(t, 201)
	b := z.grant(object{"grant_type": "refresh_token", "refresh_token": a.at("refresh_token")}).is(t, 201)
	equal(t, "old refresh token", z.grant(object{"grant_type": "refresh_token", "refresh_token": first}).is(t, 400).at("error"), "invalid_grant")
	z.token = text(a.at("access_token"))
	z.get("users/me").is(t, 401)
	z.token = text(b.at("access_token"))
	z.get("users/me").is(t, 200)
}

func TestFact09AccessTokenExpires(t *testing.T) {
	t.Parallel()
	z := newAccount(t, object{"token_lifetime_seconds": 1})
	r := z.grant(object{"grant_type": "client_credentials", "expires_in": 3600})
	equal(t, "expires_in", r.at("expires_in"), 1)
	z.token = text(r.at("access_token"))
	z.get("tickets").is(t, 200)
	until(t, "a 401", func() bool { return z.get("tickets").status == 401 })
}

func TestFact09TokenExpiresInTheMiddle(t *testing.T) {
	t.Parallel()
	z := newAccount(t, fault("expired_token", object{"skip": 1, "on": "tickets"}))
	z.token = text(z.grant(object{"grant_type": "client_credentials"}).at("access_token"))
	z.get("tickets").is(t, 200)
	z.get("tickets").is(t, 401)
	z.get("tickets").is(t, 401)
	z.token = text(z.grant(object{"grant_type": "client_credentials"}).at("access_token"))
	z.get("tickets").is(t, 200)
}

func TestFact09UsersMeIsAnonymousWithoutCredentials(t *testing.T) {
	t.Parallel()
	z := newAccount(t, nil)
	basic := func(user, password string) string {
		return "Basic " + base64.StdEncoding.EncodeToString([]byte(user+":"+password))
	}
	for _, row := range []struct {
		name, authorization string
		me, other           int
		id                  bool
	}{
		{"none", "", 200, 401, false},
		{"password", basic("owner@acme.example", "secret"), 200, 401, false},
		{"wrong bearer", "Bearer x", 401, 401, false},
		{"wrong API token", basic("owner@acme.example/token", "x"), 401, 401, false},
		{"API token of another", basic("nobody@acme.example/token", "sandbox-acme"), 401, 401, false},
		{"bearer", "Bearer sandbox-acme", 200, 200, true},
		{"API token", basic("owner@acme.example/token", "sandbox-acme"), 200, 200, true},
	} {
		t.Run(row.name, func(t *testing.T) {
			if row.name != "none" && row.name != "wrong bearer" {
				sandboxOnly(t, "it has credentials of its own")
			}
			header := http.Header{}
			if row.authorization != "" {
				header.Set("Authorization", row.authorization)
			}
			me := send(t, "GET", z.url+"users/me.json", nil, header).is(t, row.me)
			equal(t, "has an id", me.at("user", "id") != nil, row.id)
			other := send(t, "GET", z.url+"tickets.json", nil, header).is(t, row.other)
			if row.other == 401 {
				equal(t, "error", other.at("error"), "Couldn't authenticate you")
			}
		})
	}
}

func TestFact09UnknownAccountIsNotFound(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	send(t, "GET", s.url+"/accounts/nobody/api/v2/users/me.json", nil, nil).is(t, 404)
	send(t, "POST", s.url+"/accounts/nobody/oauth/tokens", object{}, nil).is(t, 404)
}
