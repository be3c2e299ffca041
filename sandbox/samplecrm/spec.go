package samplecrm

import (
	"fmt"
	"strings"

	"farewell/migration"
)

// PoisonTag is on the one conversation that a sandbox account can be told to
// refuse.
const PoisonTag = "sandbox_poison"

// Spec is what a sample holds. The same spec gives the same rows, always.
type Spec struct {
	Customers []CustomerSpec
	Seed      uint64
	Files     Files
}

// CustomerSpec is one tenant of the sample.
type CustomerSpec struct {
	ID                string // lower case, as in a URL
	Name              string
	Destination       string // a migration.Destination… constant: where the demo sends it
	Organizations     int
	Users             int // staff included; at least 3
	Tickets           int
	CommentsPerTicket int  // on average: a ticket has 1 to twice as many less 1
	Poison            bool // one ticket carries PoisonTag
}

// DefaultCustomers are those of the demo: 12 of uneven size with 15,342
// tickets in all.
func DefaultCustomers() []CustomerSpec {
	customers := []CustomerSpec{
		{ID: "acme", Name: "Acme Tools GmbH", Tickets: 5000},
		{ID: "globex", Name: "Globex Travel", Tickets: 3200, Destination: migration.DestinationCSV},
		{ID: "initech", Name: "Initech Software", Tickets: 2100},
		{ID: "umbrella", Name: "Umbrella Rainwear", Tickets: 1600},
		{ID: "wonka", Name: "Wonka Confiserie S.A.", Tickets: 1200, Destination: migration.DestinationCSV},
		{ID: "stark", Name: "Stark Lighting", Tickets: 900},
		{ID: "hooli", Name: "Hooli Telecom", Tickets: 600},
		{ID: "vandelay", Name: "Vandelay Imports", Tickets: 380, Poison: true},
		{ID: "soylent", Name: "Soylent Kitchen", Tickets: 200, Destination: migration.DestinationCSV},
		{ID: "tyrell", Name: "Tyrell Optics", Tickets: 100},
		{ID: "cyberdyne", Name: "Cyberdyne Garden Robots", Tickets: 52, Destination: migration.DestinationCSV},
		{ID: "pied-piper", Name: "Pied Piper Music School", Tickets: 10},
	}
	for i := range customers {
		customers[i] = customers[i].filled(4)
	}
	return customers
}

// Customers are n tenants of equal size, every third of them bound for CSV.
func Customers(n, tickets, commentsPerTicket int) []CustomerSpec {
	customers := make([]CustomerSpec, n)
	for i := range customers {
		c := CustomerSpec{ID: fmt.Sprintf("customer-%04d", i+1), Name: fmt.Sprintf("Customer %d Ltd", i+1), Tickets: tickets}
		if i%3 == 2 {
			c.Destination = migration.DestinationCSV
		}
		customers[i] = c.filled(commentsPerTicket)
	}
	return customers
}

// filled sets what follows from the number of tickets.
func (c CustomerSpec) filled(commentsPerTicket int) CustomerSpec {
	c.CommentsPerTicket = commentsPerTicket
	c.Organizations = 2 + c.Tickets/60
	c.Users = 5 + c.Tickets/5
	if c.Destination == "" {
		c.Destination = migration.DestinationZendesk
	}
	return c
}

// staff is how many of the users are the tenant's own people: seats are dear, so
// a large customer has not many more than a small one.
func (c CustomerSpec) staff() int { return max(1, min(c.Users/12, mostStaff)) }

const mostStaff = 40

// teammate is the address of the k-th of the staff, k from 1; the first of more
// than one is the owner.
func (c CustomerSpec) teammate(k int) string { return fmt.Sprintf("team.%d@%s.example", k, c.ID) }

// Agents are those of the staff who have a seat in the customer's sandbox
// account, beside its owner: all but the last, who has left the company.
func Agents(c CustomerSpec) []map[string]any {
	agents := []map[string]any{{"name": "Front desk", "email": StandInAgent(c), "role": "agent"}}
	for k := 1; k < max(2, c.staff()-1); k++ {
		agents = append(agents, map[string]any{"name": fmt.Sprintf("Teammate %d", k), "email": c.teammate(k), "role": "agent"})
	}
	return agents
}

// StandInAgent is the address of the agent who stands for the others.
func StandInAgent(c CustomerSpec) string { return "front.desk@" + c.ID + ".example" }

func (s Spec) check() error {
	if len(s.Customers) == 0 {
		return fmt.Errorf("fill the sample: no customers")
	}
	seen := map[string]bool{}
	for _, c := range s.Customers {
		switch {
		case c.ID == "" || c.Name == "":
			return fmt.Errorf("fill the sample: a customer without id or name")
		case seen[c.ID]:
			return fmt.Errorf("fill the sample: customer %s twice", c.ID)
		case c.Users < 3 || c.Organizations < 0 || c.Tickets < 0 || c.CommentsPerTicket < 1:
			return fmt.Errorf("fill the sample: customer %s: at least 3 users and 1 comment per ticket, and nothing below 0", c.ID)
		case c.Poison && c.Tickets == 0:
			return fmt.Errorf("fill the sample: customer %s: poison needs a ticket", c.ID)
		}
		seen[c.ID] = true
	}
	return nil
}

// shape tells two specs apart, whatever their seed.
func (s Spec) shape() string {
	var b strings.Builder
	for _, c := range s.Customers {
		fmt.Fprintf(&b, "%q %q %d %d %d %d %t\n", c.ID, c.Name, c.Organizations, c.Users, c.Tickets, c.CommentsPerTicket, c.Poison)
	}
	if !s.Files.none() {
		fmt.Fprintf(&b, "files %q %q\n", s.Files.Server, s.Files.Folder)
	}
	return b.String()
}

// TicketFields are the custom ticket fields that views.sql speaks of, as
// Zendesk describes them: an account needs them to take the sample's values.
func TicketFields() []map[string]any {
	return []map[string]any{
		{"id": 360500000001, "type": "text", "title": "Product"},
		{"id": 360500000002, "type": "integer", "title": "Order number"},
	}
}

// UserFields are the users' fields that views.sql speaks of, likewise.
func UserFields() []map[string]any {
	return []map[string]any{
		{"id": 360600000001, "type": "text", "key": "customer_tier", "title": "Customer tier"},
		{"id": 360600000002, "type": "integer", "key": "seats", "title": "Seats"},
	}
}

// OrganizationFields are those of organizations.
func OrganizationFields() []map[string]any {
	return []map[string]any{{"id": 360700000001, "type": "text", "key": "region", "title": "Region"}}
}
