package zendesk

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"
	"unicode/utf8"
)

func FuzzAppendStringAgreesWithEncodingJSON(f *testing.F) {
	for _, s := range []string{"", "plain", "\"\\/\b\f\n\r\t\x01\x1f\x7f", "<script>&amp;", "\u2028\u2029", "👩‍👩‍👧 שלום", "\xff\xed\xa0\x80x", "a\x00b", "\\ud800"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		got := appendString(nil, s)
		if !utf8.Valid(got) || !json.Valid(got) {
			t.Fatalf("%q became no valid JSON: %q", s, got)
		}
		var read, want string
		if err := json.Unmarshal(got, &read); err != nil {
			t.Fatal(err)
		}
		reference, err := json.Marshal(strings.ReplaceAll(s, "\x00", "\ufffd"))
		if err != nil {
			t.Fatal(err)
		}
		if err := json.Unmarshal(reference, &want); err != nil {
			t.Fatal(err)
		}
		if read != want {
			t.Errorf("%q was read back as %q, and through encoding/json as %q", s, read, want)
		}
	})
}

func FuzzExternalIDsComeBackAndNeverMeet(f *testing.F) {
	f.Add("1234", "1235")
	f.Add("Abc", "aBC")
	f.Add("a,b", "a b")
	f.Add("^a", "A")
	f.Add("~41", "A")
	f.Add("É", "é")
	f.Add("9b2d7c1e-0000-4000-8000-000000000000", "")
	f.Fuzz(func(t *testing.T, x, y string) {
		for _, s := range []string{x, y} {
			if s == "" {
				continue
			}
			got, ok := SourceID("farewell-", strings.ToUpper(ExternalID("farewell-", s)))
			if !ok || got != s {
				t.Errorf("%q came back as %q (%t)", s, got, ok)
			}
		}
		if x != y && strings.EqualFold(ExternalID("p-", x), ExternalID("p-", y)) {
			t.Errorf("%q and %q have the same external id to Zendesk", x, y)
		}
	})
}

func TestExternalIDKeepsOrdinaryIdsReadable(t *testing.T) {
	t.Parallel()
	for source, want := range map[string]string{
		"4711":                                 "farewell-4711",
		"9b2d7c1e-5a0f-4d8e-9b1a-1c2d3e4f5a6b": "farewell-9b2d7c1e-5a0f-4d8e-9b1a-1c2d3e4f5a6b",
		"TKT-7":                                "farewell-^t^k^t-7",
		"a b,c":                                "farewell-a~20b~2cc",
	} {
		if got := ExternalID("farewell-", source); got != want {
			t.Errorf("%q became %q, want %q", source, got, want)
		}
	}
	for _, other := range []string{"", "farewell-", "zendesk-1", "farewell-~4", "farewell-^", "farewell-~zz"} {
		if got, ok := SourceID("farewell-", other); ok {
			t.Errorf("%q is not ours, but was read as %q", other, got)
		}
	}
}

func TestCustomFieldsAreEncodedAnew(t *testing.T) {
	t.Parallel()
	got := appendFields(nil, json.RawMessage(`{"360000000001":"a\ud800b","7":[1,"x"],"8":null,"9":12345678901234567890.5}`))
	want := `[{"id":360000000001,"value":"a` + "\ufffd" + `b"},{"id":7,"value":[1,"x"]},{"id":8,"value":null},{"id":9,"value":12345678901234567890.5}]`
	if !bytes.Equal(got, []byte(want)) {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	for raw, wrong := range map[string]bool{``: false, `null`: false, `{}`: false, `{"7":1}`: false, `[1]`: true, `{"colour":1}`: true, `{`: true} {
		if got := fieldsError(json.RawMessage(raw), false) != ""; got != wrong {
			t.Errorf("%q is refused: %t, want %t", raw, got, wrong)
		}
	}
}
