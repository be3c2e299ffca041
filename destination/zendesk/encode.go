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
	Memberships   map[string]migration.Target // by source id of a user, as destination.Directory gives them; who is missing was not asked for
	Files         uploads                     // of the tickets' attachments
	Self          string                      // id of the user whose credentials are in use; stands in for whom nobody knows
	Prefix        string                      // of external ids
	Partition     string
	Single        bool      // the body for imports/tickets, of one ticket
	Now           time.Time // by the account's clock: later comments are refused

	mapping *translation // nil: none; it translates the tickets in place

	// Off are rules that are not in force, for tests that show what becomes of
	// a ticket without one. The product has none.
	Off map[migration.Rule]bool
}

// EncodeTickets appends the body of an import request and returns the extended
// buffer, with what was changed in the tickets.
// https://developer.zendesk.com/api-reference/ticketing/tickets/ticket_import/
func EncodeTickets(buf []byte, in EncodeInput) ([]byte, []migration.Change) {
	drafts := in.drafts()
	return in.appendDrafts(buf, drafts), changesOf(drafts)
}

func (in *EncodeInput) drafts() []draft {
	tag := PartitionTag(in.Partition)
	drafts := make([]draft, len(in.Tickets))
	for i := range in.Tickets {
		drafts[i] = in.draft(&in.Tickets[i], tag)
	}
	return drafts
}

func changesOf(drafts []draft) []migration.Change {
	var changes []migration.Change
	for i := range drafts {
		changes = append(changes, drafts[i].changes...)
	}
	return changes
}

func (in *EncodeInput) appendDrafts(buf []byte, drafts []draft) []byte {
	buf = slices.Grow(buf, in.roughSize())
	if in.Single {
		buf = append(buf, `{"ticket":`...)
		return append(drafts[0].append(buf), '}')
	}
	buf = append(buf, `{"tickets":[`...)
	for i := range drafts {
		if i > 0 {
			buf = append(buf, ',')
		}
		buf = drafts[i].append(buf)
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

func (d *draft) append(buf []byte) []byte {
	t := d.t
	o := beginObject(buf)
	o.key("external_id")
	o.buf = append(o.buf, '"')
	o.buf = appendExternalID(o.buf, d.in.Prefix, t.ID)
	o.buf = append(o.buf, '"')
	o.text("subject", d.subject)
	o.id("requester_id", d.requester)
	o.id("submitter_id", d.submitter)
	o.id("organization_id", d.organization)
	o.said("status", d.status)
	o.said("priority", t.Priority)
	o.said("type", t.Type)
	o.id("group_id", d.mapped.group)
	o.id("assignee_id", d.mapped.assignee)
	o.id("brand_id", d.mapped.brand)
	o.time("created_at", d.created)
	o.time("updated_at", d.updated)
	o.time("solved_at", d.solved)
	o.words("tags", d.tags)
	o.ids("collaborator_ids", d.ccs)
	fields := d.mapped.fields
	if d.in.mapping == nil {
		fields = appendFields(nil, t.CustomFields)
	}
	if len(fields) > 0 {
		o.key("custom_fields")
		o.buf = append(o.buf, fields...)
	}
	o.key("comments")
	o.buf = append(o.buf, '[')
	for i := range d.lines {
		if i > 0 {
			o.buf = append(o.buf, ',')
		}
		o.buf = d.lines[i].append(o.buf)
	}
	o.buf = append(o.buf, ']')
	return o.end()
}

// known finds a person of the source in the account. known is false for whom
// nobody knows; there may be a placeholder for them.
func (in *EncodeInput) known(sourceID string) (id string, known bool) {
	target := in.Users[sourceID]
	return target.ID, target.ID != "" && !target.Placeholder
}

// member tells whether a requester is in an organization of the account: Zendesk
// refuses the ticket otherwise. Whoever was not asked for is left to it.
func (in *EncodeInput) member(sourceID, organization string) bool {
	of, asked := in.Memberships[sourceID]
	return !asked || slices.Contains(strings.Split(of.ID, ","), organization)
}

// firstAuthor stands in for an unknown requester: the first known author of a
// public comment, else ourselves.
func (in *EncodeInput) firstAuthor(t *migration.Ticket) string {
	for i := range t.Comments {
		if id, known := in.known(t.Comments[i].AuthorID); known && t.Comments[i].Public {
			return id
		}
	}
	return in.Self
}

// fieldsError tells what is wrong with custom fields: they must be an object
// whose keys are ids of ticket fields, unless a mapping says what those are.
func fieldsError(raw json.RawMessage, mapped bool) string {
	if noFields(raw) {
		return ""
	}
	numbers := true
	err := members(raw, func(name string, _ []byte) { numbers = numbers && isNumber(name) })
	switch {
	case err != nil || !json.Valid(raw):
		return "custom_fields is no JSON object"
	case !mapped && !numbers:
		return "custom_fields has a key that is no ticket field's id, which is a number"
	}
	return ""
}

func noFields(raw json.RawMessage) bool {
	raw = bytes.TrimSpace(raw)
	return len(raw) == 0 || string(raw) == "null" || string(raw) == "{}"
}

// sentField is a custom field as it is sent.
type sentField struct {
	id    string
	value json.RawMessage
}

// sentFields turns the object into a list by id. It decodes and encodes the
// values, since a lone surrogate escape would spoil the whole request.
func sentFields(raw json.RawMessage) []sentField {
	if noFields(raw) {
		return nil
	}
	var fields map[string]any
	d := json.NewDecoder(bytes.NewReader(raw))
	d.UseNumber()
	if d.Decode(&fields) != nil {
		return nil // fieldsError has refused such a ticket
	}
	list := make([]sentField, 0, len(fields))
	for id, v := range fields {
		value, err := json.Marshal(v)
		if err != nil {
			value = []byte("null") // cannot be: it was decoded from JSON
		}
		list = append(list, sentField{id, value})
	}
	slices.SortFunc(list, func(a, b sentField) int { return strings.Compare(a.id, b.id) })
	return list
}

// appendFields appends Zendesk's list of custom fields.
func appendFields(buf []byte, raw json.RawMessage) []byte {
	fields := sentFields(raw)
	if fields == nil {
		return buf
	}
	buf = append(buf, '[')
	for i, f := range fields {
		if i > 0 {
			buf = append(buf, ',')
		}
		o := beginObject(buf)
		o.id("id", f.id)
		o.key("value")
		o.buf = append(o.buf, f.value...)
		buf = o.end()
	}
	return append(buf, ']')
}

// encodeUsers appends the body of users/create_many, or of users for one. They
// must have gone through fitUsers.
// https://developer.zendesk.com/api-reference/ticketing/users/users/
func encodeUsers(buf []byte, users []migration.User, organizations map[string]migration.Target, prefix string, single bool) []byte {
	return appendList(buf, "user", len(users), single, func(buf []byte, i int) []byte {
		u := &users[i]
		o := beginObject(buf)
		o.text("name", u.Name)
		o.said("email", u.Email)
		o.text("external_id", ExternalID(prefix, u.ID))
		o.text("role", "end-user")        // agents cost seats, and a role is never ours to give
		o.flag("skip_verify_email", true) // nobody gets mail because of a migration
		o.id("organization_id", organizations[u.OrganizationID].ID)
		o.said("phone", u.Phone)
		o.said("time_zone", u.TimeZone)
		o.said("locale", u.Locale)
		o.words("tags", u.Tags)
		o.buf = appendIdentities(&o, u)
		o.json("user_fields", u.Fields)
		return o.end()
	})
}

// appendIdentities appends the further addresses and numbers.
// https://developer.zendesk.com/api-reference/ticketing/users/user_identities/
func appendIdentities(o *object, u *migration.User) []byte {
	began := false
	add := func(kind, value string) {
		if !began {
			o.key("identities")
			o.buf = append(o.buf, '[')
		} else {
			o.buf = append(o.buf, ',')
		}
		began = true
		i := beginObject(o.buf)
		i.text("type", kind)
		i.text("value", value)
		o.buf = i.end()
	}
	for _, email := range furtherEmails(u) {
		add("email", email)
	}
	for _, phone := range furtherPhones(u) {
		add("phone_number", phone)
	}
	if began {
		o.buf = append(o.buf, ']')
	}
	return o.buf
}

// furtherEmails are those beside the user's own, each once.
func furtherEmails(u *migration.User) []string {
	seen := []string{"", emailKey(u.Email)}
	var further []string
	for _, email := range u.Emails {
		if key := emailKey(email); !slices.Contains(seen, key) {
			seen = append(seen, key)
			further = append(further, strings.TrimSpace(email))
		}
	}
	return further
}

func furtherPhones(u *migration.User) []string {
	seen := []string{"", strings.TrimSpace(u.Phone)}
	for _, phone := range u.Phones {
		if phone = strings.TrimSpace(phone); !slices.Contains(seen, phone) {
			seen = append(seen, phone)
		}
	}
	return seen[2:]
}

// encodeOrganizations appends the body of organizations/create_many, or of
// organizations for one. They must have gone through fitOrganizations.
// https://developer.zendesk.com/api-reference/ticketing/organizations/organizations/
func encodeOrganizations(buf []byte, organizations []migration.Organization, prefix string, single bool) []byte {
	return appendList(buf, "organization", len(organizations), single, func(buf []byte, i int) []byte {
		org := &organizations[i]
		o := beginObject(buf)
		o.text("name", org.Name)
		o.text("external_id", ExternalID(prefix, org.ID))
		o.said("details", org.Details)
		o.said("notes", org.Notes)
		o.words("tags", org.Tags)
		o.json("organization_fields", org.Fields)
		return o.end()
	})
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
