// Package figures reports what a bench has measured, beside the project's aims:
// a line for each figure, which people and programs can read.
package figures

import (
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"runtime"
	"slices"
	"strings"
	"time"
)

// Report collects what a bench has to say, in order.
type Report struct {
	Live   io.Writer // gets every line at once, for a bench that takes long; nil: nobody does
	lines  []string
	missed int
}

// Aim is a bound that a figure must keep.
type Aim struct {
	sign  string
	value float64
}

// AtLeast is the smallest value that meets the aim.
func AtLeast(v float64) Aim { return Aim{">=", v} }

// AtMost is the largest value that meets the aim.
func AtMost(v float64) Aim { return Aim{"<=", v} }

// Below is the smallest value that misses the aim.
func Below(v float64) Aim { return Aim{"<", v} }

func (a Aim) met(value float64) bool {
	switch a.sign {
	case ">=":
		return value >= a.value
	case "<=":
		return value <= a.value
	default:
		return value < a.value
	}
}

// Note adds a line for people.
func (r *Report) Note(format string, args ...any) {
	r.line("# " + fmt.Sprintf(format, args...))
}

// NoteMachine adds a note on when and where the figures were got, and on how
// busy that machine is.
func (r *Report) NoteMachine() error {
	load, err := os.ReadFile("/proc/loadavg")
	if err != nil {
		return fmt.Errorf("read the machine's load, which needs Linux: %w", err)
	}
	r.Note("%s, %s/%s, %d cores, %s, load average before %s", time.Now().UTC().Format("2006-01-02 15:04 UTC"),
		runtime.GOOS, runtime.GOARCH, runtime.NumCPU(), runtime.Version(), strings.Join(strings.Fields(string(load))[:3], " "))
	return nil
}

// Figure adds a value without an aim.
func (r *Report) Figure(name string, value float64, unit string) {
	r.line(fmt.Sprintf("%s %s %s", name, number(value), unit))
}

// Check adds a value that has an aim.
func (r *Report) Check(name string, value float64, unit string, a Aim) {
	word := "met"
	if !a.met(value) {
		word = "missed"
		r.missed++
	}
	r.line(fmt.Sprintf("%s %s %s aim %s%s %s", name, number(value), unit, a.sign, number(a.value), word))
}

func (r *Report) line(text string) {
	r.lines = append(r.lines, text)
	if r.Live != nil {
		fmt.Fprintln(r.Live, text)
	}
}

// Median is the middle value, or the mean of the two in the middle; NaN of none.
func Median(values []float64) float64 {
	if len(values) == 0 {
		return math.NaN()
	}
	sorted := slices.Sorted(slices.Values(values))
	n := len(sorted)
	return (sorted[(n-1)/2] + sorted[n/2]) / 2
}

// number is short, and never rounds a missed aim into a met one at three digits.
func number(v float64) string {
	switch {
	case v == float64(int64(v)):
		return fmt.Sprintf("%d", int64(v))
	case v >= 100:
		return fmt.Sprintf("%.0f", v)
	default:
		return fmt.Sprintf("%.3f", v)
	}
}

// Write prints the whole report and keeps it in a file. It fails when an aim was
// missed.
func (r *Report) Write(out io.Writer, file string) error {
	text := strings.Join(r.lines, "\n") + "\n"
	fmt.Fprint(out, "\n"+text)
	err := os.WriteFile(file, []byte(text), 0o644)
	if r.missed > 0 {
		err = errors.Join(err, fmt.Errorf("%d of its aims are missed", r.missed))
	}
	return err
}
