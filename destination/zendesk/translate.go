package zendesk

import (
	"slices"
	"strconv"
	"strings"

	"farewell/migration"
)

// mappedTicket is what the account gets of a ticket besides what the
// translated ticket itself says.
type mappedTicket struct {
	group, assignee, brand string // ids; empty: none
	fields                 []byte // Zendesk's list of values; empty: none
	note                   string // a private note on what has no place; empty: none
}

// ticket translates a ticket in place, and tells what has no place. users are
// the targets of those whom it names, off the rules that are not in force.
func (tr *translation) ticket(t *migration.Ticket, users map[string]migration.Target, off map[migration.Rule]bool) (mappedTicket, []migration.Change) {
	p := placing{entity: migration.Tickets, id: t.ID, off: off}
	was := *t
	var m mappedTicket
	var values map[string]string
	if tr.asksFields {
		values = map[string]string{}
	}
	m.fields = p.ticketFields(&tr.fields, t.CustomFields, values)
	t.CustomFields = nil
	t.Priority = tr.word(&p, "priority", was.Priority, &tr.priority)
	t.Type = tr.word(&p, "type", was.Type, &tr.kind)
	t.Channel = tr.word(&p, "channel", was.Channel, &tr.channel)
	t.Tags = p.tags(&tr.tags, was.Tags, tr.note)
	tr.place(&p, &m, &was, values, users)
	t.Status = tr.ticketStatus(&p, was.Status, m.assignee != "")
	m.note = p.noteText()
	return m, p.changes
}

// user translates a user in place, and tells what has no place. Users have no
// notes.
func (tr *translation) user(u *migration.User, off map[migration.Rule]bool) []migration.Change {
	p := placing{entity: migration.Users, id: u.ID, off: off}
	u.Tags = p.tags(&tr.users.tags, u.Tags, false)
	u.Fields = p.recordFields("user_fields", &tr.users.fields, u.Fields)
	return p.changes
}

// organization translates an organization in place, likewise.
func (tr *translation) organization(o *migration.Organization, off map[migration.Rule]bool) []migration.Change {
	p := placing{entity: migration.Organizations, id: o.ID, off: off}
	o.Tags = p.tags(&tr.organizations.tags, o.Tags, false)
	o.Fields = p.recordFields("organization_fields", &tr.organizations.fields, o.Fields)
	return p.changes
}

// place finds group, assignee and brand: by the first rule that has one, else
// by the ticket's own at the source.
func (tr *translation) place(p *placing, m *mappedTicket, was *migration.Ticket, values map[string]string, users map[string]migration.Target) {
	for i := range tr.rules {
		r := &tr.rules[i]
		if (m.group == "" && r.group != "" || m.assignee == "" && r.assignee != "" || m.brand == "" && r.brand != "") && r.meets(was, values) {
			m.group = firstOf(m.group, r.group)
			m.assignee = firstOf(m.assignee, r.assignee)
			m.brand = firstOf(m.brand, r.brand)
		}
	}
	if m.group == "" {
		m.group = tr.word(p, "group_name", was.Group, &tr.group)
	}
	if m.brand == "" {
		m.brand = tr.word(p, "brand_name", was.Brand, &tr.brand)
	}
	if m.assignee == "" {
		assignee := tr.assignee
		assignee.known = func(word string) (string, bool) {
			target := users[word]
			return target.ID, target.Agent && target.ID != ""
		}
		m.assignee = tr.word(p, "assignee_id", was.AssigneeID, &assignee)
	}
}

func firstOf(a, b string) string {
	if a != "" {
		return a
	}
	return b
}

// word translates one word; one without a place is noted down.
func (tr *translation) word(p *placing, field, word string, w *words) string {
	target, placed := w.of(word)
	switch {
	case placed:
		return target
	case p.off[migration.RuleValueDropped]:
		return word
	}
	p.lost(field, "", migration.RuleValueDropped, word, "", tr.note)
	return target
}

// ticketStatus: without one Zendesk makes a ticket new, and a new one that is
// assigned open. Both are said here, so that they are sent as they are listed.
func (tr *translation) ticketStatus(p *placing, was string, assigned bool) string {
	status, placed := tr.status.of(was)
	if !placed && p.off[migration.RuleValueDropped] {
		return was
	}
	is := status
	if is == "" && !placed {
		is = "new"
	}
	if is == "new" && assigned && !p.off[migration.RuleStatusOpened] {
		is = "open"
	}
	switch {
	case !placed:
		p.lost("status", "", migration.RuleValueDropped, was, is, tr.note)
	case is != status:
		p.change("status", "", migration.RuleStatusOpened, was, is)
	}
	return is
}

// placing collects what has no place in the account, of one record.
type placing struct {
	entity  migration.Entity
	id      string
	off     map[migration.Rule]bool // rules that are not in force, see Options
	changes []migration.Change
	kept    []string // lines of the note
}

func (p *placing) change(field, part string, rule migration.Rule, before, after string) {
	p.changes = append(p.changes, migration.Change{
		Entity: p.entity, SourceID: p.id, Field: field, Part: part, Rule: rule,
		Before: migration.HashText(before), After: migration.HashText(after),
	})
}

// lost notes a value down that has no place, or not all of it.
func (p *placing) lost(field, part string, rule migration.Rule, before, after string, note bool) {
	p.change(field, part, rule, before, after)
	if note {
		p.kept = append(p.kept, field+": "+before)
	}
}

// noteTitle begins the private note of a ticket.
const noteTitle = "This had no place in the account:"

func (p *placing) noteText() string {
	if len(p.kept) == 0 {
		return ""
	}
	return noteTitle + "\n\n" + strings.Join(p.kept, "\n")
}

// tags translates tags, and adds those that every record gets. A tag that is
// left out leaves its place empty, so that the places of the others stay those
// of the source.
func (p *placing) tags(r *tagRules, tags []string, note bool) []string {
	if len(r.values) == 0 && len(r.add) == 0 {
		return tags
	}
	mapped := make([]string, 0, len(tags)+len(r.add))
	for i, tag := range tags {
		target, listed := r.values[tag]
		switch {
		case !listed || target == "" && p.off[migration.RuleTagDropped]:
			mapped = append(mapped, tag)
		case target != "":
			mapped = append(mapped, target)
		default:
			mapped = append(mapped, "")
			p.lost("tags", strconv.Itoa(i), migration.RuleTagDropped, tag, "", note)
		}
	}
	for _, tag := range r.add {
		if !slices.Contains(mapped, tag) {
			mapped = append(mapped, tag)
		}
	}
	return mapped
}

// ticketFields makes Zendesk's list of custom fields of the source's object.
// Values are noted in values, by the source's names, unless that is nil.
func (p *placing) ticketFields(r *fieldRules, raw []byte, values map[string]string) []byte {
	var list []byte
	p.fields("custom_fields", r, raw, values, func(f *fieldRule, value []byte) {
		if list == nil {
			list = []byte{'['}
		} else {
			list = append(list, ',')
		}
		o := beginObject(list)
		o.id("id", f.target)
		o.key("value")
		o.buf = append(o.buf, value...)
		list = o.end()
	})
	if list == nil {
		return nil
	}
	return append(list, ']')
}

// recordFields makes Zendesk's object of user or organization fields.
func (p *placing) recordFields(kind string, r *fieldRules, raw []byte) []byte {
	var o object
	p.fields(kind, r, raw, nil, func(f *fieldRule, value []byte) {
		if o.buf == nil {
			o = beginObject(nil)
		}
		o.key(f.target)
		o.buf = append(o.buf, value...)
	})
	if o.buf == nil {
		return nil
	}
	return o.end()
}

// fields calls put for each value that has a place.
func (p *placing) fields(kind string, r *fieldRules, raw []byte, values map[string]string, put func(*fieldRule, []byte)) {
	var said []*fieldRule // those of r.absent that have a value
	if !noFields(raw) {
		err := members(raw, func(name string, value []byte) {
			if values != nil {
				values[name], _ = scalarText(value) // a list or object meets no condition
			}
			f := r.of(name)
			target, rule := f.value(value)
			switch {
			case rule == "":
			case p.off[rule]:
				f, target = &fieldRule{target: firstOf(f.target, name)}, value // as the source has it
			default:
				p.lost(kind+"."+name, "", rule, string(value), string(target), f.note)
			}
			if target != nil {
				put(f, target)
				if len(r.absent) > 0 {
					said = append(said, f)
				}
			}
		})
		if err != nil {
			p.lost(kind, "", migration.RuleFieldDropped, string(raw), "", r.other.note)
		}
	}
	for _, f := range r.absent {
		if !slices.Contains(said, f) {
			put(f, f.standard)
		}
	}
}
