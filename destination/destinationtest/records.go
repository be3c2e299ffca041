package destinationtest

import (
	"fmt"
	"time"

	"farewell/migration"
)

// Records of the suite: few, small, and different in every way that a
// destination may trip over.

var made = time.Date(2021, 3, 4, 5, 6, 7, 0, time.UTC)

func organizations(n int) migration.Page {
	page := migration.Page{Organizations: []migration.Organization{}, ReadAt: time.Now()}
	for i := range n {
		page.Organizations = append(page.Organizations, migration.Organization{
			ID:        fmt.Sprintf("O%d", i),
			Name:      fmt.Sprintf("Müller & Söhne %d", i),
			Tags:      []string{"VIP", "two words"},
			CreatedAt: made,
			UpdatedAt: made,
		})
	}
	return page
}

func users(n int) migration.Page {
	page := migration.Page{Users: []migration.User{}, ReadAt: time.Now()}
	for i := range n {
		page.Users = append(page.Users, migration.User{
			ID:             fmt.Sprintf("u%d", i),
			OrganizationID: "O0",
			Name:           fmt.Sprintf("李 %d", i),
			Email:          fmt.Sprintf("user%d@example.com", i),
			Role:           "end_user",
			CreatedAt:      made,
			UpdatedAt:      made,
		})
	}
	return page
}

// tickets are n tickets whose ids begin with the word.
func tickets(word string, n int) migration.Page {
	page := migration.Page{Tickets: []migration.Ticket{}, ReadAt: time.Now()}
	for i := range n {
		page.Tickets = append(page.Tickets, migration.Ticket{
			ID:             fmt.Sprintf("%s-%d", word, i),
			RequesterID:    "u0",
			OrganizationID: "O0",
			Subject:        fmt.Sprintf("Ticket %d \"quoted\" 👩‍👩‍👧", i),
			Status:         "closed",
			Channel:        "email",
			Tags:           []string{"Billing"},
			CreatedAt:      made,
			UpdatedAt:      made.Add(time.Hour),
			SolvedAt:       made.Add(time.Hour),
			Comments: []migration.Comment{
				{ID: "1", AuthorID: "u0", Public: true, Body: "first\nline", CreatedAt: made},
				{ID: "2", AuthorID: "u1", Public: false, HTML: true, Body: "<p>same second</p>", CreatedAt: made},
				{ID: "3", AuthorID: "nobody", Public: true, Body: "by somebody unknown", CreatedAt: made.Add(time.Minute)},
			},
		})
	}
	return page
}
