package zendesk

import (
	"fmt"
	"reflect"
	"strings"
	"testing"

	"farewell/migration"
)

func TestPeopleAreSentAsTheyAreOrListed(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("é", 300)
	for name, c := range map[string]struct {
		changes []migration.Change
		want    []string // field, part, rule, then before and after
	}{
		"plain": {fitUsers([]migration.User{{ID: "7", Name: "Žofie", Email: "Z@x.example", Phone: "+1", OrganizationID: "1", Tags: []string{"a"}}},
			map[string]migration.Target{"1": {ID: "201"}}, nil), nil},
		"blanks around": {fitUsers([]migration.User{{ID: "7", Name: " Z ", Email: "z@x ", Phone: "\t1"}}, nil, nil), []string{
			"users 7 name  space_trimmed" + from(" Z ", "Z"), "users 7 email  space_trimmed" + from("z@x ", "z@x"), "users 7 phone  space_trimmed" + from("\t1", "1"),
		}},
		"no name": {fitUsers([]migration.User{{ID: "7", Name: " ", Email: "z@x"}, {ID: "8"}}, nil, nil), []string{
			"users 7 name  space_trimmed" + from(" ", ""), "users 7 name  name_missing" + from("", "z@x"), "users 8 name  name_missing" + from("", "Unknown"),
		}},
		"long name": {fitUsers([]migration.User{{ID: "7", Name: long}}, nil, nil), []string{"users 7 name  name_cut" + from(long, long[:2*nameLimit])}},
		"a blank at the cut": {fitUsers([]migration.User{{ID: "7", Name: strings.Repeat("word ", 60)}}, nil, nil), []string{
			"users 7 name  space_trimmed" + from(strings.Repeat("word ", 60), strings.Repeat("word ", 59)+"word"),
			"users 7 name  name_cut" + from(strings.Repeat("word ", 59)+"word", strings.Repeat("word ", 50)+"word"),
		}},
		"tags":                 {fitUsers([]migration.User{{ID: "7", Name: "x", Tags: []string{"a", "B c"}}}, nil, nil), []string{"users 7 tags 1 tag_cleaned" + from("B c", "b_c")}},
		"unknown organization": {fitUsers([]migration.User{{ID: "7", Name: "x", OrganizationID: "9"}}, nil, nil), []string{"users 7 organization_id  organization_left" + from("9", "")}},
		"organizations": {fitOrganizations([]migration.Organization{{ID: "1"}, {ID: "2", Name: "Org", Tags: []string{" "}}}, nil), []string{
			"organizations 1 name  name_missing" + from("", "Organization 1"), "organizations 2 tags 0 tag_cleaned" + from(" ", ""),
		}},
	} {
		var got []string
		for _, c := range c.changes {
			got = append(got, fmt.Sprint(c.Entity, " ", c.SourceID, " ", c.Field, " ", c.Part, " ", c.Rule, " ", c.Before, " ", c.After))
		}
		if !reflect.DeepEqual(got, c.want) {
			t.Errorf("%s: %q, want %q", name, got, c.want)
		}
	}
}

func from(before, after string) string {
	return " " + migration.HashText(before) + " " + migration.HashText(after)
}
