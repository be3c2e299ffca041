package main

import (
	"cmp"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"text/tabwriter"
)

// report gathers what the exchanges showed.
type report struct {
	expected  *differences
	endpoints map[string]*endpointCount
	fresh     map[place]*tally
	known     map[*difference]int
}

// endpointCount is a row of the table.
type endpointCount struct {
	requests, answers   int
	deviating, unlisted int // exchanges
	sent, taken         int // those of the client, and of these the ones that were answered well
}

// tally is a deviation that is not on the list.
type tally struct {
	times int
	found string
	test  string
}

func newReport(expected *differences) *report {
	return &report{expected: expected, endpoints: map[string]*endpointCount{}, fresh: map[place]*tally{}, known: map[*difference]int{}}
}

// take counts one exchange.
func (r *report) take(e *exchange, c checked) {
	row := r.endpoints[c.endpoint]
	if row == nil {
		row = &endpointCount{}
		r.endpoints[c.endpoint] = row
	}
	row.requests++
	if e.Status != 0 {
		row.answers++
	}
	if e.ofClient() {
		row.sent++
		if e.Status/100 == 2 {
			row.taken++
		}
	}
	unlisted := false
	for _, d := range c.deviations {
		if line := r.expected.expects(d.place); line != nil {
			r.known[line]++
			continue
		}
		unlisted = true
		if r.fresh[d.place] == nil {
			r.fresh[d.place] = &tally{found: d.found, test: e.Test}
		}
		r.fresh[d.place].times++
	}
	if len(c.deviations) > 0 {
		row.deviating++
	}
	if unlisted {
		row.unlisted++
	}
}

// print writes the table, what is wrong, and the verdict; it tells whether all
// is well.
func (r *report) print(out io.Writer) bool {
	table := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "endpoint\trequests\tof the client\tanswers\tas listed\tnot as the file says")
	exchanges := 0
	for _, name := range slices.Sorted(maps.Keys(r.endpoints)) {
		row := r.endpoints[name]
		exchanges += row.requests
		fmt.Fprintf(table, "%s\t%d\t%d\t%d\t%d\t%d\n", name, row.requests, row.sent, row.answers, row.deviating-row.unlisted, row.unlisted)
	}
	_ = table.Flush() // to a terminal; nothing can be done

	for _, p := range slices.SortedFunc(maps.Keys(r.fresh), func(a, b place) int { return cmp.Compare(a.String(), b.String()) }) {
		t := r.fresh[p]
		fmt.Fprintf(out, "not as the file says: %s (%d times, first in %s)\n    %s\n", p, t.times, t.test, oneLine(t.found))
	}
	stale := 0
	for i := range r.expected.Expected {
		if line := &r.expected.Expected[i]; r.known[line] == 0 {
			stale++
			fmt.Fprintf(out, "stale: differences.yaml lists %s, %s, at %s: %s, which did not occur: take it out\n", line.Endpoint, line.Part, line.At, line.Rule)
		}
	}
	missing := r.printMissing(out)
	held := len(r.fresh) == 0 && stale == 0 && missing == 0
	verdict := "valid"
	if !held {
		verdict = "NOT VALID"
	}
	fmt.Fprintf(out, "%s: %d exchanges at %d endpoints; %d deviations not on the list, %d of %d on the list stale, %d of the client's endpoints not shown or not listed\n",
		verdict, exchanges, len(r.endpoints), len(r.fresh), stale, len(r.expected.Expected), missing)
	return held
}

// printMissing compares the list of the client's endpoints with what it sent, and
// counts those of which too little is shown: each must have been answered well
// once, and none must be missing in the list.
func (r *report) printMissing(out io.Writer) (missing int) {
	for _, name := range r.expected.MustOccur {
		switch row := r.endpoints[name]; {
		case row == nil || row.sent == 0:
			missing++
			fmt.Fprintf(out, "not recorded: %s, which the client uses\n", name)
		case row.taken == 0:
			missing++
			fmt.Fprintf(out, "never answered well: %s, which the client uses\n", name)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(r.endpoints)) {
		if row := r.endpoints[name]; row.sent > 0 && !slices.Contains(r.expected.MustOccur, name) {
			missing++
			fmt.Fprintf(out, "used and not on the list: %s: add it to must_occur\n", name)
		}
	}
	return missing
}

// oneLine is the first line of a library's words, not too long.
func oneLine(s string) string {
	s, _, _ = strings.Cut(s, "\n")
	if len(s) > 200 {
		s = s[:200] + "…"
	}
	return s
}
