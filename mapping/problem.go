package mapping

import (
	"fmt"
	"strings"

	"farewell/migration"
)

// Position is a place in the file; both numbers count from 1.
type Position struct{ Line, Column int }

// Problem is one thing that is wrong with a mapping.
type Problem struct {
	File string
	Position
	Text string
	Fix  string
}

func (p Problem) String() string {
	if p.Line == 0 {
		return p.File + ": " + p.Text
	}
	return fmt.Sprintf("%s:%d:%d: %s", p.File, p.Line, p.Column, p.Text)
}

// Invalid is the error of a file that cannot be used.
type Invalid struct{ Problems []Problem }

func (e *Invalid) Error() string {
	lines := make([]string, len(e.Problems))
	for i, p := range e.Problems {
		lines[i] = p.String()
		if p.Fix != "" {
			lines[i] += "; " + p.Fix
		}
	}
	return strings.Join(lines, "\n")
}

// Problem makes one about the entry at a path, such as
// "tickets.fields.plan.to". Where the mapping was read from a file, it names
// the place.
func (m *Mapping) Problem(path, text, fix string) Problem {
	file := m.file
	if file == "" {
		file, text = "mapping", path+": "+text
	}
	return Problem{File: file, Position: m.place(path), Text: text, Fix: fix}
}

// place is where the entry stands, or the nearest one above it: a short form
// has no entries of its own.
func (m *Mapping) place(path string) Position {
	for {
		at, ok := m.at[path]
		i := strings.LastIndexByte(path, '.')
		if ok || i < 0 {
			return at
		}
		path = path[:i]
	}
}

// Path joins the parts of a path.
func Path(parts ...string) string { return strings.Join(parts, ".") }

// DidYouMean names what is near, or all there is when nothing is and that is
// not much. what is the plural of what the names stand for.
func DidYouMean(what, name string, names []string) string {
	if near := migration.Nearest(name, names); len(near) > 0 {
		return "did you mean " + quoted(near, " or ") + "?"
	}
	const few = 15
	switch {
	case len(names) == 0:
		return "there are no " + what
	case len(names) > few:
		return fmt.Sprintf("none of the %d %s is like it; the first are %s", len(names), what, quoted(names[:few], ", "))
	}
	return "the " + what + " are " + quoted(names, ", ")
}

func quoted(names []string, separator string) string {
	list := make([]string, len(names))
	for i, n := range names {
		list[i] = fmt.Sprintf("%q", n)
	}
	return strings.Join(list, separator)
}
