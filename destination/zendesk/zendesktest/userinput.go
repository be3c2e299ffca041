package zendesktest

import (
	"strings"
)

// userInput is a user as it was sent.
type userInput struct {
	id               int64         // of the user to update; 0 where none was sent
	sets             []func(*user) // the attributes that need no check
	externalID       *string
	email            string
	identities       []identity
	phone            string
	organizationName string
	skipMail         bool
	wrong            string
}

// parseBulkUsers refuses before it looks at the body where bulk user import is not enabled.
func parseBulkUsers(a *account, q *request) (refused *answer) {
	a.mu.Lock()
	enabled := a.settings.BulkUsers
	a.mu.Unlock()
	if !enabled {
		reply := forbidden()
		return &reply
	}
	return parseUserBatch(a, q)
}

// parseUserUpdates reads {"users":[{"id":1,...}]}.
func parseUserUpdates(a *account, q *request) (refused *answer) { return parseUserBatch(a, q) }

func parseUserBatch(a *account, q *request) (refused *answer) {
	var inputs []userInput
	refused = q.batch("users", func(d *decoder) { inputs = append(inputs, q.user(d)) })
	q.input = inputs
	return refused
}

func parseSingleUser(a *account, q *request) (refused *answer) {
	var input userInput
	refused = q.single("user", func(d *decoder) { input = q.user(d) })
	q.input = input
	return refused
}

func (q *request) user(d *decoder) userInput {
	var in userInput
	for key := range d.object() {
		if !in.keys(d, key) && !in.state(d, key) && !in.profile(d, key) {
			q.drop("user." + key)
			d.raw()
		}
	}
	return in
}

func (in *userInput) set(change func(*user)) { in.sets = append(in.sets, change) }

// keys reads what identifies a user. false: the key is none of it, nothing was read.
func (in *userInput) keys(d *decoder, key string) bool {
	switch key {
	case "id":
		in.id, _ = d.id() // one that is no number matches nobody
	case "external_id":
		id := d.text()
		in.externalID = &id
	case "email":
		in.email = normalEmail(d.text())
	case "identities":
		for range d.array() {
			in.identities = append(in.identities, readIdentity(d))
		}
	case "phone":
		in.phone = d.text()
	case "organization":
		for key := range d.object() {
			if key == "name" {
				in.organizationName = strings.TrimSpace(d.text())
				continue
			}
			d.raw()
		}
	default:
		return false
	}
	return true
}

func readIdentity(d *decoder) identity {
	var id identity
	for key := range d.object() {
		switch key {
		case "type":
			id.kind = d.text()
		case "value":
			id.value = d.text()
		case "verified":
			id.verified, _ = d.boolean() // anything else is not verified
		default:
			d.raw()
		}
	}
	if id.kind == "email" {
		id.value = normalEmail(id.value)
	}
	return id
}

func (in *userInput) state(d *decoder, key string) bool {
	switch key {
	case "role":
		role := d.text()
		if role != "end-user" && role != "agent" && role != "admin" {
			in.wrong = "Role"
		}
		in.set(func(u *user) { u.role = role })
	case "organization_id":
		id, ok := d.id()
		if !ok {
			in.wrong = "Organization"
		}
		in.set(func(u *user) { u.organizationID = id })
	case "verified":
		v := in.flag(d, "Verified")
		in.set(func(u *user) { u.verified = v })
	case "suspended":
		v := in.flag(d, "Suspended")
		in.set(func(u *user) { u.suspended = v })
	case "skip_verify_email":
		in.skipMail = in.flag(d, "Skip verify email")
	default:
		return false
	}
	return true
}

func (in *userInput) flag(d *decoder, attribute string) bool {
	v, ok := d.boolean()
	if !ok {
		in.wrong = attribute
	}
	return v
}

func (in *userInput) profile(d *decoder, key string) bool {
	switch key {
	case "name":
		in.text(d, func(u *user) *string { return &u.name })
	case "alias":
		in.text(d, func(u *user) *string { return &u.alias })
	case "notes":
		in.text(d, func(u *user) *string { return &u.notes })
	case "details":
		in.text(d, func(u *user) *string { return &u.details })
	case "signature":
		in.text(d, func(u *user) *string { return &u.signature })
	case "time_zone":
		in.text(d, func(u *user) *string { return &u.timeZone })
	case "locale":
		in.text(d, func(u *user) *string { return &u.locale })
	case "tags":
		var ticket ticketInput
		tags := ticket.tags(d)
		in.set(func(u *user) { u.tags = tags })
	case "user_fields":
		fields := d.keep.take(d.raw())
		in.set(func(u *user) { u.fields = fields })
	case "active", "moderator", "ticket_restriction", "only_private_comments", "custom_role_id", "default_group_id",
		"organization_ids", "locale_id", "remote_photo_url", "shared_phone_number", "restricted_agent":
		d.raw() // known, and without effect here
	default:
		return false
	}
	return true
}

func (in *userInput) text(d *decoder, member func(*user) *string) {
	value := d.text()
	in.set(func(u *user) { *member(u) = value })
}

// parseIdentity reads {"identity":{"type":"email","value":"..."}}.
func parseIdentity(a *account, q *request) (refused *answer) {
	var input identity
	refused = q.single("identity", func(d *decoder) { input = readIdentity(d) })
	q.input = input
	return refused
}
