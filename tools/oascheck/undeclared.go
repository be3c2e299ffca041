package main

import (
	"maps"
	"slices"

	"github.com/getkin/kin-openapi/openapi3"
)

// undeclared notes members of a request that the file does not name. The
// OpenAPI rules allow them, but Zendesk drops what it does not know.
func (c *comparison) undeclared(at string, schema *openapi3.Schema, sent any) {
	switch v := sent.(type) {
	case map[string]any:
		names, open := members(schema)
		if open || len(names) == 0 {
			return // the file says nothing about what is inside
		}
		for _, name := range slices.Sorted(maps.Keys(v)) {
			inside, ok := names[name]
			if !ok {
				c.note(at+"/"+name, "undeclared", "the file does not name it")
				continue
			}
			c.undeclared(at+"/"+name, inside, v[name])
		}
	case []any:
		items := elements(schema)
		if items == nil {
			return
		}
		for _, one := range v {
			c.undeclared(at+"/*", items, one)
		}
	}
}

// members are the declared ones of an object, of all its alternatives; open
// tells that any other may be there.
func members(s *openapi3.Schema) (names map[string]*openapi3.Schema, open bool) {
	names = map[string]*openapi3.Schema{}
	if extra := s.AdditionalProperties; extra.Has != nil && *extra.Has || extra.Schema != nil {
		open = true
	}
	for name, ref := range s.Properties {
		names[name] = ref.Value
	}
	for _, part := range parts(s) {
		more, alsoOpen := members(part)
		maps.Copy(names, more)
		open = open || alsoOpen
	}
	return names, open
}

// elements is the schema of a list's elements; nil where the file has none.
func elements(s *openapi3.Schema) *openapi3.Schema {
	if s.Items != nil {
		return s.Items.Value
	}
	for _, part := range parts(s) {
		if items := elements(part); items != nil {
			return items
		}
	}
	return nil
}

func parts(s *openapi3.Schema) []*openapi3.Schema {
	var all []*openapi3.Schema
	for _, refs := range []openapi3.SchemaRefs{s.AllOf, s.OneOf, s.AnyOf} {
		for _, ref := range refs {
			all = append(all, ref.Value)
		}
	}
	return all
}
