package main

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"
)

// format is how a command answers.
type format struct {
	name    string
	allowed []string
}

// flag adds -o with the formats that the command knows beside its table.
func (f *format) flag(cmd *cobra.Command, allowed ...string) {
	f.allowed = allowed
	cmd.Flags().StringVarP(&f.name, "output", "o", "table", "table, or "+strings.Join(allowed, " or ")+" for scripts")
}

func (f *format) check() error {
	if f.name == "table" || slices.Contains(f.allowed, f.name) {
		return nil
	}
	return usagef("-o %s is none: it must be table or %s", f.name, strings.Join(f.allowed, " or "))
}

func (f *format) json() bool { return f.name == "json" }

// writeJSON prints a value for scripts.
func (a *app) writeJSON(v any) error {
	data, err := json.MarshalIndent(v, "", "  ")
	if err != nil {
		return fmt.Errorf("encode the answer: %w", err)
	}
	_, err = fmt.Fprintf(a.out, "%s\n", data)
	return err
}

// writeArray prints what list adds as one JSON array, an element a line, while
// it is being read.
func (a *app) writeArray(list func(add func(any) error) error) error {
	separator := "[\n  "
	err := list(func(v any) error {
		data, err := json.Marshal(v)
		if err != nil {
			return fmt.Errorf("encode the answer: %w", err)
		}
		_, err = fmt.Fprintf(a.out, "%s%s", separator, data)
		separator = ",\n  "
		return err
	})
	if err != nil {
		return err
	}
	if separator == "[\n  " {
		a.printf("[]")
	} else {
		a.printf("\n]")
	}
	return nil
}

func (a *app) printf(format string, args ...any) {
	// An error of the terminal has no other reader.
	_, _ = fmt.Fprintf(a.out, format+"\n", args...)
}

func (a *app) warnf(format string, args ...any) {
	_, _ = fmt.Fprintf(a.errOut, "starter: "+format+"\n", args...) // as above
}
