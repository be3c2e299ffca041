package zendesk

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/url"
	"strconv"
	"strings"

	"farewell/migration"
)

// catalogue is what an account has for a mapping to name.
type catalogue struct {
	ticketFields       []accountField
	userFields         []accountField
	organizationFields []accountField
	groups             []named
	brands             []named
}

// accountField is a field of tickets, users or organizations
// (https://developer.zendesk.com/api-reference/ticketing/tickets/ticket_fields/).
type accountField struct {
	ID      id     `json:"id"`
	Key     string `json:"key"` // of users' and organizations' fields: what they are addressed by
	Type    string `json:"type"`
	Title   string `json:"title"`
	Active  *bool  `json:"active"` // absent: it is
	Options []struct {
		Name  string `json:"name"`
		Value string `json:"value"` // the tag
	} `json:"custom_field_options"`
}

func (f *accountField) active() bool { return f.Active == nil || *f.Active }

// address is by what records name the field.
func (f *accountField) address() string {
	if f.Key != "" {
		return f.Key
	}
	return string(f.ID)
}

// isSystem tells the fields that every ticket has from the account's own.
func (f *accountField) isSystem() bool {
	switch f.Type {
	case "subject", "description", "status", "custom_status", "tickettype", "priority", "group", "assignee", "basic_priority",
		"lookup", "partialcreditcard": // lookups name records by ids of the account, which no source knows
		return true
	}
	return false
}

// named is a group or a brand.
type named struct {
	ID   id     `json:"id"`
	Name string `json:"name"`
}

// readCatalogue asks the account for its fields, groups and brands: five
// requests, or more where a list has over 100 entries.
func (a *Account) readCatalogue(ctx context.Context) (*catalogue, error) {
	var c catalogue
	err := listAll(ctx, a, "ticket_fields", &c.ticketFields)
	if err == nil {
		err = listAll(ctx, a, "user_fields", &c.userFields)
	}
	if err == nil {
		err = listAll(ctx, a, "organization_fields", &c.organizationFields)
	}
	if err == nil {
		err = listAll(ctx, a, "groups", &c.groups)
	}
	if err == nil {
		err = listAll(ctx, a, "brands", &c.brands)
	}
	return &c, err
}

// listAll reads a list to its end, page by page
// (https://developer.zendesk.com/api-reference/introduction/pagination/).
func listAll[T any](ctx context.Context, a *Account, name string, all *[]T) error {
	op := "list the account's " + name
	query := url.Values{"page[size]": {strconv.Itoa(bulkLimit)}}
	for {
		var list []T
		var meta meta
		var page map[string]json.RawMessage
		read := func(r io.Reader) error {
			list, page = nil, nil // an earlier try leaves nothing behind
			if err := json.NewDecoder(r).Decode(&page); err != nil {
				return fmt.Errorf("read the answer: %w", shapeOnly(err))
			}
			if err := json.Unmarshal(page[name], &list); err != nil {
				return fmt.Errorf("read the answer: %w", shapeOnly(err))
			}
			if page["meta"] == nil {
				return nil // not paged: it is all there is
			}
			if err := json.Unmarshal(page["meta"], &meta); err != nil {
				return fmt.Errorf("read the answer: %w", shapeOnly(err))
			}
			return nil
		}
		if err := a.get(ctx, op, "/api/v2/"+name, query, read); err != nil {
			return err
		}
		*all = append(*all, list...)
		next, err := meta.next(op)
		if err != nil || next == "" || len(list) == 0 {
			return err
		}
		query.Set("page[after]", next)
	}
}

// agentID finds an agent or admin by id or e-mail address; "" when there is none.
func (a *Account) agentID(ctx context.Context, agent string) (string, error) {
	path, query := "/search", url.Values{"query": {"email:" + emailKey(agent)}}
	if isNumber(agent) {
		path, query = "/show_many", url.Values{"ids": {agent}}
	} else if strings.ContainsAny(agent, "\" \t\n") || !strings.Contains(agent, "@") {
		return "", nil // no address, and no part of a query
	}
	found, err := a.list(ctx, migration.Users, path, query)
	if err != nil {
		return "", err
	}
	for _, u := range found {
		is := string(u.ID) == agent || emailKey(u.Email) == emailKey(agent)
		if is && u.ID.positive() && (u.Role == "agent" || u.Role == "admin") {
			return string(u.ID), nil
		}
	}
	return "", nil
}
