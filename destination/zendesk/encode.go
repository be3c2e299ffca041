package zendesk

import (
	"bytes"
	"encoding/json"
	"slices"
	"strings"
	"time"

	"farewell/migration"
)

// EncodeInput is what EncodeTickets needs besides the tickets.
type EncodeInput struct {
	Tickets       []migration.Ticket
	Users         map[string]migration.Target // by source id
	Organizations map[string]migration.Target // by source id
	Self          string                      // id of the user whose credentials are in use; stands in for whom nobody knows
	Prefix        string                      // of external ids
	Partition     string
	Single        bool      // the body for imports/tickets, of one ticket
	Now           time.Time // by the account's clock: later comments are refused
}

// EncodeTickets appends the body of an import request and returns the extended
// buffer. https://developer.zendesk.com/api-reference/ticketing/tickets/ticket_import/
func EncodeTickets(buf []byte, in EncodeInput) []byte {
	buf = slices.Grow(buf, in.roughSize())
	tag := PartitionTag(in.Partition)
	if in.Single {
		buf = append(buf, `{"ticket":`...)
		return append(in.appendTicket(buf, &in.Tickets[0], tag), '}')
	}
	buf = append(buf, `{"tickets":[`...)
	for i := range in.Tickets {
		if i > 0 {
			buf = append(buf, ',')
		}
		buf = in.appendTicket(buf, &in.Tickets[i], tag)
	}
	return append(buf, "]}"...)
}

// roughSize is about the length of the body: texts grow a little by escapes,
// and names and times come with each record.
func (in *EncodeInput) roughSize() int {
	const perTicket, perComment = 500, 120
	size := 0
	for i := range in.Tickets {
		size += perTicket
		for j := range in.Tickets[i].Comments {
			n := len(in.Tickets[i].Comments[j].Body)
			size += perComment + n + n/16
		}
	}
	return size
}

func (in *EncodeInput) appendTicket(buf []byte, t *migration.Ticket, partitionTag string) []byte {
	requester, known := in.person(t.RequesterID, in.firstAuthor(t))
	submitter, _ := in.person(t.SubmitterID, requester)
	lines, created, updated := in.lines(t, requester, submitter)
	subject, _ := cutSubject(t.Subject)

	o := beginObject(buf)
	o.key("external_id")
	o.buf = append(o.buf, '"')
	o.buf = appendExternalID(o.buf, in.Prefix, t.ID)
	o.buf = append(o.buf, '"')
	o.text("subject", subject)
	o.id("requester_id", requester)
	o.id("submitter_id", submitter)
	if known {
		o.id("organization_id", in.Organizations[t.OrganizationID].ID)
	}
	o.said("status", t.Status)
	o.said("priority", t.Priority)
	o.said("type", t.Type)
	o.time("created_at", created)
	o.time("updated_at", updated)
	if !t.SolvedAt.IsZero() {
		o.time("solved_at", latest(t.SolvedAt, epoch))
	}
	o.words("tags", ticketTags(t, partitionTag))
	if fields := appendFields(nil, t.CustomFields); len(fields) > 0 {
		o.key("custom_fields")
		o.buf = append(o.buf, fields...)
	}
	o.key("comments")
	o.buf = append(o.buf, '[')
	for i := range lines {
		if i > 0 {
			o.buf = append(o.buf, ',')
		}
		o.buf = lines[i].append(o.buf)
	}
	o.buf = append(o.buf, ']')
	return o.end()
}

// person is the target id of a person, or the stand-in for whom nobody knows.
// Zendesk would put the admin in for whom we leave out.
func (in *EncodeInput) person(sourceID, standIn string) (id string, known bool) {
	if target, ok := in.Users[sourceID]; ok && target.ID != "" {
		return target.ID, true
	}
	return standIn, false
}

// firstAuthor stands in for an unknown requester: the first known author of a
// public comment, else ourselves.
func (in *EncodeInput) firstAuthor(t *migration.Ticket) string {
	for i := range t.Comments {
		if id, known := in.person(t.Comments[i].AuthorID, ""); known && t.Comments[i].Public {
			return id
		}
	}
	return in.Self
}

// fieldsError tells what is wrong with custom fields: they must be an object
// whose keys are ids of ticket fields.
func fieldsError(raw json.RawMessage) string {
	if noFields(raw) {
		return ""
	}
	var fields map[string]json.RawMessage
	if err := json.Unmarshal(raw, &fields); err != nil {
		return "custom_fields is no JSON object"
	}
	for id := range fields {
		if !isNumber(id) {
			return "custom_fields has a key that is no ticket field's id, which is a number"
		}
	}
	return ""
}

func noFields(raw json.RawMessage) bool {
	raw = bytes.TrimSpace(raw)
	return len(raw) == 0 || string(raw) == "null" || string(raw) == "{}"
}

// appendFields turns the object into Zendesk's list. It decodes and encodes
// the values, since a lone surrogate escape would spoil the whole request.
func appendFields(buf []byte, raw json.RawMessage) []byte {
	if noFields(raw) {
		return buf
	}
	var fields map[string]any
	d := json.NewDecoder(bytes.NewReader(raw))
	d.UseNumber()
	if d.Decode(&fields) != nil {
		return buf // fieldsError has refused such a ticket
	}
	ids := make([]string, 0, len(fields))
	for id := range fields {
		ids = append(ids, id)
	}
	slices.Sort(ids)
	buf = append(buf, '[')
	for i, id := range ids {
		if i > 0 {
			buf = append(buf, ',')
		}
		o := beginObject(buf)
		o.id("id", id)
		value, err := json.Marshal(fields[id])
		if err != nil {
			value = []byte("null") // cannot be: it was decoded from JSON
		}
		o.key("value")
		o.buf = append(o.buf, value...)
		buf = o.end()
	}
	return append(buf, ']')
}

// encodeUsers appends the body of users/create_many, or of users for one.
// https://developer.zendesk.com/api-reference/ticketing/users/users/
func encodeUsers(buf []byte, users []migration.User, organizations map[string]migration.Target, prefix string, single bool) []byte {
	return appendList(buf, "user", len(users), single, func(buf []byte, i int) []byte {
		u := &users[i]
		o := beginObject(buf)
		o.text("name", userName(u))
		o.said("email", strings.TrimSpace(u.Email))
		o.text("external_id", ExternalID(prefix, u.ID))
		o.text("role", "end-user")        // agents cost seats, and a role is never ours to give
		o.flag("skip_verify_email", true) // nobody gets mail because of a migration
		o.id("organization_id", organizations[u.OrganizationID].ID)
		o.said("phone", strings.TrimSpace(u.Phone))
		o.said("time_zone", u.TimeZone)
		o.said("locale", u.Locale)
		o.words("tags", cleanTags(u.Tags))
		return o.end()
	})
}

// nameLimit is the longest name of a user or organization and the longest
// subject, in characters: beyond it Zendesk cuts or refuses.
const nameLimit = 255

func userName(u *migration.User) string {
	for _, name := range []string{u.Name, u.Email} {
		if name = strings.TrimSpace(name); name != "" {
			return cutRunes(name, nameLimit)
		}
	}
	return "Unknown"
}

// encodeOrganizations appends the body of organizations/create_many, or of
// organizations for one.
// https://developer.zendesk.com/api-reference/ticketing/organizations/organizations/
func encodeOrganizations(buf []byte, organizations []migration.Organization, prefix string, single bool) []byte {
	return appendList(buf, "organization", len(organizations), single, func(buf []byte, i int) []byte {
		org := &organizations[i]
		o := beginObject(buf)
		o.text("name", organizationName(org))
		o.text("external_id", ExternalID(prefix, org.ID))
		o.said("details", org.Details)
		o.said("notes", org.Notes)
		o.words("tags", cleanTags(org.Tags))
		return o.end()
	})
}

// organizationName is unique in Zendesk, so those without one get their id.
func organizationName(o *migration.Organization) string {
	if name := strings.TrimSpace(o.Name); name != "" {
		return cutRunes(name, nameLimit)
	}
	return cutRunes("Organization "+o.ID, nameLimit)
}

// appendList appends {"<word>s":[…]}, or {"<word>":…} for one.
func appendList(buf []byte, word string, n int, single bool, appendOne func([]byte, int) []byte) []byte {
	if single {
		buf = append(append(append(buf, `{"`...), word...), `":`...)
		return append(appendOne(buf, 0), '}')
	}
	buf = append(append(append(buf, `{"`...), word...), `s":[`...)
	for i := range n {
		if i > 0 {
			buf = append(buf, ',')
		}
		buf = appendOne(buf, i)
	}
	return append(buf, "]}"...)
}

func cutRunes(s string, n int) string {
	if len(s) <= n {
		return s
	}
	runes := 0
	for i := range s {
		if runes == n {
			return s[:i]
		}
		runes++
	}
	return s
}
