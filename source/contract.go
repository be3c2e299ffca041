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
	kindIDs // a list of ids
	kindJSON
	kindBool
	kindInteger
	kindBytes
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
	only    string // a condition on the rows of ranges; empty: all of them
	needs   string // the optional column without which there are no such rows
	heavy   string // SQL for what a record counts against pageWeight; empty: nothing
}

type column struct {
	name     string
	kind     kind
	optional bool // a view may do without it
}

const (
	customerID      = "customer_id"
	organizationIDs = "organization_ids"
	suspended       = "suspended"
)

func optional(name string, k kind) column { return column{name: name, kind: k, optional: true} }

// views lists the contract of docs/source-views.md.
func views() []view {
	return []view{
		{name: "customers", key: "id", order: []string{"id"}, columns: []column{
			{name: "id", kind: kindID}, {name: "name", kind: kindText},
		}},
		{name: "organizations", key: "id", order: []string{"id"}, sized: []string{"name", "details", "notes"}, columns: []column{
			{name: customerID, kind: kindID}, {name: "id", kind: kindID}, {name: "name", kind: kindText}, {name: "details", kind: kindText}, {name: "notes", kind: kindText},
			{name: "tags", kind: kindTags}, {name: "created_at", kind: kindTime}, {name: "updated_at", kind: kindTime},
			optional("organization_fields", kindJSON),
		}},
		{name: "users", key: "id", order: []string{"id"}, sized: []string{"name"}, columns: []column{
			{name: customerID, kind: kindID}, {name: "id", kind: kindID}, {name: "organization_id", kind: kindID}, {name: "name", kind: kindText}, {name: "email", kind: kindText},
			{name: "phone", kind: kindText}, {name: "role", kind: kindText}, {name: "time_zone", kind: kindText}, {name: "locale", kind: kindText},
			{name: "tags", kind: kindTags}, {name: "created_at", kind: kindTime}, {name: "updated_at", kind: kindTime},
			optional(organizationIDs, kindIDs), optional("emails", kindTags), optional("phones", kindTags),
			optional("user_fields", kindJSON), optional(suspended, kindBool),
		}},
		{name: "tickets", key: "id", order: []string{"id"}, sized: []string{"subject", "custom_fields"}, columns: []column{
			{name: customerID, kind: kindID}, {name: "id", kind: kindID}, {name: "requester_id", kind: kindID}, {name: "submitter_id", kind: kindID}, {name: "organization_id", kind: kindID},
			{name: "subject", kind: kindText}, {name: "status", kind: kindText}, {name: "priority", kind: kindText}, {name: "type", kind: kindText}, {name: "channel", kind: kindText},
			{name: "tags", kind: kindTags}, {name: "custom_fields", kind: kindJSON},
			{name: "created_at", kind: kindTime}, {name: "updated_at", kind: kindTime}, {name: "solved_at", kind: kindTime},
			optional("cc_ids", kindIDs),
			optional("assignee_id", kindID), optional("group_name", kindText), optional("brand_name", kindText),
		}},
		{name: "comments", key: "ticket_id", order: []string{"ticket_id", "created_at", "id"}, columns: []column{
			{name: customerID, kind: kindID}, {name: "id", kind: kindID}, {name: "ticket_id", kind: kindID}, {name: "author_id", kind: kindID}, {name: "public", kind: kindBool},
			{name: "body", kind: kindText}, {name: "body_format", kind: kindText}, {name: "created_at", kind: kindTime},
		}},
		{name: "attachments", key: "ticket_id", order: []string{"ticket_id", "created_at", "id"}, columns: []column{
			{name: customerID, kind: kindID}, {name: "id", kind: kindID}, {name: "ticket_id", kind: kindID}, {name: "comment_id", kind: kindID}, {name: "file_name", kind: kindText},
			{name: "content_type", kind: kindText}, optional("size", kindInteger), optional("url", kindText), {name: "created_at", kind: kindTime},
			optional("blob_key", kindText), optional("content", kindBytes), optional("sha256", kindText),
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
	case migration.Memberships, migration.Suspensions:
		v, err := viewNamed(string(migration.Users))
		v.needs, v.only = suspended, "v."+suspended
		if e == migration.Memberships {
			v.needs, v.only = organizationIDs, "cardinality(v."+organizationIDs+") > 0"
			v.heavy = "1 + coalesce(cardinality(v." + organizationIDs + "), 0)"
		}
		return v, err
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
