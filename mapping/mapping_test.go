package mapping

import (
	"errors"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"strings"
	"testing"
)

func TestProblemsNameLineColumnAndWhatToDo(t *testing.T) {
	t.Parallel()
	for _, row := range []struct{ name, text, want string }{
		{"an unknown key", "version: 1\ndefault:\n  tickets:\n    priorty: {}\n", `m.yaml:4:5: unknown key "priorty"; did you mean "priority"?`},
		{"an unknown key on top", "version: 1\ndefaults: {}\n", `m.yaml:2:1: unknown key "defaults"; did you mean "default"?`},
		{"a word that Zendesk lacks", "version: 1\ndefault:\n  tickets:\n    status:\n      values: {waiting: pendin}\n", `m.yaml:5:25: Zendesk has no "pendin" here; did you mean "pending"?`},
		{"a word that is like none", "version: 1\ndefault: {tickets: {priority: {default: whatever}}}\n", `m.yaml:2:41: Zendesk has no "whatever" here; the words are "low", "normal", "high", "urgent"`},
		{"a customer's own entry", "version: 1\ncustomers:\n  acme:\n    tickets: {type: {values: {a: b}}}\n", `m.yaml:4:34: Zendesk has no "b" here; the words are "question", "incident", "problem", "task"`},
		{"an entry of the default is named once", "version: 1\ndefault: {tickets: {keep: no}}\ncustomers: {a: {}, b: {}}\n", `m.yaml:2:27: "no" is no way to keep a value; write note or nothing`},
		{"a key twice", "version: 1\ndefault:\n  users:\n    tags: {}\n    tags: {}\n", `m.yaml:5:5: "tags" is there twice, first in line 4; leave one of them out`},
		{"no YAML", "version: 1\n\tdefault: {}\n", `m.yaml:2:1: not YAML: found a tab character that violates indentation; check indentation, colons and quotes there and in the line above`},
		{"nothing", "", `m.yaml:1:1: the file is empty; begin it with version: 1`},
		{"a second document", "version: 1\n---\nversion: 1\n", `m.yaml:2:1: a second document begins here; keep all in one, without a line of ---`},
		{"no version", "default: {}\n", `m.yaml:1:1: the file does not say its version; begin it with version: 1`},
		{"a list for keys", "version: 1\ndefault: {tickets: {fields: [a]}}\n", `m.yaml:2:29: found a list where keys and values is expected`},
		{"two problems", "version: 1\ndefault:\n  users: {a: b}\n  tickets: {b: c}\n", "m.yaml:3:11: unknown key \"a\"; the keys here are \"tags\", \"fields\"\nm.yaml:4:13: unknown key \"b\"; the keys here are \"skip\", \"status\", \"priority\", \"type\", \"channel\", \"group\", \"assignee\", \"brand\", \"assign\", \"tags\", \"fields\", \"keep\""},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			_, err := Parse("m.yaml", []byte(row.text))
			var invalid *Invalid
			if !errors.As(err, &invalid) || err.Error() != row.want {
				t.Errorf("got\n%v\nwant\n%s", err, row.want)
			}
		})
	}
}

func TestAnAliasOfItselfEnds(t *testing.T) {
	t.Parallel()
	if _, err := Parse("m.yaml", []byte("version: 1\ndefault: {tickets: {fields: &a {x: *a}}}\n")); err == nil {
		t.Error("taken")
	}
}

func TestCustomersEntriesAreLaidOverTheDefaults(t *testing.T) {
	t.Parallel()
	f := parse(t, `
version: 1
default:
  tickets:
    status: {values: {a: open, b: hold}, otherwise: open}
    tags: {add: [x, y]}
    fields:
      plan: {to: 1, options: {Gold: gold}}
      product: 2
      gone: 3
customers:
  acme:
    tickets:
      status: {values: {b: closed}, otherwise: ~}
      tags: {add: z}
      fields: {plan: {to: 9}, product: {to: 8}, gone: ~}
  plain:
`)
	got := f.Of("acme").Tickets
	want := Tickets{
		Status: Words{Values: map[string]string{"a": "open", "b": "closed"}},
		Tags:   Tags{Add: List{"z"}},
		Fields: map[string]Field{"plan": {To: "9", Options: map[string]string{"Gold": "gold"}}, "product": {To: "8"}, "gone": {}},
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got  %+v\nwant %+v", got, want)
	}
	for _, customer := range []string{"plain", "somebody else"} {
		if got := f.Of(customer).Tickets.Fields["plan"].To; got != "1" {
			t.Errorf("%s: the plan goes to %q", customer, got)
		}
	}
}

func TestEntriesAreNamedWhereTheyStand(t *testing.T) {
	t.Parallel()
	f := parse(t, "version: 1\ndefault:\n  tickets:\n    fields:\n      plan:\n        to: 1\n        options: {Gold: gold}\ncustomers:\n  acme:\n    tickets: {fields: {plan: {to: 2}}}\n")
	for _, row := range []struct{ customer, path, want string }{
		{"acme", "tickets.fields.plan.to", "m.yaml:10:35: x"},
		{"acme", "tickets.fields.plan.options.Gold", "m.yaml:7:25: x"},
		{"other", "tickets.fields.plan.to", "m.yaml:6:13: x"},
		{"other", "tickets.fields.plan", "m.yaml:5:7: x"},
	} {
		if got := f.Of(row.customer).Problem(row.path, "x", "").String(); got != row.want {
			t.Errorf("%s of %s: %s, want %s", row.path, row.customer, got, row.want)
		}
	}
	remembered := encodedAndDecoded(t, f.Of("acme"))
	if got, want := remembered.Problem("tickets.fields.plan.to", "x", "").String(), "mapping: tickets.fields.plan.to: x"; got != want {
		t.Errorf("remembered: %s, want %s", got, want)
	}
}

func TestMisspeltCustomersAreNamed(t *testing.T) {
	t.Parallel()
	f := parse(t, "version: 1\ncustomers:\n  acmee: {}\n  globex: {}\n")
	found := f.Strangers([]string{"acme", "globex"})
	want := `m.yaml:3:3: customer "acmee" has no line in the accounts file, so these entries have no effect`
	if len(found) != 1 || found[0].String() != want || found[0].Fix != `did you mean "acme"?` {
		t.Errorf("got %v, want %s", found, want)
	}
}

func TestAMappingIsRememberedAsItIs(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("testdata/good/full.yaml")
	if err != nil {
		t.Fatal(err)
	}
	m := parse(t, string(text)).Of("acme")
	again := encodedAndDecoded(t, m)
	if !reflect.DeepEqual(again.Tickets, m.Tickets) || !reflect.DeepEqual(again.Users, m.Users) || !reflect.DeepEqual(again.Organizations, m.Organizations) {
		t.Errorf("got  %+v\nwant %+v", again, m)
	}
	for i := range reflect.TypeFor[Tickets]().NumField() {
		if reflect.ValueOf(m.Tickets).Field(i).IsZero() {
			t.Errorf("testdata/good/full.yaml says nothing of tickets' %s", reflect.TypeFor[Tickets]().Field(i).Name)
		}
	}
}

func TestHashTellsMappingsApartAndNotFiles(t *testing.T) {
	t.Parallel()
	hash := func(text string) string {
		m := parse(t, text).Of("acme")
		if again := encodedAndDecoded(t, m).Hash(); again != m.Hash() {
			t.Errorf("hash %s, remembered %s", m.Hash(), again)
		}
		return m.Hash()
	}
	a := hash("version: 1\ndefault: {tickets: {status: {values: {a: open, b: hold}}}}\n")
	b := hash("# a comment\nversion: 1\ncustomers:\n  acme:\n    tickets:\n      status:\n        values: {b: hold, a: open}\n")
	c := hash("version: 1\ndefault: {tickets: {status: {values: {a: open, b: open}}}}\n")
	if a != b || a == c {
		t.Errorf("hashes %s, %s, %s", a, b, c)
	}
}

func TestTheExamplesOfTheDocumentationAreGood(t *testing.T) {
	t.Parallel()
	page, err := os.ReadFile(filepath.FromSlash("../docs/mapping.md"))
	if err != nil {
		t.Fatal(err)
	}
	examples := regexp.MustCompile("(?s)```yaml\n(.*?)```").FindAllStringSubmatch(string(page), -1)
	if len(examples) == 0 {
		t.Fatal("docs/mapping.md has no example")
	}
	for _, e := range examples {
		if !strings.Contains(e[1], "version:") { // a part of a file, to be read below "default:"
			e[1] = "version: 1\ndefault:\n  tickets:\n" + e[1]
		}
		parse(t, e[1])
	}
}

func parse(t *testing.T, text string) *File {
	t.Helper()
	f, err := Parse("m.yaml", []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return f
}

func encodedAndDecoded(t *testing.T, m *Mapping) *Mapping {
	t.Helper()
	text, err := m.Encode()
	if err != nil {
		t.Fatal(err)
	}
	again, err := Decode(text)
	if err != nil {
		t.Fatal(err)
	}
	return again
}
