package config

import (
	"farewell/destination"
	"farewell/migration"
)

// seenAccounts finds lines that contradict earlier ones.
type seenAccounts map[seenKey]seenLine

type seenKey struct{ what, of string }

type seenLine struct {
	number int
	value  string
}

// add refuses a second line of one migration, and an account of Zendesk under
// two names: what was granted to an account is counted by its name.
func (s seenAccounts) add(l line, a destination.Account) error {
	number, _ := l.position(0)
	migrationKey := seenKey{"migration", a.Customer + "\x00" + a.Name}
	if before, ok := s[migrationKey]; ok {
		return l.errorf("account", "customer %q has account %q in line %d already: remove one, or name the account differently",
			a.Customer, a.Name, before.number)
	}
	s[migrationKey] = seenLine{number: number}
	if a.Kind != migration.DestinationZendesk {
		return nil
	}
	urlKey, nameKey := seenKey{"url", a.URL}, seenKey{"name", a.Name}
	if before, ok := s[urlKey]; ok && before.value != a.Name {
		return l.errorf("account", "line %d calls the account at this url %q: use that name here too, so that its requests are counted together",
			before.number, before.value)
	}
	if before, ok := s[nameKey]; ok && before.value != a.URL {
		return l.errorf("url", "line %d has another url for account %q: name one of the accounts differently", before.number, a.Name)
	}
	s[urlKey], s[nameKey] = seenLine{number, a.Name}, seenLine{number, a.URL}
	return nil
}
