package workflows

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path"
	"strings"
	"testing"
)

// TestActivityOptionsAreInOneFileAndComplete reads the code: an activity
// without a timeout is how a step hangs in silence.
func TestActivityOptionsAreInOneFileAndComplete(t *testing.T) {
	t.Parallel()
	found := 0
	for _, l := range optionsIn(t, os.DirFS("..")) {
		if l.file != "workflows/options.go" {
			t.Errorf("%s makes %s: these belong in workflows/options.go", l.file, l.kind)
			continue
		}
		found++
		for _, problem := range l.problems() {
			t.Errorf("%s, %s: %s", l.file, l.function, problem)
		}
	}
	if found != 3 {
		t.Errorf("%d kinds of activity options, want 3: did this test look in the right place?", found)
	}
}

// optionsLiteral is a composite literal of options of activities.
type optionsLiteral struct {
	file, function, kind string
	fields               map[string]string // names of constants by field, where they are such
}

// problems are what the literal lacks. Short activities need no heartbeat,
// since they end within controlAttempt.
func (l optionsLiteral) problems() []string {
	var lacks []string
	for _, field := range []string{"StartToCloseTimeout", "ScheduleToCloseTimeout", "HeartbeatTimeout", "RetryPolicy"} {
		_, set := l.fields[field]
		short := field == "HeartbeatTimeout" && l.fields["StartToCloseTimeout"] == "controlAttempt"
		if !set && !short {
			lacks = append(lacks, "no "+field)
		}
	}
	if _, set := l.fields["ScheduleToStartTimeout"]; set {
		lacks = append(lacks, "a ScheduleToStartTimeout: no worker is no failed partition")
	}
	return lacks
}

func optionsIn(t *testing.T, tree fs.FS) []optionsLiteral {
	t.Helper()
	var found []optionsLiteral
	err := fs.WalkDir(tree, ".", func(name string, entry fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case entry.IsDir() && name != "." && (strings.HasPrefix(path.Base(name), ".") || path.Base(name) == "testdata" || name == "tools"):
			return fs.SkipDir
		case !strings.HasSuffix(name, ".go") || strings.HasSuffix(name, "_test.go"):
			return nil
		}
		source, err := fs.ReadFile(tree, name)
		if err != nil {
			return err
		}
		file, err := parser.ParseFile(token.NewFileSet(), name, source, 0)
		if err != nil {
			return err
		}
		found = append(found, literals(name, file)...)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return found
}

func literals(name string, file *ast.File) []optionsLiteral {
	var found []optionsLiteral
	for _, declared := range file.Decls {
		function := ""
		if f, ok := declared.(*ast.FuncDecl); ok {
			function = f.Name.Name
		}
		ast.Inspect(declared, func(n ast.Node) bool {
			literal, ok := n.(*ast.CompositeLit)
			if !ok {
				return true
			}
			selected, ok := literal.Type.(*ast.SelectorExpr)
			if !ok || selected.Sel.Name != "ActivityOptions" && selected.Sel.Name != "LocalActivityOptions" {
				return true
			}
			l := optionsLiteral{file: name, function: function, kind: selected.Sel.Name, fields: map[string]string{}}
			for _, element := range literal.Elts {
				if pair, ok := element.(*ast.KeyValueExpr); ok {
					value, _ := pair.Value.(*ast.Ident) // other values have no name
					l.fields[pair.Key.(*ast.Ident).Name] = nameOf(value)
				}
			}
			found = append(found, l)
			return true
		})
	}
	return found
}

func nameOf(i *ast.Ident) string {
	if i == nil {
		return ""
	}
	return i.Name
}
