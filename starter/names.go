package main

import (
	"fmt"
	"strings"

	"farewell/migration"
)

// manyNames is from how many customers on a command is shown with --all
// instead of their names.
const manyNames = 5

// again is the command that shows or tells the same migrations something, as
// it must be typed.
func (s *session) again(command string, of ...migration.Migration) string {
	if len(of) >= manyNames {
		return fmt.Sprintf("%s %s --all", program, command)
	}
	names := make([]string, 0, len(of))
	for _, m := range of {
		names = append(names, quoted(m.Customer))
	}
	line := fmt.Sprintf("%s %s %s", program, command, strings.Join(names, " "))
	if len(of) == 1 && len(s.accounts.ByCustomer(of[0].Customer)) > 1 {
		line += " --account " + quoted(of[0].Account)
	}
	return line
}
