package main

import (
	"io"
	"strings"
)

// column is one column of a table.
type column struct {
	title string
	right bool // numbers stand on the right
}

func left(title string) column  { return column{title: title} }
func right(title string) column { return column{title: title, right: true} }

// table prints rows in aligned columns; the last column is as long as its text.
type table struct {
	columns []column
	rows    [][]string
}

func (t *table) add(cells ...string) {
	for i := range cells {
		cells[i] = clean(cells[i])
	}
	t.rows = append(t.rows, cells)
}

func (t *table) writeTo(w io.Writer, indent string) {
	widths := make([]int, len(t.columns))
	titles := make([]string, len(t.columns))
	for i, c := range t.columns {
		titles[i] = c.title
		widths[i] = columns(c.title)
		for _, row := range t.rows {
			widths[i] = max(widths[i], columns(row[i]))
		}
	}
	for _, row := range append([][]string{titles}, t.rows...) {
		cells := make([]string, len(row))
		for i, cell := range row {
			if t.columns[i].right {
				cells[i] = padLeft(cell, widths[i])
			} else {
				cells[i] = pad(cell, widths[i])
			}
		}
		// An error of the terminal has no other reader.
		_, _ = io.WriteString(w, indent+strings.TrimRight(strings.Join(cells, "  "), " ")+"\n")
	}
}
