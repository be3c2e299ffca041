package main

import (
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"farewell/config"
	"farewell/migration"
)

// choice is which migrations a command is about.
type choice struct {
	customers []string
	all       bool
	account   string
}

// flags adds the flags that choose.
func (c *choice) flags(cmd *cobra.Command) {
	cmd.Flags().BoolVar(&c.all, "all", false, "every customer of the accounts file")
	cmd.Flags().StringVar(&c.account, "account", "", "the account, where a customer has several")
}

// take checks the arguments: names or --all.
func (c *choice) take(cmd *cobra.Command, args []string) error {
	c.customers = args
	switch {
	case c.all && len(args) > 0:
		return usagef("%s: name customers or say --all, not both", commandPath(cmd))
	case !c.all && len(args) == 0:
		return usagef("%s: name a customer, or say --all; %s list shows them", commandPath(cmd), program)
	}
	return nil
}

// oneCustomer is the check of a command's arguments that takes one.
func oneCustomer(cmd *cobra.Command, args []string) error {
	if len(args) != 1 {
		return usagef("%s: name one customer; see %s --help", commandPath(cmd), commandPath(cmd))
	}
	return nil
}

// among picks the migrations out of those that are known.
func (c *choice) among(known []migration.Migration) ([]migration.Migration, error) {
	if c.all {
		return c.every(known)
	}
	var chosen []migration.Migration
	for _, customer := range c.customers {
		m, err := c.one(customer, known)
		if err != nil {
			return nil, err
		}
		if !slices.Contains(chosen, m) {
			chosen = append(chosen, m)
		}
	}
	return chosen, nil
}

func (c *choice) every(known []migration.Migration) ([]migration.Migration, error) {
	var chosen []migration.Migration
	for _, m := range known {
		if c.account == "" || m.Account == c.account {
			chosen = append(chosen, m)
		}
	}
	if len(chosen) == 0 && c.account != "" {
		return nil, fmt.Errorf("no customer has an account %q: %s list shows the accounts", c.account, program)
	}
	if len(chosen) == 0 {
		return nil, fmt.Errorf("the accounts file has no customers: add a line for each, FAREWELL_ACCOUNTS names the file")
	}
	return chosen, nil
}

func (c *choice) one(customer string, known []migration.Migration) (migration.Migration, error) {
	var of []migration.Migration
	for _, m := range known {
		if m.Customer == customer {
			of = append(of, m)
		}
	}
	if len(of) == 0 {
		return migration.Migration{}, unknownCustomer(customer, known)
	}
	if c.account != "" {
		for _, m := range of {
			if m.Account == c.account {
				return m, nil
			}
		}
		return migration.Migration{}, fmt.Errorf("customer %s has no account %q: it has %s", quoted(customer), c.account, accountNames(of, ", "))
	}
	if len(of) > 1 {
		return migration.Migration{}, usagef("customer %s has several accounts: say which with --account %s", quoted(customer), accountNames(of, " or --account "))
	}
	return of[0], nil
}

func unknownCustomer(customer string, known []migration.Migration) error {
	var names []string
	for _, m := range known {
		if !slices.Contains(names, m.Customer) {
			names = append(names, m.Customer)
		}
	}
	if near := migration.Nearest(customer, names); len(near) > 0 {
		return fmt.Errorf("unknown customer %q: did you mean %s?", customer, strings.Join(near, " or "))
	}
	return fmt.Errorf("unknown customer %q: it has no line in the accounts file; %s list shows those that have", customer, program)
}

func accountNames(of []migration.Migration, separator string) string {
	var names []string
	for _, m := range of {
		names = append(names, m.Account)
	}
	return strings.Join(names, separator)
}

// migrationsTo lists the migrations of the accounts file.
func migrationsTo(accounts config.Accounts) []migration.Migration {
	all := make([]migration.Migration, len(accounts))
	for i, a := range accounts {
		all[i] = config.MigrationTo(a)
	}
	return all
}

// quoted shows a customer's id as it must be typed in a shell.
func quoted(id string) string {
	plain := func(r rune) bool {
		return r >= '0' && r <= '9' || r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || strings.ContainsRune("-_.:@/,+%", r)
	}
	if id != "" && id[0] != '-' && strings.IndexFunc(id, func(r rune) bool { return !plain(r) }) < 0 {
		return id
	}
	return "'" + strings.ReplaceAll(id, "'", `'\''`) + "'"
}
