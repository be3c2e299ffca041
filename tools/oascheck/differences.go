package main

import (
	"bytes"
	_ "embed" // the list is part of the program
	"fmt"
	"regexp"
	"strings"

	"go.yaml.in/yaml/v3"
)

//go:embed differences.yaml
var listed []byte

// differences is the written list of where Zendesk is not as its file says.
type differences struct {
	// MustOccur are the endpoints that the client uses: a recording must hold a
	// request of the client's to each, with a good answer, and to no other.
	MustOccur []string     `yaml:"must_occur"`
	Expected  []difference `yaml:"differences"`
}

// difference is one line of the list. ** stands for anything.
type difference struct {
	Endpoint string `yaml:"endpoint"`
	Part     string `yaml:"part"`
	At       string `yaml:"at"`
	Rule     string `yaml:"rule"`
	Why      string `yaml:"why"`
	Source   string `yaml:"source"`

	pattern *regexp.Regexp
}

func readDifferences(raw []byte) (*differences, error) {
	d := &differences{}
	decoder := yaml.NewDecoder(bytes.NewReader(raw))
	decoder.KnownFields(true)
	if err := decoder.Decode(d); err != nil {
		return nil, fmt.Errorf("read differences.yaml: %w", err)
	}
	for i := range d.Expected {
		e := &d.Expected[i]
		if e.Endpoint == "" || e.Part == "" || e.At == "" || e.Rule == "" || e.Why == "" || !strings.HasPrefix(e.Source, "https://") {
			return nil, fmt.Errorf("differences.yaml: line %d of the list needs endpoint, part, at, rule, why, and a source that is an https address", i+1)
		}
		e.pattern = regexp.MustCompile("^" + wild(e.Endpoint) + "\n" + wild(e.Part) + "\n" + wild(e.At) + "\n" + wild(e.Rule) + "$")
	}
	return d, nil
}

// wild is a pattern for text in which ** stands for anything; a single * is
// itself, as it stands for a place in a list.
func wild(text string) string {
	return strings.ReplaceAll(regexp.QuoteMeta(text), `\*\*`, `.*`)
}

// expects finds the line for a place; nil when it is not on the list.
func (d *differences) expects(p place) *difference {
	key := p.Endpoint + "\n" + p.Part + "\n" + p.At + "\n" + p.Rule
	for i := range d.Expected {
		if d.Expected[i].pattern.MatchString(key) {
			return &d.Expected[i]
		}
	}
	return nil
}
