package zendesk

import (
	"strconv"
	"strings"

	"farewell/migration"
)

// fitting records where a user or an organization is not sent as the source has
// them.
type fitting struct {
	entity  migration.Entity
	id      string
	changes []migration.Change
}

// step is a rule with the value that it gives.
type step struct {
	rule  migration.Rule
	value string
}

// value records the steps that change a value, each from the one before.
func (f *fitting) value(field, part, at string, steps ...step) {
	for _, s := range steps {
		if s.value != at {
			f.changes = append(f.changes, migration.Change{
				Entity: f.entity, SourceID: f.id, Field: field, Part: part, Rule: s.rule, Before: migration.HashText(at), After: migration.HashText(s.value),
			})
		}
		at = s.value
	}
}

// name is trimmed, filled where it is blank, then cut.
func (f *fitting) name(name, given string) {
	trimmed := strings.TrimSpace(name)
	filled := trimmed
	if filled == "" {
		filled = given
	}
	f.value("name", "", name, step{migration.RuleSpaceTrimmed, trimmed}, step{migration.RuleNameMissing, filled}, step{migration.RuleNameCut, cutName(filled)})
}

// cutName cuts after 255 characters. The blanks that are last then would not
// stay: Zendesk keeps none around a name.
func cutName(name string) string { return strings.TrimSpace(cutRunes(name, nameLimit)) }

func (f *fitting) trimmed(field, s string) {
	f.value(field, "", s, step{migration.RuleSpaceTrimmed, strings.TrimSpace(s)})
}

func (f *fitting) tags(words []string) {
	for i, word := range words {
		f.value("tags", strconv.Itoa(i), word, step{migration.RuleTagCleaned, cleanTag(word)})
	}
}

// fitUsers are the changes that encodeUsers makes.
func fitUsers(users []migration.User, organizations map[string]migration.Target) []migration.Change {
	var changes []migration.Change
	for i := range users {
		u := &users[i]
		f := fitting{entity: migration.Users, id: u.ID}
		f.name(u.Name, userName(u))
		f.trimmed("email", u.Email)
		f.trimmed("phone", u.Phone)
		f.tags(u.Tags)
		if u.OrganizationID != "" && organizations[u.OrganizationID].ID == "" {
			f.value("organization_id", "", u.OrganizationID, step{migration.RuleOrganizationLeft, ""})
		}
		changes = append(changes, f.changes...)
	}
	return changes
}

// fitOrganizations are the changes that encodeOrganizations makes.
func fitOrganizations(organizations []migration.Organization) []migration.Change {
	var changes []migration.Change
	for i := range organizations {
		o := &organizations[i]
		f := fitting{entity: migration.Organizations, id: o.ID}
		f.name(o.Name, organizationName(o))
		f.tags(o.Tags)
		changes = append(changes, f.changes...)
	}
	return changes
}
