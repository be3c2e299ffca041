package zendesk

import (
	"encoding/json"
	"fmt"
	"reflect"
	"strings"
	"testing"

	"farewell/mapping"
	"farewell/migration"
)

func testCatalogue() *catalogue {
	options := json.RawMessage(`[{"name":"Gold","value":"plan_gold"},{"name":"Silver","value":"plan_silver"},{"name":"Other","value":"plan_other"}]`)
	field := func(id id, key, kind, title string) accountField {
		f := accountField{ID: id, Key: key, Type: kind, Title: title}
		if kind == "tagger" || kind == "multiselect" || kind == "dropdown" {
			if err := json.Unmarshal(options, &f.Options); err != nil {
				panic(err)
			}
		}
		return f
	}
	return &catalogue{
		ticketFields: []accountField{
			field("1", "", "status", "Status"), field("501", "", "text", "Product"), field("502", "", "integer", "Order number"),
			field("503", "", "tagger", "Plan"), field("505", "", "date", "Due"), field("506", "", "multiselect", "Plans"),
		},
		userFields:         []accountField{field("601", "department", "text", "Department")},
		organizationFields: []accountField{field("701", "level", "dropdown", "Level")},
		groups:             []named{{"801", "Support"}, {"802", "Billing"}},
		brands:             []named{{"901", "Acme"}},
	}
}

func translationOf(t testing.TB, tickets string) *translation {
	t.Helper()
	f, err := mapping.Parse("m.yaml", []byte("version: 1\ndefault:\n  tickets:\n    "+strings.ReplaceAll(strings.TrimSpace(tickets), "\n", "\n    ")+"\n"))
	if err != nil {
		t.Fatal(err)
	}
	tr, problems := resolve(f.Of("acme"), testCatalogue(), map[string]string{"maria@acme.example": "31", "team@acme.example": "32"})
	if len(problems) > 0 {
		t.Fatal(problems)
	}
	return tr
}

// changesShown is a change in words: its hashes are of short texts.
func changesShown(changes []migration.Change, texts ...string) []string {
	words := map[string]string{migration.HashText(""): "''"}
	for _, text := range texts {
		words[migration.HashText(text)] = text
	}
	var all []string
	for _, c := range changes {
		all = append(all, fmt.Sprintf("%s[%s] %s: %s → %s", c.Field, c.Part, c.Rule, words[c.Before], words[c.After]))
	}
	return all
}

func TestWordsBecomeWhatTheMappingSays(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		name, mapping string
		ticket, want  migration.Ticket
		changes       []string
	}{
		{name: "an empty mapping", mapping: "{}",
			ticket: migration.Ticket{Status: "hold", Priority: "high", Type: "task", Channel: "letter", Tags: []string{"a"}},
			want:   migration.Ticket{Status: "hold", Priority: "high", Type: "task", Channel: "letter", Tags: []string{"a"}}},
		{name: "listed words", mapping: "status: {values: {open: pending, stuck: hold}}\npriority: {values: {1: low}}\ntype: {values: {bug: problem}}\nchannel: {values: {mail: email}}",
			ticket: migration.Ticket{Status: "open", Priority: "1", Type: "bug", Channel: "mail"},
			want:   migration.Ticket{Status: "pending", Priority: "low", Type: "problem", Channel: "email"}},
		{name: "words that Zendesk does not know", mapping: "status: {otherwise: open}\npriority: {otherwise: normal}",
			ticket:  migration.Ticket{Status: "stuck", Priority: "whenever", Type: "wish"},
			want:    migration.Ticket{Status: "open", Priority: "normal"},
			changes: []string{"type[] value_dropped: wish → ''"}},
		{name: "a status without a place", mapping: "{}",
			ticket:  migration.Ticket{Status: "stuck"},
			want:    migration.Ticket{Status: "new"},
			changes: []string{"status[] value_dropped: stuck → new"}},
		{name: "a status without a place, of an assigned ticket", mapping: "assignee: {default: maria@acme.example}",
			ticket:  migration.Ticket{Status: "stuck"},
			want:    migration.Ticket{Status: "open"},
			changes: []string{"status[] value_dropped: stuck → open"}},
		{name: "a new ticket that is assigned", mapping: "assignee: {default: maria@acme.example}",
			ticket:  migration.Ticket{Status: "new"},
			want:    migration.Ticket{Status: "open"},
			changes: []string{"status[] status_opened: new → open"}},
		{name: "words to be left out", mapping: "priority: {values: {low: ~}}\nchannel: {values: {letter: ~}}",
			ticket:  migration.Ticket{Status: "open", Priority: "low", Channel: "letter"},
			want:    migration.Ticket{Status: "open"},
			changes: []string{"priority[] value_dropped: low → ''", "channel[] value_dropped: letter → ''"}},
		{name: "words where there are none", mapping: "status: {default: closed}\npriority: {default: normal}\ntype: {default: question}\nchannel: {default: web}",
			want: migration.Ticket{Status: "closed", Priority: "normal", Type: "question", Channel: "web"}},
		{name: "tags", mapping: "tags: {values: {vip: key_account, tmp: ~}, add: [Moved In, vip2]}",
			ticket:  migration.Ticket{Status: "open", Tags: []string{"vip", "tmp", "VIP", "vip2"}},
			want:    migration.Ticket{Status: "open", Tags: []string{"key_account", "", "VIP", "vip2", "moved_in"}},
			changes: []string{"tags[1] tag_dropped: tmp → ''"}},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			got := row.ticket
			_, changes := translationOf(t, row.mapping).ticket(&got, nil, nil)
			if !reflect.DeepEqual(got, row.want) {
				t.Errorf("got  %+v\nwant %+v", got, row.want)
			}
			said := changesShown(changes, "wish", "stuck", "new", "open", "low", "letter", "tmp")
			if !reflect.DeepEqual(said, row.changes) {
				t.Errorf("changes %q, want %q", said, row.changes)
			}
		})
	}
}

func TestTicketsAreAssignedByTheFirstRuleElseByTheirOwn(t *testing.T) {
	t.Parallel()
	tr := translationOf(t, `
group: {values: {2nd level: Billing}, otherwise: Support, default: 801}
assignee: {values: {77: maria@acme.example}, otherwise: team@acme.example}
brand: {}
assign:
  - when: {tag: [refund, money], priority: urgent}
    group: Billing
  - when: {field: {product: [Anvil, 7, true]}, status: [open, pending]}
    assignee: maria@acme.example
    brand: acme
  - when: {tag: refund}
    group: Support
    assignee: team@acme.example
  - when: {type: bug, channel: mail, organization: 12, group: x, assignee: 5}
    group: Billing`)
	users := map[string]migration.Target{"5": {ID: "35", Agent: true}, "6": {ID: "36"}}
	for _, row := range []struct {
		name   string
		ticket migration.Ticket
		want   mappedTicket
		lost   int
	}{
		{"nothing is said", migration.Ticket{}, mappedTicket{group: "801"}, 0},
		{"the first rule that is met gives the group, a later one the assignee", migration.Ticket{Tags: []string{"a", "refund"}, Priority: "urgent"}, mappedTicket{group: "802", assignee: "32"}, 0},
		{"half a condition is none", migration.Ticket{Priority: "urgent"}, mappedTicket{group: "801"}, 0},
		{"by a field's text", migration.Ticket{Status: "open", CustomFields: []byte(`{"product":"Anvil"}`)}, mappedTicket{group: "801", assignee: "31", brand: "901"}, 1},
		{"by a field's number", migration.Ticket{Status: "pending", CustomFields: []byte(`{"product":7}`)}, mappedTicket{group: "801", assignee: "31", brand: "901"}, 1},
		{"another status", migration.Ticket{Status: "hold", CustomFields: []byte(`{"product":"Anvil"}`)}, mappedTicket{group: "801"}, 1},
		{"by all that a ticket has", migration.Ticket{Type: "bug", Channel: "mail", OrganizationID: "12", Group: "x", AssigneeID: "5"}, mappedTicket{group: "802", assignee: "35"}, 1},
		{"its own group", migration.Ticket{Group: "billing"}, mappedTicket{group: "802"}, 0},
		{"its own group by another name", migration.Ticket{Group: "2nd level"}, mappedTicket{group: "802"}, 0},
		{"a group that the account lacks", migration.Ticket{Group: "3rd level"}, mappedTicket{group: "801"}, 0},
		{"its own assignee", migration.Ticket{AssigneeID: "5"}, mappedTicket{group: "801", assignee: "35"}, 0},
		{"an assignee who is no agent there", migration.Ticket{AssigneeID: "6"}, mappedTicket{group: "801", assignee: "32"}, 0},
		{"an assignee whom the mapping replaces", migration.Ticket{AssigneeID: "77"}, mappedTicket{group: "801", assignee: "31"}, 0},
		{"a brand that the account lacks", migration.Ticket{Brand: "Globex"}, mappedTicket{group: "801"}, 1},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			got, changes := tr.ticket(&row.ticket, users, nil)
			if !reflect.DeepEqual(got, row.want) {
				t.Errorf("got %+v, want %+v", got, row.want)
			}
			if len(changes) != row.lost {
				t.Errorf("changes %q, want %d", changesShown(changes), row.lost)
			}
		})
	}
}

func TestFieldsGoWhereTheMappingSays(t *testing.T) {
	t.Parallel()
	tr := translationOf(t, `
fields:
  product: Product
  plan: {to: 503, options: {au: plan_gold}, default: Other}
  plans: {to: 506, options: {au: plan_gold}, keep: note}
  due: Due
  rating: ~
  secret: {keep: note}`)
	for _, row := range []struct {
		name, source, want string
		note               string
		changes            []string
	}{
		{name: "each to its own", source: `{"product":"Anvil","plan":"au","due":"2024-01-02"}`,
			want: `[{"id":501,"value":"Anvil"},{"id":503,"value":"plan_gold"},{"id":505,"value":"2024-01-02"}]`},
		{name: "none", source: ``, want: `[{"id":503,"value":"plan_other"}]`},
		{name: "null", source: `null`, want: `[{"id":503,"value":"plan_other"}]`},
		{name: "empty values", source: `{"product":"","plan":null,"rating":"","elsewhere":[]}`, want: `[{"id":503,"value":"plan_other"}]`},
		{name: "an id of the account", source: `{"502":"42","plan":"au"}`, want: `[{"id":502,"value":42},{"id":503,"value":"plan_gold"}]`},
		{name: "names without a place", source: `{"999":1,"elsewhere":"x","rating":5,"1":"solved","plan":"au"}`,
			want:    `[{"id":503,"value":"plan_gold"}]`,
			changes: []string{"custom_fields.999[] field_dropped: 1 → ''", `custom_fields.elsewhere[] field_dropped: "x" → ''`, "custom_fields.rating[] field_dropped: 5 → ''", `custom_fields.1[] field_dropped: "solved" → ''`}},
		{name: "values without a place", source: `{"plan":"tin","plans":["au","tin"],"due":"2024-01-02T10:00:00Z","502":"many"}`,
			want: `[{"id":506,"value":["plan_gold"]},{"id":505,"value":"2024-01-02"},{"id":503,"value":"plan_other"}]`,
			note: noteTitle + "\n\n" + `custom_fields.plans: ["au","tin"]`,
			changes: []string{`custom_fields.plan[] value_dropped: "tin" → ''`, `custom_fields.plans[] value_dropped: ["au","tin"] → ["plan_gold"]`,
				`custom_fields.due[] value_cut: "2024-01-02T10:00:00Z" → "2024-01-02"`, `custom_fields.502[] value_dropped: "many" → ''`}},
		{name: "kept in a note", source: `{"plan":"au","secret":{"a":[1]}}`,
			want:    `[{"id":503,"value":"plan_gold"}]`,
			note:    noteTitle + "\n\n" + `custom_fields.secret: {"a":[1]}`,
			changes: []string{`custom_fields.secret[] field_dropped: {"a":[1]} → ''`}},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			ticket := migration.Ticket{Status: "open", CustomFields: json.RawMessage(row.source)}
			got, changes := tr.ticket(&ticket, nil, nil)
			if string(got.fields) != row.want || got.note != row.note {
				t.Errorf("got  %s, note %q\nwant %s, note %q", got.fields, got.note, row.want, row.note)
			}
			said := changesShown(changes, "1", `"x"`, "5", `"solved"`, `"tin"`, `["au","tin"]`, `["plan_gold"]`, `"2024-01-02T10:00:00Z"`, `"2024-01-02"`, `"many"`, `{"a":[1]}`)
			if !reflect.DeepEqual(said, row.changes) {
				t.Errorf("changes\n%s\nwant\n%s", strings.Join(said, "\n"), strings.Join(row.changes, "\n"))
			}
		})
	}
}

func TestKeepHoldsForAllThatHasNoPlace(t *testing.T) {
	t.Parallel()
	tr := translationOf(t, "keep: note\nfields: {a: {keep: nothing}, b: ~}\ntags: {values: {tmp: ~}}\nchannel: {values: {fax: ~}}")
	ticket := migration.Ticket{Status: "stuck", Priority: "whenever", Type: "wish", Channel: "fax", Group: "3rd", AssigneeID: "9", Brand: "X", Tags: []string{"tmp"}, CustomFields: []byte(`{"a":1,"b":2,"c":3}`)}
	got, changes := tr.ticket(&ticket, nil, nil)
	want := noteTitle + "\n\n" + strings.Join([]string{"custom_fields.b: 2", "custom_fields.c: 3", "priority: whenever", "type: wish", "channel: fax", "tags: tmp", "group_name: 3rd", "brand_name: X", "assignee_id: 9", "status: stuck"}, "\n")
	if got.note != want || len(changes) != 11 {
		t.Errorf("note\n%s\nwant\n%s\n%d changes", got.note, want, len(changes))
	}
}

// A ticket is translated in a microsecond or two: without a mapping, the
// whole of a ticket takes about five.
func BenchmarkTranslate(b *testing.B) {
	tr := translationOf(b, `
status: {values: {stuck: hold}, otherwise: open}
priority: {values: {1: low}}
assign: [{when: {tag: refund}, group: Billing}]
tags: {values: {vip: key_account}}
fields: {product: Product, plan: {to: 503, options: {au: plan_gold}}}`)
	source := migration.Ticket{ID: "1", Status: "stuck", Priority: "1", Type: "question", Channel: "email", Tags: []string{"a", "vip"}, CustomFields: []byte(`{"product":"Anvil", "plan":"au", "502":17}`)}
	b.ReportAllocs()
	for b.Loop() {
		t := source
		tr.ticket(&t, nil, nil)
	}
}
