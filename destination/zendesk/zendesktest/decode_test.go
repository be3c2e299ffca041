package zendesktest

import (
	"encoding/json"
	"strings"
	"testing"
	"unicode/utf8"
)

// FuzzDecoder compares the decoder with encoding/json: what is valid, and what a string means. Half surrogate pairs and
// invalid UTF-8 are refused here and replaced there; NUL in a key is none of our business.
func FuzzDecoder(f *testing.F) {
	for _, seed := range []string{
		`{}`, `[]`, `null`, `""`, `0`, `-1.5e+10`, `01`, `+1`, `1.`, `.5`, `1e`, `-`, `tru`, `nullx`, `{"a":1,}`, `[1,]`, `[,1]`, `{"a"}`, `{"a":}`,
		`{"a":{"b":[true,false,null,"x",{}]}}`, "[\"\n\"]", `"a\u00e9\ud83d\ude00\n\"\\\/\b\f\r\t"`, `"\ud800"`, `"\ud800\u0041"`, `"\udc00"`, `"\x"`, `"`, `"\`, `"\u12"`,
		" [ 1 , 2 ] ", `{"a":1}{`, "\"\x80\"", `"😀"`, strings.Repeat("[", 150) + strings.Repeat("]", 150),
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		d := newDecoder(data, &arena{})
		d.raw()
		got := d.end() == nil
		want := json.Valid(data) && utf8.Valid(data)
		if got && !want {
			t.Fatalf("%q is taken, encoding/json refuses it", data)
		}
		if want && !got && !strings.Contains(strings.ToLower(string(data)), `\ud`) && !tooDeep(data) {
			t.Fatalf("%q is refused (%v), encoding/json takes it", data, d.err)
		}
		var text string
		if got && json.Unmarshal(data, &text) == nil && d.buf[0] == '"' {
			if mine := newDecoder(data, &arena{}).text(); mine != text {
				t.Fatalf("%q means %q, for encoding/json it means %q", data, mine, text)
			}
			if again := appendString(nil, text); !json.Valid(again) {
				t.Fatalf("%q is encoded as %q, which is not valid", text, again)
			}
		}
	})
}

func tooDeep(data []byte) bool {
	return strings.Count(string(data), "[")+strings.Count(string(data), "{") > maxDepth
}
