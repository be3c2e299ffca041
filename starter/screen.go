package main

import (
	"io"
	"os"

	"github.com/vbauerster/mpb/v8/cwriter"
)

// screen is where answers go: a terminal, a file or a pipe.
type screen struct {
	io.Writer
	terminal bool
	colour   bool
	size     func() (width, height int)
}

func newScreen(f *os.File) *screen {
	terminal := cwriter.IsTerminal(int(f.Fd()))
	return &screen{Writer: f, terminal: terminal, colour: terminal, size: func() (int, int) {
		width, height, err := cwriter.GetSize(int(f.Fd()))
		if err != nil || width < 20 || height < 3 {
			return 80, 24 // a terminal that does not tell its size
		}
		return width, height
	}}
}

// paint is a colour of a terminal, by its code in ECMA-48.
type paint string

const (
	plain  paint = ""
	green  paint = "32"
	yellow paint = "33"
	red    paint = "31"
	dim    paint = "2"
)

func (s *screen) paint(p paint, text string) string {
	if !s.colour || p == plain || text == "" {
		return text
	}
	return "\x1b[" + string(p) + "m" + text + "\x1b[0m"
}
