package zendesktest

import (
	"encoding/base64"
	"strings"
)

// authenticate sets the actor. A request without credentials, or with a password, is anonymous: users/me answers it, and
// everything else is a 401. A wrong token is a 401 everywhere.
func (a *account) authenticate(q *request, authorization string) (refused *answer) {
	scheme, credentials, _ := strings.Cut(authorization, " ")
	wrong := false
	switch strings.ToLower(scheme) {
	case "bearer":
		q.credential = credentials
		q.actor = a.bearer(credentials, q.now)
		wrong = q.actor == nil
	case "basic":
		q.actor, wrong = a.basic(credentials, q.now)
	}
	if q.actor != nil || !wrong && q.route != nil && q.route.anonymous {
		return nil
	}
	reply := unauthorized()
	return &reply
}

func (a *account) bearer(credentials string, now int64) *user {
	t := a.tokens.access[credentials]
	if t == nil || t.expires != 0 && now >= t.expires {
		return nil
	}
	return t.user
}

// basic takes {email}/token:{api token}; the token is the user's own.
func (a *account) basic(credentials string, now int64) (actor *user, wrong bool) {
	decoded, err := base64.StdEncoding.DecodeString(credentials)
	if err != nil {
		return nil, true
	}
	name, secret, _ := strings.Cut(string(decoded), ":")
	email, isToken := strings.CutSuffix(name, "/token")
	if !isToken {
		return nil, false // passwords have ended; such a caller is anonymous
	}
	t := a.tokens.access[secret]
	if t == nil || t.expires != 0 || t.user.email() != normalEmail(email) {
		return nil, true
	}
	return t.user, false
}

// expire ends the access token of the request, as if its time had come; a static token only fails this once.
func (a *account) expire(q *request) {
	if t := a.tokens.access[q.credential]; t != nil && t.expires != 0 {
		delete(a.tokens.access, q.credential)
	}
}
