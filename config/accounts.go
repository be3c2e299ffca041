package config

import (
	"slices"

	"farewell/destination"
	"farewell/migration"
)

// Accounts are the lines of the accounts file, in its order. A customer may
// have several: the account of a rehearsal and the real one.
type Accounts []destination.Account

// ByCustomer returns the accounts of a customer.
func (a Accounts) ByCustomer(customer string) Accounts {
	var of Accounts
	for _, account := range a {
		if account.Customer == customer {
			of = append(of, account)
		}
	}
	return of
}

// Of returns the account of a migration.
func (a Accounts) Of(m migration.Migration) (destination.Account, bool) {
	for _, account := range a {
		if MigrationTo(account) == m {
			return account, true
		}
	}
	return destination.Account{}, false
}

// Customers lists every customer once, in the file's order.
func (a Accounts) Customers() []string {
	var ids []string
	seen := map[string]bool{}
	for _, account := range a {
		if !seen[account.Customer] {
			seen[account.Customer] = true
			ids = append(ids, account.Customer)
		}
	}
	return slices.Clip(ids)
}

// MigrationTo names the migration that an account stands for.
func MigrationTo(a destination.Account) migration.Migration {
	return migration.Migration{Customer: a.Customer, Destination: a.Kind, Account: a.Name}
}
