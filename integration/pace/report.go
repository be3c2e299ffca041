package main

import (
	"errors"
	"io"
	"os"

	"farewell/integration/figures"
)

// report is that of the figures, each of which is printed at once, since the
// whole takes half an hour, and a drawing.
type report struct {
	figures.Report
	plot picture
}

func newReport() *report { return &report{Report: figures.Report{Live: os.Stdout}} }

// Write keeps the drawing, too.
func (r *report) Write(out io.Writer, file string) error {
	err := r.Report.Write(out, file)
	if len(r.plot.perSecond) > 0 {
		err = errors.Join(err, r.plot.write(plotFile))
	}
	return err
}
