package main

import (
	"bufio"
	"io"
)

// display shows a watch while it goes on. notice may be called beside the
// others; nothing may follow close.
type display interface {
	// show replaces what is shown; note says why it may be old.
	show(views []view, note string)
	notice(line string)
	close()
}

// newDisplay chooses bars for a terminal and plain lines for anything else.
func (a *app) newDisplay(migrations int) display {
	if a.out.terminal {
		return newBars(a, migrations)
	}
	return newLines(a)
}

// quiet is for scripts, which want the end only.
type quiet struct{}

func (quiet) show([]view, string) {}
func (quiet) notice(string)       {}
func (quiet) close()              {}

// forward shows the lines of the input as notices until it ends.
func forward(in io.Reader, d display) {
	scanner := bufio.NewScanner(in)
	for scanner.Scan() {
		d.notice(clean(scanner.Text()))
	}
}
