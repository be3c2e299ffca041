package config

import (
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"farewell/destination"
	"farewell/migration"
)

// line is one line of the accounts file on its way to becoming an account.
type line struct {
	columns  []string
	path     string
	folder   string // relative paths in secret_ref begin here
	fields   []string
	position func(field int) (line, column int)
}

func (l line) account() (destination.Account, error) {
	if len(l.fields) != len(l.columns) {
		at := min(len(l.fields), len(l.columns)) - 1
		return destination.Account{}, l.errorf(l.columns[at], "the line has %d fields, %d are expected: %s",
			len(l.fields), len(l.columns), strings.Join(l.columns, ","))
	}
	a := destination.Account{
		Name:     l.field("account"),
		Customer: l.field("customer"),
		Kind:     l.field("destination"),
		URL:      l.field("url"),
		Auth:     l.field("auth"),
	}
	for _, check := range []func(*destination.Account) error{
		l.checkNames, l.checkDestination, l.readPace, l.checkAuth, l.readSecretRef, l.readAgent,
	} {
		if err := check(&a); err != nil {
			return destination.Account{}, err
		}
	}
	return a, nil
}

func (l line) field(column string) string {
	return strings.TrimSpace(l.fields[slices.Index(l.columns, column)])
}

func (l line) errorf(column, format string, args ...any) error {
	number, at := l.position(slices.Index(l.columns, column))
	return fmt.Errorf("%s:%d:%d: %s: %s", l.path, number, at, column, fmt.Sprintf(format, args...))
}

func (l line) checkNames(a *destination.Account) error {
	if a.Customer == "" {
		return l.errorf("customer", "empty: it must be the customer's id in the view customers")
	}
	if a.Name == "" {
		return l.errorf("account", "empty: give the account a name, for example %q", a.Customer)
	}
	return nil
}

func (l line) checkDestination(a *destination.Account) error {
	switch a.Kind {
	case migration.DestinationZendesk:
		return l.checkZendeskURL(a)
	case migration.DestinationCSV:
		if a.URL == "" {
			return l.errorf("url", "empty: it must be the folder for the customer's bundle, for example /srv/farewell/bundles")
		}
		return nil
	}
	return l.errorf("destination", "%q is none: it must be %s or %s", a.Kind, migration.DestinationZendesk, migration.DestinationCSV)
}

func (l line) checkZendeskURL(a *destination.Account) error {
	u, err := url.Parse(a.URL)
	if err != nil || u.Host == "" || (u.Scheme != "https" && u.Scheme != "http") {
		return l.errorf("url", "not a web address: it must be the account's own, for example https://acme.zendesk.com")
	}
	if u.User != nil || u.RawQuery != "" || u.Fragment != "" {
		return l.errorf("url", "it must hold neither a user, a password nor a query: credentials go to secret_ref")
	}
	a.URL = strings.TrimRight(a.URL, "/")
	return nil
}

// readPace takes an empty plan for unknown, as destination.Account says.
func (l line) readPace(a *destination.Account) error {
	a.ReservedPercent = defaultReserved
	var err error
	if text := l.field("plan_per_minute"); text != "" {
		if a.PlanPerMinute, err = strconv.Atoi(text); err != nil || a.PlanPerMinute < 0 {
			return l.errorf("plan_per_minute", "%q is not a number of requests per minute: see the account's Zendesk plan, for example 400, or leave it empty", text)
		}
	}
	if text := l.field("reserved_percent"); text != "" {
		if a.ReservedPercent, err = strconv.Atoi(text); err != nil || a.ReservedPercent < 0 || a.ReservedPercent > 95 {
			return l.errorf("reserved_percent", "%q is not a percentage from 0 to 95: the share left to the account's other integrations, or empty for %d",
				text, defaultReserved)
		}
	}
	return nil
}

// zendeskAuth lists the kinds of credentials that Zendesk takes, see
// https://developer.zendesk.com/api-reference/introduction/security-and-auth/
var zendeskAuth = []string{"oauth_client_credentials", "bearer", "api_token"}

func (l line) checkAuth(a *destination.Account) error {
	switch {
	case a.Kind == migration.DestinationCSV && a.Auth != "":
		return l.errorf("auth", "%q, but a %s destination has none: leave it empty", a.Auth, a.Kind)
	case a.Kind == migration.DestinationZendesk && !slices.Contains(zendeskAuth, a.Auth):
		return l.errorf("auth", "%q is none: it must be %s", a.Auth, strings.Join(zendeskAuth, ", "))
	}
	return nil
}

func (l line) readSecretRef(a *destination.Account) error {
	ref := l.field("secret_ref")
	if a.Kind == migration.DestinationCSV {
		if ref != "" {
			return l.errorf("secret_ref", "a %s destination has no secret: leave it empty", a.Kind)
		}
		a.Secret = noSecret(a.Name)
		return nil
	}
	kind, name, _ := strings.Cut(ref, ":")
	if name == "" || (kind != "env" && kind != "file") {
		return l.errorf("secret_ref", "it must be env:NAME or file:PATH (the secret itself does not belong in this file)")
	}
	a.Secret = secret{account: a.Name, kind: kind, name: name, folder: l.folder}.read
	return nil
}

// readAgent takes the e-mail address of an agent, where the file has a column
// for it.
func (l line) readAgent(a *destination.Account) error {
	if !slices.Contains(l.columns, agentColumn) {
		return nil
	}
	a.Agent = l.field(agentColumn)
	switch {
	case a.Agent == "":
	case a.Kind == migration.DestinationCSV:
		return l.errorf(agentColumn, "a %s destination has no agents: leave it empty", a.Kind)
	case !strings.Contains(a.Agent, "@"):
		return l.errorf(agentColumn, "not an e-mail address: it must be that of an agent of the account, or empty for the user whose credentials are in use")
	}
	return nil
}
