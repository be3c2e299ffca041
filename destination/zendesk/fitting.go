package zendesk

import (
	"strconv"
	"strings"

	"farewell/migration"
)

// fitting makes a user or an organization one that Zendesk takes, and records
// what it changes for that.
type fitting struct {
	entity  migration.Entity
	id      string
	off     map[migration.Rule]bool // rules that are not in force, see Options
	changes []migration.Change
}

// text applies a rule to a text and records what it changed.
func (f *fitting) text(s, field, part string, r migration.Rule, rule func(string) string) string {
	if f.off[r] {
		return s
	}
	after := rule(s)
	if after != s {
		f.changes = append(f.changes, migration.Change{
			Entity: f.entity, SourceID: f.id, Field: field, Part: part, Rule: r, Before: migration.HashText(s), After: migration.HashText(after),
		})
	}
	return after
}

// name is trimmed, filled where it is blank, then cut.
func (f *fitting) name(name, otherwise string) string {
	name = f.trimmed("name", name)
	name = f.text(name, "name", "", migration.RuleNameMissing, func(s string) string {
		if isBlank(s) {
			return cutName(otherwise)
		}
		return s
	})
	return f.text(name, "name", "", migration.RuleNameCut, cutName)
}

// cutName cuts after 255 characters. The blanks that are last then would not
// stay: Zendesk keeps none around a name.
func cutName(name string) string {
	if short := cutRunes(name, nameLimit); short != name {
		return strings.TrimSpace(short)
	}
	return name
}

func (f *fitting) trimmed(field, s string) string {
	return f.text(s, field, "", migration.RuleSpaceTrimmed, strings.TrimSpace)
}

func (f *fitting) tags(words []string) []string {
	var tags []string
	for i, word := range words {
		tags = addTag(tags, f.text(word, "tags", strconv.Itoa(i), migration.RuleTagCleaned, cleanTag))
	}
	return tags
}

// fitUsers makes users what is sent of them, and tells what that changes.
func fitUsers(users []migration.User, organizations map[string]migration.Target, off map[migration.Rule]bool) []migration.Change {
	var changes []migration.Change
	for i := range users {
		u := &users[i]
		f := fitting{entity: migration.Users, id: u.ID, off: off}
		u.Name = f.name(u.Name, nameless(u))
		u.Email = f.trimmed("email", u.Email)
		u.Phone = f.trimmed("phone", u.Phone)
		u.Tags = f.tags(u.Tags)
		if organizations[u.OrganizationID].ID == "" {
			u.OrganizationID = f.text(u.OrganizationID, "organization_id", "", migration.RuleOrganizationLeft, func(string) string { return "" })
		}
		changes = append(changes, f.changes...)
	}
	return changes
}

// nameless is what a user without a name is called.
func nameless(u *migration.User) string {
	if email := strings.TrimSpace(u.Email); email != "" {
		return email
	}
	return "Unknown"
}

// fitOrganizations makes organizations what is sent of them, likewise.
func fitOrganizations(organizations []migration.Organization, off map[migration.Rule]bool) []migration.Change {
	var changes []migration.Change
	for i := range organizations {
		o := &organizations[i]
		f := fitting{entity: migration.Organizations, id: o.ID, off: off}
		o.Name = f.name(o.Name, "Organization "+o.ID) // names are unique
		o.Tags = f.tags(o.Tags)
		changes = append(changes, f.changes...)
	}
	return changes
}

// organizationName is the name under which the account has an organization.
func organizationName(o *migration.Organization) string {
	var f fitting
	return f.name(o.Name, "Organization "+o.ID)
}
