package mapping

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"
)

// File is a mapping file that was read.
type File struct {
	version   int
	standard  *Mapping
	customers map[string]*Mapping
	at        map[string]Position
	name      string
}

// Read reads a mapping file. What is wrong with it is an *Invalid that names
// line, column and what to do for each problem.
func Read(path string) (*File, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("read the mapping file: %w; FAREWELL_MAPPING names it", err)
	}
	return Parse(filepath.Base(path), text)
}

// Parse reads a mapping file's text; name is what problems call it.
func Parse(name string, text []byte) (*File, error) {
	root, err := parseYAML(name, text)
	if err != nil {
		return nil, err
	}
	f := &File{name: name, customers: map[string]*Mapping{}, at: map[string]Position{}}
	d := &decoder{file: name, at: f.at}
	standard, customers := f.sections(d, root)
	f.standard = f.mapping(d, standard)
	for key, own := range customers {
		f.customers[key] = f.mapping(d, merge(standard, own))
	}
	if len(d.problems) > 0 {
		slices.SortStableFunc(d.problems, func(a, b Problem) int {
			return (a.Line-b.Line)*1000 + a.Column - b.Column
		})
		return nil, &Invalid{Problems: slices.Compact(d.problems)}
	}
	for _, m := range append(slices.Collect(maps.Values(f.customers)), f.standard) {
		if err := m.seal(); err != nil {
			return nil, err
		}
	}
	return f, nil
}

// Of returns what holds for a customer. It is not to be changed.
func (f *File) Of(customer string) *Mapping {
	if m, ok := f.customers[customer]; ok {
		return m
	}
	return f.standard
}

// Customers are those who have entries of their own, in order.
func (f *File) Customers() []string { return slices.Sorted(maps.Keys(f.customers)) }

// Strangers are problems about customers that have entries of their own but
// are not among those known: a misspelt name would take no effect in silence.
func (f *File) Strangers(known []string) []Problem {
	var found []Problem
	for _, customer := range f.Customers() {
		if !slices.Contains(known, customer) {
			found = append(found, Problem{
				File: f.name, Position: f.at[Path("customers", customer)],
				Text: fmt.Sprintf("customer %q has no line in the accounts file, so these entries have no effect", customer),
				Fix:  DidYouMean("customers", customer, known),
			})
		}
	}
	return found
}

// sections takes the file apart. The default's entries and each customer's are
// decoded once they are put together.
func (f *File) sections(d *decoder, root *yaml.Node) (standard *yaml.Node, customers map[string]*yaml.Node) {
	standard, customers = &yaml.Node{Kind: yaml.MappingNode}, map[string]*yaml.Node{}
	for key, value := range d.pairs(root) {
		switch value = resolved(value); key.Value {
		case "version":
			d.decode(value, reflect.ValueOf(&f.version).Elem(), "version")
			if f.version != Version {
				d.wrong(value, fmt.Sprintf("version %q is none that this program reads", value.Value), fmt.Sprintf("write version: %d", Version))
			}
		case "default":
			if d.isMapping(value) {
				standard = value
			}
		case "customers":
			if !d.isMapping(value) {
				continue
			}
			for name, own := range d.pairs(value) {
				f.at[Path("customers", name.Value)] = Position{name.Line, name.Column}
				customers[name.Value] = &yaml.Node{Kind: yaml.MappingNode}
				if own = resolved(own); d.isMapping(own) {
					customers[name.Value] = own
				}
			}
		default:
			d.wrong(key, fmt.Sprintf("unknown key %q", key.Value), DidYouMean("keys here", key.Value, []string{"version", "default", "customers"}))
		}
	}
	if f.version == 0 && len(d.problems) == 0 {
		d.wrong(root, "the file does not say its version", fmt.Sprintf("begin it with version: %d", Version))
	}
	return standard, customers
}

func (d *decoder) isMapping(n *yaml.Node) bool {
	if n.Kind != yaml.MappingNode && !isNull(n) {
		d.wrong(n, "keys and values are expected here", "")
	}
	return n.Kind == yaml.MappingNode
}

// mapping decodes and checks what holds for a customer.
func (f *File) mapping(d *decoder, n *yaml.Node) *Mapping {
	m := &Mapping{file: f.name, at: map[string]Position{}}
	own := &decoder{file: f.name, at: m.at}
	own.decode(n, reflect.ValueOf(m).Elem(), "")
	own.problems = append(own.problems, m.check()...)
	for _, p := range own.problems {
		if !slices.Contains(d.problems, p) { // the default's entries are part of every customer's
			d.problems = append(d.problems, p)
		}
	}
	return m
}

// merge lays a customer's entries over the default's: keys and values key by
// key, anything else as a whole. Null takes the default's entry away.
func merge(base, over *yaml.Node) *yaml.Node {
	base, over = resolved(base), resolved(over)
	if base.Kind != yaml.MappingNode || over.Kind != yaml.MappingNode {
		return over
	}
	merged := *over
	merged.Content = nil
	taken := map[string]bool{}
	for i := 0; i+1 < len(over.Content); i += 2 {
		key, value := over.Content[i], over.Content[i+1]
		if below := valueOf(base, resolved(key).Value); below != nil && !taken[resolved(key).Value] {
			value = merge(below, value)
		}
		taken[resolved(key).Value] = true
		merged.Content = append(merged.Content, key, value)
	}
	for i := 0; i+1 < len(base.Content); i += 2 {
		if !taken[resolved(base.Content[i]).Value] {
			merged.Content = append(merged.Content, base.Content[i], base.Content[i+1])
		}
	}
	return &merged
}

func valueOf(n *yaml.Node, key string) *yaml.Node {
	for i := 0; i+1 < len(n.Content); i += 2 {
		if resolved(n.Content[i]).Value == key {
			return n.Content[i+1]
		}
	}
	return nil
}

// parseYAML reads the one document of a file, which is keys and values.
func parseYAML(name string, text []byte) (*yaml.Node, error) {
	var document, second yaml.Node
	in := yaml.NewDecoder(bytes.NewReader(text))
	switch err := in.Decode(&document); {
	case errors.Is(err, io.EOF):
		return nil, invalid(name, 1, "the file is empty", fmt.Sprintf("begin it with version: %d", Version))
	case err != nil:
		return nil, notYAML(name, err)
	}
	root := resolved(document.Content[0])
	if root.Kind != yaml.MappingNode {
		return nil, invalid(name, root.Line, "the file holds no keys and values", fmt.Sprintf("begin it with version: %d", Version))
	}
	if err := in.Decode(&second); !errors.Is(err, io.EOF) {
		if err != nil {
			return nil, notYAML(name, err)
		}
		return nil, invalid(name, second.Line, "a second document begins here", "keep all in one, without a line of ---")
	}
	return root, nil
}

var yamlError = regexp.MustCompile(`^yaml: (?:line (\d+): )?(.*)$`)

func notYAML(name string, err error) error {
	found := yamlError.FindStringSubmatch(strings.ReplaceAll(err.Error(), "\n", " "))
	if found == nil {
		return invalid(name, 1, "not YAML", "")
	}
	line, convErr := strconv.Atoi(found[1])
	if convErr != nil {
		line = 1 // the library names no line for some
	}
	return invalid(name, line, "not YAML: "+found[2], "check indentation, colons and quotes there and in the line above")
}

func invalid(name string, line int, text, fix string) error {
	return &Invalid{Problems: []Problem{{File: name, Position: Position{line, 1}, Text: text, Fix: fix}}}
}
