package migration

import (
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"strconv"
	"strings"
	"testing"
)

// Whoever reads a rule's name in a list finds it in the documentation.
func TestEveryRuleIsDocumented(t *testing.T) {
	t.Parallel()
	page, err := os.ReadFile("../docs/fidelity.md")
	if err != nil {
		t.Fatal(err)
	}
	file, err := parser.ParseFile(token.NewFileSet(), "change.go", nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	seen := 0
	ast.Inspect(file, func(n ast.Node) bool {
		spec, ok := n.(*ast.ValueSpec)
		if !ok || !strings.HasPrefix(spec.Names[0].Name, "Rule") || len(spec.Values) != 1 {
			return true
		}
		literal, ok := spec.Values[0].(*ast.BasicLit)
		if !ok {
			return true
		}
		rule, err := strconv.Unquote(literal.Value)
		if err != nil {
			t.Error(err)
		}
		seen++
		if !strings.Contains(string(page), "`"+rule+"`") {
			t.Errorf("docs/fidelity.md does not say what %s does", rule)
		}
		return true
	})
	if seen < 20 {
		t.Errorf("only %d rules are found in change.go", seen)
	}
}
