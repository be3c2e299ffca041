package mapping

import (
	"fmt"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"
)

// textual is a type that is written as one scalar, or may be.
type textual interface{ fromText(text string) error }

func (d *Day) fromText(text string) error {
	for _, layout := range []string{time.DateOnly, time.RFC3339} {
		if t, err := time.Parse(layout, text); err == nil {
			*d = Day{t.UTC()}
			return nil
		}
	}
	return fmt.Errorf("%q is no date: write 2020-01-31, or 2020-01-31T18:00:00+01:00", text)
}

// fromText is the short form: only where the field goes.
func (f *Field) fromText(text string) error {
	*f = Field{To: text}
	return nil
}

func (l *List) fromText(text string) error {
	*l = List{text}
	return nil
}

// decoder turns the file's nodes into the types of this package, and collects
// all that does not fit. The types' json tags are the file's keys, so that
// there is one place that says what the file may hold.
type decoder struct {
	file     string
	at       map[string]Position
	problems []Problem
}

// maxDepth bounds how deep entries may nest: an alias can stand for its own parent.
const maxDepth = 20

func (d *decoder) decode(n *yaml.Node, v reflect.Value, path string) {
	n = resolved(n)
	if isNull(n) {
		return
	}
	if strings.Count(path, ".") > maxDepth {
		d.wrong(n, "the entries nest too deeply", "write the entry out instead of an alias")
		return
	}
	if n.Kind == yaml.ScalarNode {
		d.at[path] = Position{n.Line, n.Column}
		d.scalar(n, v)
		return
	}
	switch {
	case v.Kind() == reflect.Struct && n.Kind == yaml.MappingNode:
		d.object(n, v, path)
	case v.Kind() == reflect.Map && n.Kind == yaml.MappingNode:
		d.entries(n, v, path)
	case v.Kind() == reflect.Slice && n.Kind == yaml.SequenceNode:
		d.list(n, v, path)
	default:
		d.wrong(n, "found "+kindWord(n.Kind)+" where "+wanted(v.Type())+" is expected", "")
	}
}

func (d *decoder) scalar(n *yaml.Node, v reflect.Value) {
	if t, ok := v.Addr().Interface().(textual); ok {
		if err := t.fromText(n.Value); err != nil {
			d.wrong(n, err.Error(), "")
		}
		return
	}
	switch v.Kind() {
	case reflect.String:
		v.SetString(n.Value)
	case reflect.Int:
		i, err := strconv.Atoi(n.Value)
		if err != nil {
			d.wrong(n, fmt.Sprintf("%q is no whole number", n.Value), "")
		}
		v.SetInt(int64(i))
	default:
		d.wrong(n, "found a single value where "+wanted(v.Type())+" is expected", "")
	}
}

func (d *decoder) object(n *yaml.Node, v reflect.Value, path string) {
	fields := map[string]reflect.Value{}
	var names []string
	for i := range v.NumField() {
		name, _, _ := strings.Cut(v.Type().Field(i).Tag.Get("json"), ",")
		if name != "" {
			fields[name] = v.Field(i)
			names = append(names, name)
		}
	}
	for key, value := range d.pairs(n) {
		field, ok := fields[key.Value]
		if !ok {
			d.wrong(key, fmt.Sprintf("unknown key %q", key.Value), DidYouMean("keys here", key.Value, names))
			continue
		}
		d.below(key, value, field, path)
	}
}

func (d *decoder) entries(n *yaml.Node, v reflect.Value, path string) {
	m := reflect.MakeMap(v.Type())
	for key, value := range d.pairs(n) {
		entry := reflect.New(v.Type().Elem()).Elem()
		d.below(key, value, entry, path)
		m.SetMapIndex(reflect.ValueOf(key.Value), entry)
	}
	v.Set(m)
}

// below decodes what is under a key.
func (d *decoder) below(key, value *yaml.Node, v reflect.Value, path string) {
	sub := key.Value
	if path != "" {
		sub = Path(path, key.Value)
	}
	d.at[sub] = Position{key.Line, key.Column}
	d.decode(value, v, sub)
}

func (d *decoder) list(n *yaml.Node, v reflect.Value, path string) {
	list := reflect.MakeSlice(v.Type(), len(n.Content), len(n.Content))
	for i, item := range n.Content {
		sub := Path(path, strconv.Itoa(i))
		d.at[sub] = Position{item.Line, item.Column}
		d.decode(item, list.Index(i), sub)
	}
	v.Set(list)
}

// pairs goes through a mapping's keys and values, each key once.
func (d *decoder) pairs(n *yaml.Node) func(yield func(key, value *yaml.Node) bool) {
	return func(yield func(key, value *yaml.Node) bool) {
		seen := map[string]int{}
		for i := 0; i+1 < len(n.Content); i += 2 {
			key := resolved(n.Content[i])
			line, twice := seen[key.Value]
			switch {
			case key.Kind != yaml.ScalarNode:
				d.wrong(key, "a key must be a word", "")
				continue
			case twice:
				d.wrong(key, fmt.Sprintf("%q is there twice, first in line %d", key.Value, line), "leave one of them out")
				continue
			}
			seen[key.Value] = key.Line
			if !yield(key, n.Content[i+1]) {
				return
			}
		}
	}
}

func (d *decoder) wrong(n *yaml.Node, text, fix string) {
	p := Problem{File: d.file, Position: Position{n.Line, n.Column}, Text: text, Fix: fix}
	if !slices.Contains(d.problems, p) {
		d.problems = append(d.problems, p)
	}
}

func resolved(n *yaml.Node) *yaml.Node {
	for n.Kind == yaml.AliasNode {
		n = n.Alias
	}
	return n
}

func isNull(n *yaml.Node) bool { return n.Kind == yaml.ScalarNode && n.ShortTag() == "!!null" }

func kindWord(k yaml.Kind) string {
	if k == yaml.SequenceNode {
		return "a list"
	}
	return "keys and values"
}

func wanted(t reflect.Type) string {
	switch {
	case t == reflect.TypeFor[List]():
		return "a word or a list of words"
	case t == reflect.TypeFor[Field]():
		return "a target or keys and values"
	case t.Kind() == reflect.Slice:
		return "a list"
	case t.Kind() == reflect.Map, t.Kind() == reflect.Struct && t != reflect.TypeFor[Day]():
		return "keys and values"
	}
	return "a single value"
}
