package zendesk_test

import (
	"fmt"
	"strings"
	"testing"

	"farewell/destination"
	"farewell/destination/zendesk"
	"farewell/mapping"
)

func object(members ...any) map[string]any {
	o := map[string]any{}
	for i := 0; i < len(members); i += 2 {
		o[members[i].(string)] = members[i+1]
	}
	return o
}

// fieldedAccount has some of everything that a mapping may name.
func fieldedAccount() map[string]any {
	options := []map[string]any{{"name": "Gold", "value": "plan_gold"}, {"name": "Silver", "value": "plan_silver"}, {"name": "Other", "value": "plan_other"}}
	return object(
		"index_lag_seconds", 0,
		"ticket_fields", []map[string]any{
			{"id": 501, "type": "text", "title": "Product"},
			{"id": 502, "type": "integer", "title": "Order number"},
			{"id": 503, "type": "tagger", "title": "Plan", "custom_field_options": options},
			{"id": 504, "type": "multiselect", "title": "Plans", "custom_field_options": options},
			{"id": 505, "type": "date", "title": "Due"},
			{"id": 506, "type": "checkbox", "title": "Urgent", "tag": "urgent_box"},
			{"id": 507, "type": "text", "title": "Retired", "active": false},
			{"id": 508, "type": "text", "title": "Twin"},
			{"id": 509, "type": "text", "title": "twin"},
		},
		"user_fields", []map[string]any{{"id": 601, "type": "text", "key": "department", "title": "Department"}},
		"organization_fields", []map[string]any{{"id": 701, "type": "dropdown", "key": "service_level", "title": "Service level", "custom_field_options": options}},
		"groups", []map[string]any{{"id": 801, "name": "Support"}, {"id": 802, "name": "Billing"}, {"id": 803, "name": "Twins"}, {"id": 804, "name": "Twins"}},
		"brands", []map[string]any{{"id": 901, "name": "Acme Tools"}},
	)
}

func parsed(t *testing.T, text string) *mapping.Mapping {
	t.Helper()
	f, err := mapping.Parse("mapping.yaml", []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return f.Of("acme")
}

func mappingChecks(t *testing.T, a *zendesk.Account, m *mapping.Mapping) []destination.Check {
	t.Helper()
	checks, err := a.Preflight(within(t), destination.PreflightInput{Mapping: m})
	if err != nil {
		t.Fatal(err)
	}
	var found []destination.Check
	for _, c := range checks {
		if c.Name == "mapping" {
			found = append(found, c)
		}
	}
	return found
}

func TestPreflightRefusesAMappingThatNamesWhatTheAccountLacks(t *testing.T) {
	t.Parallel()
	a := newSandbox(t, fieldedAccount()).open(t)
	for _, row := range []struct{ name, tickets, text, fix string }{
		{"an unknown field", "fields: {product: Prodct}", `mapping.yaml:4:23: the account has no ticket field "Prodct"`, `did you mean "Product"?`},
		{"an unknown field's id", "fields: {product: 51}", `mapping.yaml:4:23: the account has no ticket field "51"`, `did you mean "501"?`},
		{"a field of the system", "fields: {state: {to: 360000000003}}", `mapping.yaml:4:26: the ticket field "status" is of type status, which takes no values of custom fields`, "map status, priority, type, group and assignee by entries of their own"},
		{"a field that is switched off", "fields: {state: Retired}", `mapping.yaml:4:21: the ticket field "Retired" is switched off in the account`, "activate it there, or leave it out here"},
		{"a title that two fields have", "fields: {state: Twin}", `mapping.yaml:4:21: the account has 2 ticket fields "Twin"`, "write the id of the one you mean"},
		{"two fields for one", "fields: {a: Product, b: 501}", `mapping.yaml:4:29: "a" and "b" go to the same ticket field`, "give one of them another target"},
		{"an unknown option", "fields: {p: {to: Plan, options: {au: plan_god}}}", `mapping.yaml:4:42: the field "Plan" has no option "plan_god"`, `did you mean "plan_gold"?`},
		{"an unknown option otherwise", "fields: {p: {to: 503, otherwise: nothing}}", `mapping.yaml:4:38: the field "Plan" has no option "nothing"`, `the options are "plan_gold", "plan_silver", "plan_other"`},
		{"options of a text", "fields: {p: {to: Product, options: {a: b}}}", `mapping.yaml:4:31: the ticket field "Product" is of type text and has no options`, "leave options and otherwise out"},
		{"a default that does not fit", "fields: {p: {to: Order number, default: many}}", `mapping.yaml:4:45: "many" does not fit the ticket field "Order number", which is of type integer`, "write a value of that type"},
		{"an unknown group", "group: {default: Supprt}", `mapping.yaml:4:22: the account has no group "Supprt"`, `did you mean "Support"?`},
		{"an unknown group of a rule", "assign: [{group: Biling}]", `mapping.yaml:4:22: the account has no group "Biling"`, `did you mean "Billing"?`},
		{"an unknown group's id", "group: {otherwise: 809}", `mapping.yaml:4:24: the account has no group "809"`, `the groups are "Support", "Billing", "Twins", "Twins"`},
		{"a name that two groups have", "group: {otherwise: Twins}", `mapping.yaml:4:24: the account has several groups "Twins"`, "write the id of the one you mean"},
		{"an unknown brand", "brand: {default: Acme}", `mapping.yaml:4:22: the account has no brand "Acme"`, `did you mean "Acme Tools"?`},
		{"an unknown agent", "assignee: {default: nobody@acme.example}", `mapping.yaml:4:25: no agent or admin of the account has this e-mail address`, ""},
		{"an agent's id that is none", "assign: [{assignee: 4}]", `mapping.yaml:4:25: no agent or admin of the account has the id 4`, ""},
	} {
		t.Run(row.name, func(t *testing.T) {
			found := mappingChecks(t, a, parsed(t, "version: 1\ndefault:\n  tickets:\n    "+row.tickets+"\n"))
			if len(found) != 1 || found[0].OK || !found[0].Fatal || found[0].Override != "" {
				t.Fatalf("checks %+v", found)
			}
			if found[0].Text != row.text || row.fix != "" && found[0].Fix != row.fix {
				t.Errorf("got  %s; %s\nwant %s; %s", found[0].Text, found[0].Fix, row.text, row.fix)
			}
			if strings.Contains(found[0].Text+found[0].Fix, "@") {
				t.Error("an e-mail address is in a finding")
			}
		})
	}
}

func TestPreflightRefusesFieldsOfPeopleThatTheAccountLacks(t *testing.T) {
	t.Parallel()
	a := newSandbox(t, fieldedAccount()).open(t)
	found := mappingChecks(t, a, parsed(t, "version: 1\ndefault:\n  users: {fields: {division: departmnt}}\n  organizations: {fields: {tier: {to: service_level, options: {A: gold_plan}}}}\n"))
	var got []string
	for _, c := range found {
		got = append(got, c.Text+"; "+c.Fix)
	}
	want := []string{
		`mapping.yaml:3:30: the account has no user field "departmnt"; did you mean "department"?`,
		`mapping.yaml:4:67: the field "Service level" has no option "gold_plan"; the options are "plan_gold", "plan_silver", "plan_other"`,
	}
	if fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

func TestPreflightSaysWhatAGoodMappingDoes(t *testing.T) {
	t.Parallel()
	s := newSandbox(t, fieldedAccount())
	a := s.open(t)
	m := parsed(t, `
version: 1
default:
  tickets:
    fields: {product: product, plan: {to: 503, options: {au: Gold}, default: plan_other}, junk: ~}
    group: {values: {x: 802}, otherwise: SUPPORT}
    assignee: {default: agent@acme.example}
    brand: {default: acme tools}
    assign: [{when: {tag: a}, group: Billing}]
  users: {fields: {division: department}}
`)
	found := mappingChecks(t, a, m)
	want := "mapping.yaml (" + m.Hash()[:8] + ") fits the account: 3 fields have a target, 1 have none, 1 rules assign tickets"
	if len(found) != 1 || !found[0].OK || found[0].Text != want {
		t.Errorf("checks %+v, want %s", found, want)
	}
	for name := range s.stats(t)["requests_by_endpoint"].(map[string]any) {
		if !strings.HasPrefix(name, "GET ") && name != "POST /api/v2/users/create_many" { // of nobody
			t.Errorf("preflight sent %s", name)
		}
	}
	if len(mappingChecks(t, a, nil)) != 0 {
		t.Error("a finding about a mapping where there is none")
	}
}
