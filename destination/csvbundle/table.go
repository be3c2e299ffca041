package csvbundle

import (
	"fmt"

	"farewell/migration"
)

// table is one of the bundle's tables, and how it hangs together with others.
type table struct {
	name     string
	about    string
	key      []string
	foreign  map[string]string // column → the table whose id it is
	numbered bool              // its files carry a number even if there is only one
}

// tables lists them in the order in which a reader with foreign keys wants them.
func tables() []table {
	return []table{
		{name: "organizations", about: "the companies of your customers", key: []string{"id"}},
		{name: "users", about: "the people: customers and agents", key: []string{"id"},
			foreign: map[string]string{"organization_id": "organizations"}},
		{name: "tickets", about: "the conversations", key: []string{"id"}, numbered: true,
			foreign: map[string]string{"requester_id": "users", "submitter_id": "users", "organization_id": "organizations"}},
		{name: "ticket_tags", about: "the tags of tickets, a row for each", key: []string{"ticket_id", "position"},
			foreign: map[string]string{"ticket_id": "tickets"}},
		{name: "comments", about: "the messages of the conversations", key: []string{"id"}, numbered: true,
			foreign: map[string]string{"ticket_id": "tickets", "author_id": "users"}},
		{name: "attachments", about: "the files at messages: names, sizes and where they were", key: []string{"id"},
			foreign: map[string]string{"ticket_id": "tickets", "comment_id": "comments"}},
		// The last one, since not every bundle has it.
		{name: filesTable, about: "the files themselves: where each is in this bundle, or why it is not", key: []string{"attachment_id"},
			foreign: map[string]string{"attachment_id": "attachments", "ticket_id": "tickets"}},
	}
}

func tableNamed(name string) (table, bool) {
	for _, t := range tables() {
		if t.name == name {
			return t, true
		}
	}
	return table{}, false
}

// people are the tables whose records are brought when others name them.
func people() []migration.Entity {
	return []migration.Entity{migration.Organizations, migration.Users}
}

// fileNames names a table's files below data/.
func (t table) fileNames(n int, f form) []string {
	if n == 1 && !t.numbered {
		return []string{t.name + f.suffix()}
	}
	names := make([]string, n)
	for i := range names {
		names[i] = fmt.Sprintf("%s-%04d%s", t.name, i+1, f.suffix())
	}
	return names
}
