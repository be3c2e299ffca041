package source

import (
	"fmt"

	"farewell/migration"
)

// kind is what a column of a view holds.
type kind int

const (
	kindID kind = iota
	kindText
	kindTime
	kindTags
	kindJSON
	kindBool
	kindInteger
)

// view is the contract of one view: its columns in the order in which pages
// and bundles show them. The column customer_id, by which every view but
// "customers" is selected, comes first.
type view struct {
	name    string
	key     string   // the column whose ranges are read: the id of the entity
	order   []string // columns, within a customer
	sized   []string // columns whose bytes count against a page
	columns []column
}

type column struct {
	name string
	kind kind
}

const customerID = "customer_id"

// views lists the contract of docs/source-views.md.
func views() []view {
	return []view{
		{name: "customers", key: "id", order: []string{"id"}, columns: []column{
			{"id", kindID}, {"name", kindText},
		}},
		{name: "organizations", key: "id", order: []string{"id"}, sized: []string{"name", "details", "notes"}, columns: []column{
			{customerID, kindID}, {"id", kindID}, {"name", kindText}, {"details", kindText}, {"notes", kindText},
			{"tags", kindTags}, {"created_at", kindTime}, {"updated_at", kindTime},
		}},
		{name: "users", key: "id", order: []string{"id"}, sized: []string{"name"}, columns: []column{
			{customerID, kindID}, {"id", kindID}, {"organization_id", kindID}, {"name", kindText}, {"email", kindText},
			{"phone", kindText}, {"role", kindText}, {"time_zone", kindText}, {"locale", kindText},
			{"tags", kindTags}, {"created_at", kindTime}, {"updated_at", kindTime},
		}},
		{name: "tickets", key: "id", order: []string{"id"}, sized: []string{"subject", "custom_fields"}, columns: []column{
			{customerID, kindID}, {"id", kindID}, {"requester_id", kindID}, {"submitter_id", kindID}, {"organization_id", kindID},
			{"subject", kindText}, {"status", kindText}, {"priority", kindText}, {"type", kindText}, {"channel", kindText},
			{"tags", kindTags}, {"custom_fields", kindJSON},
			{"created_at", kindTime}, {"updated_at", kindTime}, {"solved_at", kindTime},
		}},
		{name: "comments", key: "ticket_id", order: []string{"ticket_id", "created_at", "id"}, columns: []column{
			{customerID, kindID}, {"id", kindID}, {"ticket_id", kindID}, {"author_id", kindID}, {"public", kindBool},
			{"body", kindText}, {"body_format", kindText}, {"created_at", kindTime},
		}},
		{name: "attachments", key: "ticket_id", order: []string{"ticket_id", "created_at", "id"}, columns: []column{
			{customerID, kindID}, {"id", kindID}, {"ticket_id", kindID}, {"comment_id", kindID}, {"file_name", kindText},
			{"content_type", kindText}, {"size", kindInteger}, {"url", kindText}, {"created_at", kindTime},
		}},
	}
}

// viewNamed returns the contract of a view.
func viewNamed(name string) (view, error) {
	for _, v := range views() {
		if v.name == name {
			return v, nil
		}
	}
	return view{}, fmt.Errorf("no view %q in the contract", name)
}

// entityView returns the contract of the view that holds an entity.
func entityView(e migration.Entity) (view, error) {
	switch e {
	case migration.Organizations, migration.Users, migration.Tickets:
		return viewNamed(string(e))
	}
	return view{}, fmt.Errorf("no entity %q", e)
}

// ofEntity tells whether the rows of the view belong to records of the entity.
func (v view) ofEntity(e migration.Entity) bool {
	if v.name == string(e) {
		return true
	}
	return e == migration.Tickets && v.key == "ticket_id"
}
