package mapping

import (
	"encoding/json"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"go.yaml.in/yaml/v3"
)

// definition is what the schema says of one type.
type definition struct {
	Ref        string                     `json:"$ref"`
	Properties map[string]json.RawMessage `json:"properties"`
	Additional json.RawMessage            `json:"additionalProperties"`
}

func TestSchemaHasTheKeysOfTheGoTypesAndNoOthers(t *testing.T) {
	t.Parallel()
	var whole struct {
		Defs map[string]definition `json:"$defs"`
	}
	if err := json.Unmarshal([]byte(Schema()), &whole); err != nil {
		t.Fatal(err)
	}
	for name, of := range map[string]reflect.Type{
		"mapping": reflect.TypeFor[Mapping](), "tickets": reflect.TypeFor[Tickets](), "records": reflect.TypeFor[Records](),
		"skip": reflect.TypeFor[Skip](), "words": reflect.TypeFor[Words](), "tags": reflect.TypeFor[Tags](),
		"field": reflect.TypeFor[Field](), "rule": reflect.TypeFor[Rule](), "when": reflect.TypeFor[When](),
	} {
		def := whole.Defs[name]
		var want, got []string
		for i := range of.NumField() {
			if key, _, _ := strings.Cut(of.Field(i).Tag.Get("json"), ","); key != "" {
				want = append(want, key)
			}
		}
		for key := range def.Properties {
			got = append(got, key)
		}
		slices.Sort(want)
		slices.Sort(got)
		if !slices.Equal(got, want) {
			t.Errorf("%s: the schema has the keys %q, the type %q", name, got, want)
		}
		if string(def.Additional) != "false" {
			t.Errorf("%s: the schema lets other keys through", name)
		}
	}
}

// The schema and the parser are two descriptions of one file: each must take
// what the other takes. Problems that a schema cannot see are in a folder of
// their own.
func TestSchemaAndParserAgree(t *testing.T) {
	t.Parallel()
	compiled := compile(t)
	files, err := filepath.Glob("testdata/*/*.yaml")
	if err != nil || len(files) < 20 {
		t.Fatalf("%d files, %v", len(files), err)
	}
	for _, file := range files {
		t.Run(strings.TrimPrefix(file, "testdata/"), func(t *testing.T) {
			t.Parallel()
			text, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			_, parseErr := Parse(file, text)
			var value any
			schemaErr := yaml.Unmarshal(text, &value)
			if schemaErr == nil {
				schemaErr = compiled.Validate(jsonValue(t, value))
			}
			wantParse, wantSchema := true, true
			switch filepath.Base(filepath.Dir(file)) {
			case "bad":
				wantParse, wantSchema = false, false
			case "bad-beyond-schema":
				wantParse = false
			}
			if (parseErr == nil) != wantParse || (schemaErr == nil) != wantSchema {
				t.Errorf("the parser says %v, the schema says %v", parseErr, schemaErr)
			}
		})
	}
}

func compile(t *testing.T) *jsonschema.Schema {
	t.Helper()
	document, err := jsonschema.UnmarshalJSON(strings.NewReader(Schema()))
	if err != nil {
		t.Fatal(err)
	}
	c := jsonschema.NewCompiler()
	if err := c.AddResource("mapping.schema.json", document); err != nil {
		t.Fatal(err)
	}
	compiled, err := c.Compile("mapping.schema.json")
	if err != nil {
		t.Fatal(err)
	}
	return compiled
}

// jsonValue is a YAML value as an editor shows it to its schema: keys are texts.
func jsonValue(t *testing.T, v any) any {
	t.Helper()
	text, err := json.Marshal(textKeys(v))
	if err != nil {
		t.Fatal(err)
	}
	value, err := jsonschema.UnmarshalJSON(strings.NewReader(string(text)))
	if err != nil {
		t.Fatal(err)
	}
	return value
}

func textKeys(v any) any {
	switch v := v.(type) {
	case map[any]any:
		m := map[string]any{}
		for key, value := range v {
			text, _ := json.Marshal(key)
			m[strings.Trim(string(text), `"`)] = textKeys(value)
		}
		return m
	case map[string]any:
		m := map[string]any{}
		for key, value := range v {
			m[key] = textKeys(value)
		}
		return m
	case []any:
		for i := range v {
			v[i] = textKeys(v[i])
		}
	}
	return v
}
