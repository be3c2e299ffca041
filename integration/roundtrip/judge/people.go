package judge

import (
	"fmt"
	"slices"
)

func (c *comparison) people() {
	requester := word(c.got["requester_id"])
	known := c.person("requester_id", "", c.t.Requester, requester)
	submitter := word(c.got["submitter_id"])
	if c.t.Submitter == "" {
		c.value("submitter_id", "", requester, submitter)
	} else {
		c.person("submitter_id", "", c.t.Submitter, submitter)
	}
	c.organization(known, word(c.got["organization_id"]), c.Home[requester])
	c.copies()
}

// person compares somebody; known tells that the account has them. For whom it
// does not have, the list must name who stands in: the placeholder, ourselves,
// or somebody of the ticket.
func (c *comparison) person(field, part, source, got string) (known bool) {
	want, known := c.Users[source]
	if known {
		c.value(field, part, want, got)
		return true
	}
	if !c.StandIns[got] && !slices.Contains(c.members(), got) {
		c.differs("%s %s: is somebody who has nothing to do with it", field, part)
	}
	c.value(field, part, source, got, step{"person_replaced", got})
	return false
}

// members are all of the ticket whom the account has.
func (c *comparison) members() []string {
	var ids []string
	add := func(source string) {
		if id, ok := c.Users[source]; ok {
			ids = append(ids, id)
		}
	}
	add(c.t.Requester)
	for _, m := range c.t.Comments {
		add(m.Author)
	}
	return ids
}

// organization: where none is sent, the account puts in the requester's own.
func (c *comparison) organization(requesterKnown bool, got, home string) {
	want, known := c.Organizations[c.t.Organization]
	switch {
	case known && requesterKnown:
		c.value("organization_id", "", want, got)
		return
	case c.t.Organization != "":
		c.value("organization_id", "", c.t.Organization, "", step{"organization_left", ""})
	}
	if got != "" && got != home {
		c.differs("organization_id: is neither the source's nor the requester's own")
	}
}

func (c *comparison) copies() {
	var want []string
	for i, source := range c.t.CCs {
		id, known := c.Users[source]
		part := fmt.Sprint(i)
		switch {
		case !known:
			c.value("collaborator_ids", part, source, "", step{"cc_left", ""})
		case slices.Contains(want, id):
		case len(want) == ticketCCs:
			c.value("collaborator_ids", part, source, "", step{"ccs_over", ""})
		default:
			want = append(want, id)
		}
	}
	got := words(c.got["collaborator_ids"])
	slices.Sort(want)
	slices.Sort(got)
	if !slices.Equal(want, got) {
		c.differs("collaborator_ids: %d, not the %d that it should be", len(got), len(want))
	}
}
