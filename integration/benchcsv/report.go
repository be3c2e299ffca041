package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
)

// report collects what the bench has to say, in order.
type report struct {
	lines  []string
	missed int
}

var errMissed = errors.New("an aim was missed")

// note is a line for people.
func (r *report) note(format string, args ...any) {
	r.lines = append(r.lines, "# "+fmt.Sprintf(format, args...))
}

// figure is a value without an aim.
func (r *report) figure(name string, value float64, unit string) {
	r.lines = append(r.lines, fmt.Sprintf("%s %s %s", name, number(value), unit))
}

// aim is a bound that a value must keep.
type aim struct {
	sign  string // "at least", "at most", "below"
	value float64
}

func (a aim) met(value float64) bool {
	switch a.sign {
	case ">=":
		return value >= a.value
	case "<=":
		return value <= a.value
	default:
		return value < a.value
	}
}

func atLeast(v float64) aim { return aim{">=", v} }
func atMost(v float64) aim  { return aim{"<=", v} }

// check is a value that has an aim.
func (r *report) check(name string, value float64, unit string, a aim) {
	word := "met"
	if !a.met(value) {
		word = "missed"
		r.missed++
	}
	r.lines = append(r.lines, fmt.Sprintf("%s %s %s aim %s%s %s", name, number(value), unit, a.sign, number(a.value), word))
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

// write prints the report and keeps it in a file.
func (r *report) write(out io.Writer, file string) error {
	text := strings.Join(r.lines, "\n") + "\n"
	fmt.Fprint(out, "\n"+text)
	err := os.WriteFile(file, []byte(text), 0o644)
	if r.missed > 0 {
		err = errors.Join(err, fmt.Errorf("%w: %d of them", errMissed, r.missed))
	}
	return err
}
