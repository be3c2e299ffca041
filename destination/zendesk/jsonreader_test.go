package zendesk

import (
	"encoding/json"
	"errors"
	"io"
	"reflect"
	"strings"
	"testing"
	"testing/iotest"
)

var hostileJSON = []string{
	`{}`, ` { } `, `[]`, `null`, `{"a":1}x`, exportSample,
	"{\n\t\"a\" \r: [ 1 , -0 , 0.5 , 1e9 , -12.75E-3 , 2e+0 ] , \"b\" : { } , \"c\" : [ [ ] , { \"d\" : null } ] }",
	`{"a":true,"b":false,"c":null,"a":"again","":""}`,
	`{"\u0061\n":"\"\\\/\b\f\n\r\t","\ud83d\udda8":"\ud83d\udda8 \ud800 \udc00x \u00e4","` + "\xff" + `":"` + "\xed\xa0\x80 ä 🖨" + `"}`,
	`{"a":"` + strings.Repeat(`x\\`, 40) + `","b":"` + strings.Repeat(`\"y`, 40) + `","c":` + strings.Repeat(`[`, 70) + strings.Repeat(`]`, 70) + `}`,
	// no JSON
	``, `{`, `{"a"}`, `{"a":}`, `{"a":1,}`, `{,}`, `{"a":1 "b":2}`, `{"a" 1}`, `{a:1}`, `{'a':1}`, `{"a":1;}`, `{"a":[1}`, `{"a":{]}}`, `{"a":1]`, `{"a":{"b":1]}`, `{"a":[1,]}`, `{"a":[,1]}`, `{1:2}`,
	`{"a":01}`, `{"a":1.}`, `{"a":.5}`, `{"a":+1}`, `{"a":-}`, `{"a":1e}`, `{"a":1e+}`, `{"a":0x1}`, `{"a":1_0}`, `{"a":NaN}`, `{"a":-Infinity}`, `{"a":12a}`, `{"a":1 2}`,
	`{"a":tru}`, `{"a":True}`, `{"a":nul}`, `{"a":nulll}`, `{"a":truefalse}`,
	"{\"a\":\"\n\"}", "{\"a\":\"\x00\"}", "{\"a\x1f\":1}", `{"a":"\x"}`, `{"a":"\u12g4"}`, `{"a":"\u12"}`, `{"a":"\u+123"}`, `{"a":"\"}`, "{\"a\":\"12345678901234\x1f901234567890\"}", "{\"a\":\x00}", "{\"a\":1\v}", "{\u00a0}",
	`{"a":/*b*/1}`, `{"a":[{"b":[}]}`, `{"a":"b","c`, `{"a":["\\`, `}`, `]`,
}

// FuzzJSONReaderAgreesWithEncodingJSON reads the same text with both, however
// its bytes come in and whatever is skipped.
func FuzzJSONReaderAgreesWithEncodingJSON(f *testing.F) {
	for i, text := range hostileJSON {
		for _, room := range []uint8{0, 1, 7, 30, 255} {
			f.Add(text, room, uint8(i), room%3)
		}
	}
	f.Fuzz(func(t *testing.T, text string, room, atOnce, skipped uint8) {
		if len(text) > depthLimit {
			return
		}
		var first json.RawMessage
		err := json.NewDecoder(strings.NewReader(text)).Decode(&first)
		first = []byte(strings.TrimSpace(string(first)))
		object := err == nil && strings.HasPrefix(string(first), "{")

		r := newJSONReader(1 + int(room))
		r.reset(&slowly{strings.NewReader(text), 1 + int(atOnce)})
		got := everyButEach(skipped).object(r)
		if (r.err == nil) != object {
			t.Fatalf("%q is an object: %t, and the reader says %v", text, object, r.err)
		}
		if !object {
			return
		}
		d := json.NewDecoder(strings.NewReader(string(first)))
		d.UseNumber()
		if want := everyButEach(skipped).decoded(t, d); !reflect.DeepEqual(got, want) {
			t.Errorf("%q was read as\n%v\nand with encoding/json as\n%v", text, got, want)
		}
		cut := first[:int(atOnce)*len(first)/256]
		r.reset(strings.NewReader(string(cut)))
		everyButEach(skipped).object(r)
		if !errors.Is(r.err, io.ErrUnexpectedEOF) {
			t.Errorf("%q was cut to %q, and the reader says %v", first, cut, r.err)
		}
	})
}

// slowly gives so many bytes at once.
type slowly struct {
	io.Reader
	n int
}

func (s *slowly) Read(p []byte) (int, error) { return s.Reader.Read(p[:min(s.n, len(p))]) }

// walker reads a text and skips each so-manieth value in it; 0 skips none.
type walker struct{ each, values int }

func everyButEach(n uint8) *walker { return &walker{each: int(n)} }

func (w *walker) skips() bool {
	w.values++
	return w.each > 0 && w.values%w.each == 0
}

// member of an object, in the order of the text.
type member struct {
	name  string
	value any
}

func (w *walker) object(r *jsonReader) (all []member) {
	for name := range r.members() {
		m := member{name: string([]rune(string(name)))} // as encoding/json shows what is not UTF-8
		if w.skips() {
			r.skip()
		} else {
			m.value = w.value(r)
			all = append(all, m)
		}
	}
	return all
}

func (w *walker) value(r *jsonReader) any {
	switch r.next() {
	case '{':
		return w.object(r)
	case '[':
		var all []any
		for range r.elements() {
			if w.skips() {
				r.skip()
			} else {
				all = append(all, w.value(r))
			}
		}
		return all
	case '"':
		return r.text()
	}
	return string(r.value())
}

// decoded is what value reads, by encoding/json.
func (w *walker) decoded(t *testing.T, d *json.Decoder) any {
	token := func() json.Token {
		one, err := d.Token()
		if err != nil {
			t.Fatal(err)
		}
		return one
	}
	switch one := token().(type) {
	case json.Delim:
		var members []member
		var elements []any
		for d.More() {
			var m member
			if one == '{' {
				m.name, _ = token().(string)
			}
			if w.skips() {
				if err := d.Decode(new(any)); err != nil {
					t.Fatal(err)
				}
				continue
			}
			m.value = w.decoded(t, d)
			members, elements = append(members, m), append(elements, m.value)
		}
		token()
		if one == '{' {
			return members
		}
		return elements
	case string:
		return one
	case nil:
		return "null"
	default:
		text, err := json.Marshal(one)
		if err != nil {
			t.Fatal(err)
		}
		return string(text)
	}
}

func TestJSONReaderHoldsNoMoreThanItsRoom(t *testing.T) {
	t.Parallel()
	const room = 100
	long := strings.Repeat(`text \" `, 1<<16)
	r := newJSONReader(room)
	r.reset(strings.NewReader(`{"a": "` + long + `", "b": {"` + long + `": [1` + strings.Repeat(`, "c"`, 1<<16) + `]}, "d": 1` + strings.Repeat("0", 1<<16) + `, "e": 5}`))
	for name := range r.members() {
		if string(name) != "e" {
			r.skip()
		} else if n := r.whole(); n != 5 {
			t.Errorf("the last member is %d", n)
		}
	}
	if r.err != nil || len(r.buf) != room {
		t.Errorf("%d bytes were held, error %v", len(r.buf), r.err)
	}
}

func TestJSONReaderRefusesWhatIsTooMuch(t *testing.T) {
	t.Parallel()
	nested := func(n int) string { return `{"a":` + strings.Repeat(`[`, n) + strings.Repeat(`]`, n) + `}` }
	for name, row := range map[string]struct {
		text string
		read func(r *jsonReader)
		bad  bool
	}{
		"a long text that is skipped":    {`{"a":"` + strings.Repeat("x", 2*keptLimit) + `"}`, (*jsonReader).skip, false},
		"a long text that is asked for":  {`{"a":"` + strings.Repeat("x", keptLimit/2) + `"}`, func(r *jsonReader) { r.text() }, false},
		"too long a text":                {`{"a":"` + strings.Repeat("x", 2*keptLimit) + `"}`, func(r *jsonReader) { r.text() }, true},
		"too long a name":                {`{"` + strings.Repeat("x", 2*keptLimit) + `":1}`, (*jsonReader).skip, true},
		"deep lists":                     {nested(depthLimit), (*jsonReader).skip, false},
		"lists that are too deep":        {nested(depthLimit + 1), (*jsonReader).skip, true},
		"a number where a text is asked": {`{"a":1}`, func(r *jsonReader) { r.text() }, true},
		"a text where a number is asked": {`{"a":"1"}`, func(r *jsonReader) { r.whole() }, true},
		"half a number":                  {`{"a":1.5}`, func(r *jsonReader) { r.whole() }, true},
		"a list where an id is asked":    {`{"a":[1]}`, func(r *jsonReader) { r.id() }, true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := newJSONReader(jobRoom)
			r.reset(strings.NewReader(row.text))
			for range r.members() {
				row.read(r)
			}
			if errors.Is(r.err, errShape) != row.bad || !row.bad && r.err != nil {
				t.Errorf("error %v", r.err)
			}
		})
	}
}

func TestJSONReaderPassesOnWhyAnAnswerBrokeOff(t *testing.T) {
	t.Parallel()
	broken := errors.New("connection reset")
	r := newJSONReader(jobRoom)
	r.reset(io.MultiReader(strings.NewReader(`{"a":`), iotest.ErrReader(broken)))
	for range r.members() {
		r.skip()
	}
	if !errors.Is(r.err, broken) {
		t.Errorf("error %v", r.err)
	}
}
