package zendesk

import (
	"context"
	"encoding/json"
	"net/url"
	"slices"
	"strings"
	"time"

	"farewell/destination"
	"farewell/migration"
)

// mostPages bounds what one ticket may cost: of those with more comments the
// first 1,000 are compared.
const mostPages = 10

// mostDownloads bounds how many files of one ticket are compared byte by byte,
// a request for each: a ticket with hundreds would leave none for the others.
// Of the rest count, names and sizes are compared.
const mostDownloads = 10

// readTicket is a ticket as the account shows it.
type readTicket struct {
	ID             id        `json:"id"`
	ExternalID     string    `json:"external_id"`
	Subject        string    `json:"subject"`
	Status         string    `json:"status"`
	Priority       string    `json:"priority"`
	Type           string    `json:"type"`
	RequesterID    id        `json:"requester_id"`
	SubmitterID    id        `json:"submitter_id"`
	AssigneeID     id        `json:"assignee_id"`
	GroupID        id        `json:"group_id"`
	BrandID        id        `json:"brand_id"`
	OrganizationID id        `json:"organization_id"`
	Collaborators  []id      `json:"collaborator_ids"`
	CreatedAt      time.Time `json:"created_at"`
	UpdatedAt      time.Time `json:"updated_at"`
	Tags           []string  `json:"tags"`
	CustomFields   []field   `json:"custom_fields"`
}

type field struct {
	ID    id              `json:"id"`
	Value json.RawMessage `json:"value"`
}

// ReadBack reads up to a hundred tickets with one request, the comments of
// each with another for every hundred, and its files with one for each.
func (a *Account) ReadBack(ctx context.Context, in destination.ReadBackInput) (destination.ReadBack, error) {
	b := readBack{a: a, in: in}
	if len(in.Page.Tickets) == 0 || in.Requests < 2 {
		return b.out, nil
	}
	drafts, err := a.redraft(ctx, in)
	if err != nil {
		return b.out, err
	}
	there, err := b.tickets(ctx)
	if err != nil {
		return b.out, err
	}
	for i := range drafts {
		d := &drafts[i]
		t, ok := there[in.Sent[d.t.ID].TargetID]
		if !ok {
			continue // the sweep tells what is missing
		}
		if !in.Since.IsZero() && t.UpdatedAt.After(in.Since) && !t.UpdatedAt.Equal(d.updated) {
			b.out.Touched = append(b.out.Touched, d.t.ID)
			continue
		}
		pages := min(len(d.lines)/commentPage+1, mostPages)
		if b.out.Requests+pages+min(d.countFiles(), mostDownloads) > in.Requests {
			continue
		}
		comments, whole, err := b.comments(ctx, string(t.ID), pages)
		if err != nil {
			return b.out, err
		}
		c := compared{d: d, t: &t}
		if err := c.ticket(); err != nil {
			return b.out, err
		}
		c.conversation(comments, whole)
		if err := b.files(ctx, &c); err != nil {
			return b.out, err
		}
		b.out.Differences = append(b.out.Differences, c.found...)
		b.out.Compared = append(b.out.Compared, d.t.ID)
	}
	return b.out, nil
}

// readBack is one call.
type readBack struct {
	a   *Account
	in  destination.ReadBackInput
	out destination.ReadBack
}

// redraft makes the tickets as they were sent, from the source and the rules.
func (a *Account) redraft(ctx context.Context, in destination.ReadBackInput) ([]draft, error) {
	userIDs, organizationIDs := a.People(migration.Tickets, in.Page)
	asked := destination.PrepareInput{Directory: in.Directory}
	users, err := directory(ctx, asked, migration.Users, userIDs)
	if err != nil {
		return nil, err
	}
	organizations, err := directory(ctx, asked, migration.Organizations, organizationIDs)
	if err != nil {
		return nil, err
	}
	memberships, err := directory(ctx, asked, migration.Memberships, requesters(in.Page.Tickets))
	if err != nil {
		return nil, err
	}
	mapping, err := a.translation(ctx, in.Mapping)
	if err != nil {
		return nil, err
	}
	self, err := a.self.get(ctx)
	if err != nil {
		return nil, err
	}
	encode := EncodeInput{Files: sentFiles(in), Users: users, Organizations: organizations, Memberships: memberships, Self: self, Prefix: a.prefix, mapping: mapping, Now: a.clock.theirs(time.Now())}
	drafts := make([]draft, 0, len(in.Page.Tickets))
	for i := range in.Page.Tickets {
		t := &in.Page.Tickets[i]
		drafts = append(drafts, encode.draft(t, PartitionTag(in.Sent[t.ID].Partition)))
	}
	return drafts, nil
}

// tickets are those of the page that are in the account, by their ids there.
func (b *readBack) tickets(ctx context.Context) (map[string]readTicket, error) {
	var ids []string
	for i := range b.in.Page.Tickets {
		if target := b.in.Sent[b.in.Page.Tickets[i].ID].TargetID; target != "" {
			ids = append(ids, target)
		}
	}
	there := make(map[string]readTicket, len(ids))
	for chunk := range slices.Chunk(ids, bulkLimit) {
		var list struct {
			Tickets []readTicket `json:"tickets"`
		}
		b.out.Requests++
		err := b.a.get(ctx, "read tickets back", "/api/v2/tickets/show_many", url.Values{"ids": {strings.Join(chunk, ",")}}, decodeInto(&list))
		if err != nil {
			return nil, err
		}
		for _, t := range list.Tickets {
			there[string(t.ID)] = t
		}
	}
	return there, nil
}

// comments reads so many pages of a ticket's comments, oldest first; whole
// tells that these were all.
func (b *readBack) comments(ctx context.Context, target string, pages int) (all []readComment, whole bool, err error) {
	after := ""
	for range pages {
		b.out.Requests++
		var page []readComment
		if page, after, err = b.a.comments(ctx, target, after); err != nil {
			return nil, false, err
		}
		if all = append(all, page...); after == "" {
			return all, true, nil
		}
	}
	return all, false, nil
}
