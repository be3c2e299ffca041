package zendesk

import (
	"slices"
	"strconv"
	"time"

	"farewell/migration"
)

// draft is a ticket as it is sent, and what was changed in it for that.
type draft struct {
	in *EncodeInput
	t  *migration.Ticket

	requester, submitter, organization string   // ids in the account; no organization: ""
	ccs                                []string // likewise
	subject, status                    string
	created, updated, solved           time.Time
	tags                               []string
	mapped                             mappedTicket
	lines                              []line
	left                               []line // those beyond the limit

	whole   string // the subject, if it had to be cut
	changes []migration.Change
}

// draft applies the rules to a ticket.
func (in *EncodeInput) draft(t *migration.Ticket, partitionTag string) draft {
	d := draft{in: in, t: t}
	if in.mapping != nil {
		d.mapped, d.changes = in.mapping.ticket(t, in.Users, in.Off)
	}
	d.people()
	d.title()
	d.stand()
	d.tagged(partitionTag)
	d.say()
	d.leave()
	d.nameFiles()
	d.date()
	return d
}

// applies tells whether a rule is in force: all are, but in tests that show
// what becomes of a ticket without one.
func (d *draft) applies(r migration.Rule) bool { return !d.in.Off[r] }

// note records a change between two hashes.
func (d *draft) note(field, part string, r migration.Rule, before, after string) {
	d.changes = append(d.changes, migration.Change{
		Entity: migration.Tickets, SourceID: d.t.ID, Field: field, Part: part, Rule: r, Before: before, After: after,
	})
}

// text applies a rule to a text and records what it changed.
func (d *draft) text(s, field, part string, r migration.Rule, rule func(string) string) string {
	if !d.applies(r) {
		return s
	}
	after := rule(s)
	if after != s {
		d.note(field, part, r, migration.HashText(s), migration.HashText(after))
	}
	return after
}

// people finds who is who in the account. Zendesk would put the admin in for
// whom we leave out, so somebody of the ticket stands in for whom nobody knows.
func (d *draft) people() {
	t := d.t
	requester, known := d.in.known(t.RequesterID)
	d.requester = requester
	if !known {
		d.requester = d.standIn("requester_id", "", t.RequesterID, requester, d.in.firstAuthor(t))
	}
	d.submitter = d.requester // which is what the view says by NULL
	if t.SubmitterID != "" {
		id, ok := d.in.known(t.SubmitterID)
		if d.submitter = id; !ok {
			d.submitter = d.standIn("submitter_id", "", t.SubmitterID, id, d.requester)
		}
	}
	d.copies()
	if t.OrganizationID == "" {
		return
	}
	organization := d.in.Organizations[t.OrganizationID].ID
	// It must be one of the requester's, which a stand-in's is not.
	if known && (d.in.member(t.RequesterID, organization) || !d.applies(migration.RuleOrganizationLeft)) {
		d.organization = organization
	}
	if d.organization == "" && d.applies(migration.RuleOrganizationLeft) {
		d.note("organization_id", "", migration.RuleOrganizationLeft, migration.HashText(t.OrganizationID), migration.HashText(""))
	}
}

// standIn is the placeholder where the source's person has one, else somebody
// of the ticket.
func (d *draft) standIn(field, part, sourceID, placeholder, other string) string {
	if !d.applies(migration.RulePersonReplaced) {
		return placeholder
	}
	id := placeholder
	if id == "" {
		id = other
	}
	d.note(field, part, migration.RulePersonReplaced, migration.HashText(sourceID), migration.HashText(id))
	return id
}

// copies finds the CCs. Nobody can stand in for one.
func (d *draft) copies() {
	for i, sourceID := range d.t.CCs {
		id, known := d.in.known(sourceID)
		rule := migration.RuleCCLeft
		switch {
		case slices.Contains(d.ccs, id):
			continue // two of the source's people are one user of the account
		case known && (len(d.ccs) < ccLimit || !d.applies(migration.RuleCCsOver)):
			d.ccs = append(d.ccs, id)
			continue
		case known:
			rule = migration.RuleCCsOver
		}
		if d.applies(rule) {
			d.note("collaborator_ids", strconv.Itoa(i), rule, migration.HashText(sourceID), migration.HashText(""))
		}
	}
}

func (d *draft) title() {
	s := d.text(d.t.Subject, "subject", "", migration.RuleTextCleaned, cleanText)
	d.subject = d.text(s, "subject", "", migration.RuleSubjectCut, cutSubject)
	if len(d.subject) < len(s) {
		d.whole = s
	}
}

// stand tells how far the ticket is. The default is that of the account: a
// ticket is new until somebody has it.
func (d *draft) stand() {
	d.status = d.text(d.t.Status, "status", "", migration.RuleStatusMissing, func(status string) string {
		switch {
		case status != "":
			return status
		case d.mapped.assignee != "":
			return "open"
		}
		return "new"
	})
}

func (d *draft) tagged(partitionTag string) {
	tags := make([]string, 0, len(d.t.Tags)+3)
	for i, word := range d.t.Tags {
		tags = addTag(tags, d.text(word, "tags", strconv.Itoa(i), migration.RuleTagCleaned, cleanTag))
	}
	d.tags = addTag(addTag(addTag(tags, Tag), partitionTag), channelTag(d.t.Channel))
}
