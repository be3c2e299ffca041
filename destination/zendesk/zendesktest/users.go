package zendesktest

import (
	"net/http"
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

// createUserFrom stores a new user, or says why not. It counts the mail that Zendesk would send.
func (a *account) createUserFrom(in *userInput, now int64) (*user, *problem) {
	u := &user{role: "end-user", created: seconds(now), updated: seconds(now), imported: now}
	if p := a.change(u, in, now); p != nil {
		return nil, p
	}
	if u.name == "" {
		return nil, a.refuse("name", "BlankValue", nameTooShort, "")
	}
	a.users.add(u, now)
	if u.organizationID != 0 {
		a.memberships.join(u.id, u.organizationID, true, now)
	}
	if u.email() != "" && !in.skipMail && !u.verified {
		a.users.mails++
	}
	return u, nil
}

// updateUserFrom changes a stored user, or says why not.
func (a *account) updateUserFrom(u *user, in *userInput, now int64) *problem {
	next := *u
	next.identities = slices.Clone(u.identities)
	if p := a.change(&next, in, now); p != nil {
		return p
	}
	if next.name == "" {
		return a.refuse("name", "BlankValue", nameTooShort, "")
	}
	if u.externalID != "" {
		delete(a.users.byExternal, strings.ToLower(u.externalID))
	}
	*u = next
	u.updated = seconds(now)
	a.users.index(u, now)
	if u.organizationID != 0 && !a.memberships.has(u.id, u.organizationID) {
		a.memberships.join(u.id, u.organizationID, true, now)
	}
	return nil
}

// change applies the input to u, which is not stored yet.
func (a *account) change(u *user, in *userInput, now int64) *problem {
	if in.wrong != "" {
		return a.refuse(fieldName(in.wrong), "InvalidValue", isInvalid, in.wrong)
	}
	for _, set := range in.sets {
		set(u)
	}
	u.name = strings.TrimSpace(u.name)
	if len([]rune(u.name)) > 255 {
		return a.refuse("name", "TooLong", nameTooLong, "")
	}
	if p := a.changeKeys(u, in, now); p != nil {
		return p
	}
	return a.changeOrganization(u, in, now)
}

// changeKeys sets what must be unique: e-mails and the external id.
func (a *account) changeKeys(u *user, in *userInput, now int64) *problem {
	if in.externalID != nil {
		u.externalID = *in.externalID
		if owner := a.users.byExternal[strings.ToLower(u.externalID)]; u.externalID != "" && owner != nil && owner.id != u.id {
			return a.refuse("external_id", "DuplicateValue", externalTaken, u.externalID)
		}
	}
	if in.email != "" {
		if p := a.addEmail(u, in.email, "email", emailTaken, now); p != nil {
			return p
		}
	}
	for _, id := range in.identities {
		if id.kind == "email" {
			if p := a.addEmail(u, id.value, "value", valueTaken, now); p != nil {
				return p
			}
			continue
		}
		u.addIdentity(&a.users, id.kind, id.value, now)
	}
	if in.phone != "" {
		u.phone = in.phone
		u.addIdentity(&a.users, "phone_number", in.phone, now) // added, not replaced: an update leaves the old one
	}
	return nil
}

func (a *account) addEmail(u *user, email, field string, taken phrase, now int64) *problem {
	local, domain, ok := strings.Cut(email, "@")
	if !ok || local == "" || !strings.Contains(domain, ".") || strings.ContainsAny(email, " \t\n,;<>") || strings.Contains(domain, "@") {
		return a.refuse(field, "InvalidFormat", emailMalformed, email)
	}
	if owner := a.users.byEmail[email]; owner != nil && owner.id != u.id {
		return a.refuse(field, "DuplicateValue", taken, email)
	}
	u.addIdentity(&a.users, "email", email, now)
	return nil
}

func (u *user) addIdentity(s *userStore, kind, value string, now int64) {
	if !slices.ContainsFunc(u.identities, func(id identity) bool { return id.kind == kind && id.value == value }) {
		u.identities = append(u.identities, s.identity(kind, value, u.verified, seconds(now)))
	}
}

func (a *account) changeOrganization(u *user, in *userInput, now int64) *problem {
	if in.organizationName != "" {
		o := a.organizations.byName[nameKey(in.organizationName)]
		if o == nil {
			var p *problem
			if o, p = a.createOrganizationFrom(&organizationInput{name: &in.organizationName}, now); p != nil {
				return p
			}
		}
		u.organizationID = o.id
	}
	if u.organizationID != 0 && a.organizations.get(u.organizationID) == nil {
		return a.refuse("organization", "InvalidValue", isInvalid, "Organization")
	}
	return nil
}

// createInline stores the inline requester of a ticket.
func (a *account) createInline(name, email string, now int64) (*user, *problem) {
	if name == "" {
		name = email
	}
	in := userInput{email: email, skipMail: true, sets: []func(*user){func(u *user) { u.name = name }}}
	u, p := a.createUserFrom(&in, now)
	if u != nil {
		u.inline = now
	}
	return u, p
}

// createUser is POST /api/v2/users.
func createUser(a *account, q *request) answer {
	in := q.input.(userInput)
	u, p := a.createUserFrom(&in, q.now)
	if p != nil {
		return p.answer()
	}
	return a.userAnswer(http.StatusCreated, u)
}

// updateUser is PUT /api/v2/users/{id}.
func updateUser(a *account, q *request) answer {
	in := q.input.(userInput)
	u := a.users.get(atoi(q.id))
	if u == nil {
		return notFound()
	}
	if p := a.updateUserFrom(u, &in, q.now); p != nil {
		return p.answer()
	}
	return a.userAnswer(http.StatusOK, u)
}

// createOrUpdateUser is POST /api/v2/users/create_or_update: 200 for one that was there, 201 for a new one.
func createOrUpdateUser(a *account, q *request) answer {
	in := q.input.(userInput)
	u := a.matching(&in)
	if u == nil {
		return createUser(a, q)
	}
	perUser := bucket{name: upsertBucket.name, limit: 5, seconds: 60}
	if refused := a.admitTo(q, perUser, upsertBucket.name+"/"+itoa(u.id)); refused != nil {
		return *refused
	}
	if p := a.updateUserFrom(u, &in, q.now); p != nil {
		return p.answer()
	}
	return a.userAnswer(http.StatusOK, u)
}

// matching finds the user that create_or_update means.
func (a *account) matching(in *userInput) *user {
	if in.externalID != nil && *in.externalID != "" {
		if u := a.users.byExternal[strings.ToLower(*in.externalID)]; u != nil {
			return u
		}
	}
	return a.users.byEmail[in.email]
}

// The job type of both bulk endpoints is the same.
var userJob = jobKind{jobType: "Bulk Create User", class: "UserBulkCreateJob", working: "Creating User", share: 2.0 / 3}

func createManyUsers(a *account, q *request) answer { return a.bulkUsers(q, false) }

func createOrUpdateManyUsers(a *account, q *request) answer { return a.bulkUsers(q, true) }

func (a *account) bulkUsers(q *request, update bool) answer {
	if !a.settings.BulkUsers {
		return forbidden()
	}
	inputs := q.input.([]userInput)
	return a.startJob(q, userJob, len(inputs), func(index int, at int64) outcome {
		in := &inputs[index]
		if update {
			if u := a.matching(in); u != nil {
				p := a.updateUserFrom(u, in, at)
				return userOutcome(in, u, "Updated", p)
			}
		}
		u, p := a.createUserFrom(in, at)
		return userOutcome(in, u, "Created", p)
	})
}

// userOutcome has no index: results are matched by external_id only.
func userOutcome(in *userInput, u *user, status string, p *problem) outcome {
	type result struct {
		ID         int64  `json:"id,omitempty"`
		Status     string `json:"status"`
		Email      string `json:"email,omitempty"`
		ExternalID string `json:"external_id,omitempty"`
		Error      string `json:"error,omitempty"`
		Details    string `json:"details,omitempty"`
	}
	if p != nil {
		failed := result{Status: "Failed", Email: in.email, Error: "UserCreateFailed", Details: p.text}
		if in.externalID != nil {
			failed.ExternalID = *in.externalID
		}
		return outcome{failed: true, result: mustMarshal(failed)}
	}
	return outcome{id: u.id, result: mustMarshal(result{ID: u.id, Status: status, Email: u.someEmail(), ExternalID: u.externalID})}
}
