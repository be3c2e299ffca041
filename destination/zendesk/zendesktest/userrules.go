package zendesktest

import (
	"slices"
	"strings"
)

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
