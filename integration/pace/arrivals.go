package main

import (
	"slices"
	"strings"
	"time"
)

// log is what the sandbox noted, in the order of arrival.
type log []arrival

func (a arrival) at() time.Time { return time.UnixMilli(a.Milli) }

func (a arrival) isPoll() bool { return strings.Contains(a.Endpoint, "job_statuses") }

// between leaves out what came before the one or from the other on.
func (l log) between(from, until time.Time) log {
	var in log
	for _, a := range l {
		if !a.at().Before(from) && a.at().Before(until) {
			in = append(in, a)
		}
	}
	return in
}

func (l log) of(keep func(arrival) bool) log {
	var kept log
	for _, a := range l {
		if keep(a) {
			kept = append(kept, a)
		}
	}
	return kept
}

// perWindow counts the arrivals in whole windows from the first whole one that
// begins at or after from to the last one that ends before until.
func (l log) perWindow(window time.Duration, from, until time.Time) []int {
	first := (from.UnixNano() + int64(window) - 1) / int64(window)
	last := until.UnixNano() / int64(window)
	counts := make([]int, max(0, last-first))
	for _, a := range l {
		if n := a.at().UnixNano()/int64(window) - first; n >= 0 && n < int64(len(counts)) {
			counts[n]++
		}
	}
	return counts
}

// most in any stretch of that length that begins at an arrival.
func (l log) mostWithin(d time.Duration) int {
	most, from := 0, 0
	for to := range l {
		for l[to].Milli-l[from].Milli >= d.Milliseconds() {
			from++
		}
		most = max(most, to-from+1)
	}
	return most
}

// longestGap between two arrivals.
func (l log) longestGap() time.Duration {
	var longest int64
	for i := 1; i < len(l); i++ {
		longest = max(longest, l[i].Milli-l[i-1].Milli)
	}
	return time.Duration(longest) * time.Millisecond
}

func mean(counts []int) float64 {
	if len(counts) == 0 {
		return 0
	}
	sum := 0
	for _, n := range counts {
		sum += n
	}
	return float64(sum) / float64(len(counts))
}

func most(counts []int) float64 {
	if len(counts) == 0 {
		return 0
	}
	return float64(slices.Max(counts))
}
