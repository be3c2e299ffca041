package zendesktest

import (
	"slices"
	"sort"
	"strings"
)

// user is what is stored of a user.
type user struct {
	id             int64
	name           string
	externalID     string
	role           string
	organizationID int64
	identities     []identity
	verified       bool
	suspended      bool
	phone          string
	alias          string
	notes          string
	details        string
	signature      string
	timeZone       string
	locale         string
	tags           []string
	fields         string // JSON object
	created        int64  // unix seconds
	updated        int64
	imported       int64 // nanoseconds: since when search could know it
	inactive       bool  // deleted
	inline         int64 // nanoseconds: when a ticket's inline requester created it, 0 otherwise
}

type identity struct {
	id       int64
	kind     string
	value    string
	verified bool
	created  int64
}

// userStore holds the users of an account.
type userStore struct {
	base         int64 // ids follow it
	all          []*user
	byEmail      map[string]*user // every e-mail identity, in lower case
	byExternal   map[string]*user // in lower case: Zendesk compares so
	changes      []change
	nextIdentity int64
	mails        int
}

func newUserStore(account int64) userStore {
	base := account * 1_000_000
	return userStore{base: base, byEmail: map[string]*user{}, byExternal: map[string]*user{}, nextIdentity: base + 500_000}
}

// get returns nil for an unknown id.
func (s *userStore) get(id int64) *user {
	i := id - s.base - 1
	if i < 0 || i >= int64(len(s.all)) {
		return nil
	}
	return s.all[i]
}

func (s *userStore) identity(kind, value string, verified bool, now int64) identity {
	s.nextIdentity++
	return identity{id: s.nextIdentity, kind: kind, value: value, verified: verified, created: now}
}

// add gives the user its id.
func (s *userStore) add(u *user, now int64) {
	u.id = s.base + 1 + int64(len(s.all))
	u.imported = now
	s.all = append(s.all, u)
	s.index(u, now)
}

// index takes up what was changed of a user.
func (s *userStore) index(u *user, now int64) {
	for i := range u.identities {
		if u.identities[i].kind == "email" {
			s.byEmail[u.identities[i].value] = u
		}
	}
	if u.externalID != "" {
		s.byExternal[strings.ToLower(u.externalID)] = u
	}
	s.changes = append(s.changes, change{now, u.id})
}

func (s *userStore) since(nanos int64) int {
	return sort.Search(len(s.changes), func(i int) bool { return s.changes[i].at >= nanos })
}

func (u *user) email() string {
	for i := range u.identities {
		if u.identities[i].kind == "email" {
			return u.identities[i].value
		}
	}
	return ""
}

// someEmail is the e-mail in the results of a job: any of the user's, not the one that was sent.
func (u *user) someEmail() string {
	for _, id := range slices.Backward(u.identities) {
		if id.kind == "email" {
			return id.value
		}
	}
	return ""
}

func normalEmail(email string) string { return strings.ToLower(strings.TrimSpace(email)) }
