package zendesk

import (
	"strings"
	"testing"

	"farewell/migration"
)

func TestValuesAreMadeToFitTheField(t *testing.T) {
	t.Parallel()
	const dropped, cut = migration.RuleValueDropped, migration.RuleValueCut
	known := map[string]string{"gold": "plan_gold", "plan_gold": "plan_gold", "silver": "plan_silver", "plan_silver": "plan_silver"}
	for _, row := range []struct {
		kind, raw, want string
		rule            migration.Rule
	}{
		{"text", `"Anvil"`, `"Anvil"`, ""},
		{"text", `"a\nb"`, `"a\nb"`, ""},
		{"text", `7.50`, `"7.50"`, ""},
		{"text", `true`, `"true"`, ""},
		{"text", `["a", 1]`, `"[\"a\", 1]"`, ""},
		{"text", `""`, "", ""},
		{"text", `null`, "", ""},
		{"integer", `42`, `42`, ""},
		{"integer", `"42"`, `42`, ""},
		{"integer", `"007"`, `"007"`, ""},
		{"integer", `42.5`, "", dropped},
		{"integer", `"many"`, "", dropped},
		{"integer", `[1]`, "", dropped},
		{"decimal", `42.50`, `42.50`, ""},
		{"decimal", `"-1e3"`, `-1e3`, ""},
		{"decimal", `"0x10"`, "", dropped},
		{"decimal", `"NaN"`, "", dropped},
		{"decimal", `"infinity"`, "", dropped},
		{"checkbox", `true`, `true`, ""},
		{"checkbox", `"No"`, `false`, ""},
		{"checkbox", `1`, `true`, ""},
		{"checkbox", `"perhaps"`, "", dropped},
		{"date", `"2024-02-29"`, `"2024-02-29"`, ""},
		{"date", `"2024-02-29T23:59:59.123+02:00"`, `"2024-02-29"`, cut},
		{"date", `"2024-02-29 23:59:59+00"`, `"2024-02-29"`, cut},
		{"date", `"2024-02-30"`, "", dropped},
		{"date", `20240229`, "", dropped},
		{"tagger", `"au"`, `"plan_gold"`, ""},
		{"tagger", `"GOLD "`, `"plan_gold"`, ""},
		{"tagger", `"plan_silver"`, `"plan_silver"`, ""},
		{"tagger", `2`, `"plan_silver"`, ""},
		{"tagger", `"old"`, "", dropped},
		{"tagger", `"tin"`, "", dropped},
		{"tagger", `["au"]`, "", dropped},
		{"dropdown", `"au"`, `"plan_gold"`, ""},
		{"multiselect", `["au", 2]`, `["plan_gold","plan_silver"]`, ""},
		{"multiselect", `"au"`, `["plan_gold"]`, ""},
		{"multiselect", `["au", "tin", ["au"]]`, `["plan_gold"]`, dropped},
		{"multiselect", `["tin"]`, "", dropped},
		{"multiselect", `[]`, "", ""},
	} {
		t.Run(row.kind+" "+row.raw, func(t *testing.T) {
			t.Parallel()
			f := fieldRule{target: "5", kind: row.kind, known: known, options: map[string]string{"au": "plan_gold", "2": "plan_silver", "old": ""}}
			value, rule := f.value([]byte(row.raw))
			if string(value) != row.want || rule != row.rule {
				t.Errorf("got %s, %q, want %s, %q", value, rule, row.want, row.rule)
			}
		})
	}
	t.Run("otherwise and default", func(t *testing.T) {
		t.Parallel()
		f := fieldRule{target: "5", kind: "tagger", known: known, otherwise: "plan_other", standard: []byte(`"plan_none"`)}
		for raw, want := range map[string]string{`"tin"`: `"plan_other"`, `"Gold"`: `"plan_gold"`, `""`: `"plan_none"`, `null`: `"plan_none"`} {
			if value, rule := f.value([]byte(raw)); string(value) != want || rule != "" {
				t.Errorf("%s: got %s, %q, want %s", raw, value, rule, want)
			}
		}
	})
}

func TestMembersOfAnObjectAreFoundAsTheyAreWritten(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		raw, want string
		bad       bool
	}{
		{raw: `{}`},
		{raw: ` { } `},
		{raw: `{"a": 1, "b": "x\"}y", "c": [1, {"d": "]"}], "e": null, "f": {"g": {}}}`, want: `a=1|b="x\"}y"|c=[1, {"d": "]"}]|e=null|f={"g": {}}`},
		{raw: `{"\u00e4\"":true}`, want: `ä"=true`},
		{raw: "{\n\t\"a\"\n:\n1\n}", want: "a=1"},
		{raw: `{"":""}`, want: `=""`},
		{raw: `[1]`, bad: true}, {raw: `"a"`, bad: true}, {raw: ``, bad: true}, {raw: `{"a"`, bad: true}, {raw: `{"a":`, bad: true},
		{raw: `{"a":1`, want: "a=1", bad: true}, {raw: `{a:1}`, bad: true}, {raw: `{"a":1}}`, want: "a=1", bad: true}, {raw: `{"a":"`, want: `a="`, bad: true},
	} {
		t.Run(row.raw, func(t *testing.T) {
			t.Parallel()
			var got []string
			err := members([]byte(row.raw), func(name string, value []byte) { got = append(got, name+"="+string(value)) })
			if strings.Join(got, "|") != row.want || (err != nil) != row.bad {
				t.Errorf("got %s, %v, want %s", strings.Join(got, "|"), err, row.want)
			}
		})
	}
}

func FuzzMembersNeverPanic(f *testing.F) {
	f.Add([]byte(`{"a":[1,{"b":"c\\"}],"d":null}`))
	f.Fuzz(func(_ *testing.T, raw []byte) {
		rule := fieldRule{target: "1", kind: "multiselect"}
		_ = members(raw, func(_ string, value []byte) { rule.value(value) })
	})
}
