package judge

import (
	"fmt"
	"slices"
	"strings"
	"unicode"
)

// nameCharacters is the longest name of a user or organization.
const nameCharacters = 255

// Person is a user or an organization as the source's own tables hold it.
type Person struct {
	Entity       string // "users" or "organizations"
	ID           string
	Name         string
	Email        string
	Phone        string
	Organization string
	Tags         []string
}

// JudgePerson compares a user or an organization that was brought with what the
// account shows. Changes are those that are listed of them.
func JudgePerson(w World, p Person, got map[string]any, changes []Change) Verdict {
	c := &comparison{World: w, t: Ticket{ID: p.ID}, got: got, left: slices.Clone(changes)}
	trimmed := trim(p.Name)
	named := trimmed
	if named == "" {
		named = p.nameless()
	}
	c.value("name", "", p.Name, word(got["name"]), step{"space_trimmed", trimmed}, step{"name_missing", named}, step{"name_cut", trim(cut(named, nameCharacters))})
	if p.Entity == "users" {
		c.user(p)
	}
	want := map[string]bool{}
	for i, source := range p.Tags {
		clean := tag(source)
		c.value("tags", fmt.Sprint(i), source, clean, step{"tag_cleaned", clean})
		if clean != "" {
			want[clean] = true
		}
	}
	for _, shown := range words(got["tags"]) {
		if !want[shown] {
			c.differs("tags: one that the source does not have")
		}
		delete(want, shown)
	}
	if len(want) > 0 {
		c.differs("tags: %d are missing", len(want))
	}
	for _, l := range c.left {
		c.differs("%s %s: listed as %s, which is not so", l.Field, l.Part, l.Rule)
	}
	for i := range c.verdict.Unlisted {
		c.verdict.Unlisted[i] = strings.Replace(c.verdict.Unlisted[i], "ticket", p.Entity, 1)
	}
	return c.verdict
}

// user compares what organizations do not have. The account shows addresses in
// lower case.
func (c *comparison) user(p Person) {
	mail := trim(p.Email)
	shown := word(c.got["email"])
	if shown == strings.ToLower(mail) {
		shown = mail
	}
	c.value("email", "", p.Email, shown, step{"space_trimmed", mail})
	c.value("phone", "", p.Phone, word(c.got["phone"]), step{"space_trimmed", trim(p.Phone)})
	home := word(c.got["organization_id"])
	if want, known := c.Organizations[p.Organization]; known {
		c.value("organization_id", "", want, home)
	} else {
		c.value("organization_id", "", p.Organization, home, step{"organization_left", ""})
	}
}

// nameless is what somebody without a name is called.
func (p Person) nameless() string {
	switch {
	case p.Entity == "organizations":
		return "Organization " + p.ID
	case trim(p.Email) != "":
		return cut(trim(p.Email), nameCharacters)
	}
	return "Unknown"
}

func trim(s string) string { return strings.TrimFunc(s, unicode.IsSpace) }
