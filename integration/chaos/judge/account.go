package judge

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5"
)

// externalPrefix stands before our number in the account.
const externalPrefix = "farewell-"

// arrived is a ticket as the account shows it.
type arrived struct {
	ID             json.Number `json:"id"`
	ExternalID     string      `json:"external_id"`
	Subject        *string     `json:"subject"`
	Status         string      `json:"status"`
	Priority       *string     `json:"priority"`
	Type           *string     `json:"type"`
	RequesterID    json.Number `json:"requester_id"`
	SubmitterID    json.Number `json:"submitter_id"`
	OrganizationID json.Number `json:"organization_id"`
	CreatedAt      string      `json:"created_at"`
	UpdatedAt      string      `json:"updated_at"`
	Tags           []string    `json:"tags"`
	CustomFields   []struct {
		ID    json.Number `json:"id"`
		Value any         `json:"value"`
	} `json:"custom_fields"`
	MetricSet struct {
		SolvedAt *string `json:"solved_at"`
	} `json:"metric_set"`
	Comments []struct {
		AuthorID  json.Number `json:"author_id"`
		Public    bool        `json:"public"`
		CreatedAt string      `json:"created_at"`
		Body      string      `json:"body"`
		HTMLBody  string      `json:"html_body"`
	} `json:"comments"`
}

func (a arrived) digest(people directory, want ticket) digest {
	c := content{
		subject: orEmpty(a.Subject), status: a.Status, priority: orEmpty(a.Priority), kind: orEmpty(a.Type),
		requester: people.ofUser[a.RequesterID.String()], submitter: people.ofUser[a.SubmitterID.String()],
		organization: people.ofOrganization[a.OrganizationID.String()],
		created:      a.CreatedAt, updated: a.UpdatedAt, solved: orEmpty(a.MetricSet.SolvedAt),
	}
	for _, f := range a.CustomFields {
		if f.Value == nil {
			continue
		}
		switch f.ID.String() {
		case "360500000001":
			c.product = fmt.Sprint(f.Value)
		case "360500000002":
			c.order = fmt.Sprint(f.Value)
		}
	}
	for _, tag := range a.Tags {
		if tag != "farewell" && !strings.HasPrefix(tag, "farewell_tickets-") {
			c.tags = append(c.tags, tag)
		}
	}
	for i, m := range a.Comments {
		body := m.Body
		if i < len(want.html) && want.html[i] && !want.long {
			body = strings.TrimSuffix(strings.TrimPrefix(m.HTMLBody, `<div class="zd-comment" dir="auto">`), "</div>")
		}
		c.comments = append(c.comments, comment{author: people.ofUser[m.AuthorID.String()], public: m.Public, created: m.CreatedAt, body: body})
	}
	return c.digest(want.long)
}

func orEmpty(s *string) string {
	if s == nil {
		return ""
	}
	return *s
}

// directory tells who is who on both sides: people by their e-mail address,
// which several registrations may share, or else by their number.
type directory struct {
	ofPerson       map[string]string
	ofUser         map[string]string
	ofOrganization map[string]string
}

func readPeople(ctx context.Context, conn *pgx.Conn, c Case) (directory, error) {
	d := directory{ofPerson: map[string]string{}, ofUser: map[string]string{}, ofOrganization: map[string]string{}}
	addresses, staff := map[string]bool{}, map[string]bool{}
	rows, err := conn.Query(ctx, "select person_no::text, lower(coalesce(mail, '')), kind <> 'customer' from crm.people where client = $1", c.Client)
	if err != nil {
		return d, fmt.Errorf("read the people of %s: %w", c.Client, err)
	}
	var no, mail string
	var works bool
	if _, err = pgx.ForEachRow(rows, []any{&no, &mail, &works}, func() error {
		d.ofPerson[no] = identity(mail, no)
		staff[no] = works
		return nil
	}); err != nil {
		return d, fmt.Errorf("read the people of %s: %w", c.Client, err)
	}
	err = eachLine(ctx, c, "users", func(u struct {
		ID         json.Number `json:"id"`
		ExternalID string      `json:"external_id"`
		Email      string      `json:"email"`
	}) {
		addresses[strings.ToLower(u.Email)] = true
		d.ofUser[u.ID.String()] = identity(strings.ToLower(u.Email), strings.TrimPrefix(u.ExternalID, externalPrefix))
	})
	if err != nil {
		return d, err
	}
	for no, works := range staff { // for whoever has no seat, the account's owner stands in
		if works && !addresses[d.ofPerson[no]] {
			d.ofPerson[no] = "owner@" + c.Account + ".example"
		}
	}
	err = eachLine(ctx, c, "organizations", func(o struct {
		ID         json.Number `json:"id"`
		ExternalID string      `json:"external_id"`
	}) {
		d.ofOrganization[o.ID.String()] = strings.TrimPrefix(o.ExternalID, externalPrefix)
	})
	return d, err
}

func identity(mail, no string) string {
	if mail != "" {
		return mail
	}
	return "no " + no
}

// eachTicket goes through the account's tickets, the oldest id first, so that
// the first of two is the same in every look.
func eachTicket(ctx context.Context, c Case, fn func(arrived)) error {
	var all []arrived
	if err := eachLine(ctx, c, "tickets", func(t arrived) { all = append(all, t) }); err != nil {
		return err
	}
	slices.SortFunc(all, func(x, y arrived) int {
		if d := len(x.ID) - len(y.ID); d != 0 {
			return d
		}
		return strings.Compare(x.ID.String(), y.ID.String())
	})
	for _, t := range all {
		fn(t)
	}
	return nil
}

// eachLine reads one of the sandbox's listings of what an account stores.
func eachLine[T any](ctx context.Context, c Case, kind string, fn func(T)) error {
	address := c.Sandbox + "/_sandbox/accounts/" + c.Account + "/" + kind + ".ndjson"
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return err
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return fmt.Errorf("read %s of account %s: %w", kind, c.Account, err)
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return fmt.Errorf("read %s of account %s: %s", kind, c.Account, response.Status)
	}
	lines := json.NewDecoder(bufio.NewReaderSize(response.Body, 1<<20))
	lines.UseNumber()
	for {
		var record T
		switch err := lines.Decode(&record); err {
		case nil:
			fn(record)
		case io.EOF:
			return nil
		default:
			return fmt.Errorf("read %s of account %s: %w", kind, c.Account, err)
		}
	}
}
