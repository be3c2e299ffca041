package zendesk

import (
	"maps"
	"testing"

	"farewell/migration"
)

func TestBodyKeysAreThoseOfTheRequest(t *testing.T) {
	t.Parallel()
	for name, row := range map[string]struct {
		e    migration.Entity
		body string // empty: none is at hand
		want map[string]string
	}{
		"users":                 {migration.Users, `{"users":[{"external_id":"fw:1","name":"A","email":" A@x.Example","tags":["t"]},{"external_id":"fw:2","email":null},{"external_id":"other","email":"b@x"}]}`, map[string]string{"1": "a@x.example", "2": ""}},
		"one user":              {migration.Users, `{"user":{"email":"\u0061@x","external_id":"fw:1"}}`, map[string]string{"1": "a@x"}},
		"organizations":         {migration.Organizations, `{"organizations":[{"external_id":"fw:1","name":"Ä Corp "},{"name":"nobody's"}]}`, map[string]string{"1": "ä corp"}},
		"one organization":      {migration.Organizations, `{"organization":{"name":"B","external_id":"fw:2","organization_fields":{"name":"C"}}}`, map[string]string{"2": "b"}},
		"a ticket has no key":   {migration.Tickets, `{"ticket":{"external_id":"fw:1","name":"B"}}`, nil},
		"no request is at hand": {migration.Users, "", nil},
		"half a request":        {migration.Users, `{"users":[{"external_id":"fw:1","email":"a@x"}`, nil},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var body []byte
			if row.body != "" {
				body = []byte(row.body)
			}
			got := bodyKeys(row.e, body, "fw:")
			if !maps.Equal(got, row.want) || (got == nil) != (row.want == nil) {
				t.Errorf("keys %q, want %q", got, row.want)
			}
		})
	}
}
