package main

import (
	"context"
	"fmt"
	"io"
	"maps"
	"net/http"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"farewell/integration/figures"
)

// actionHeartbeat is what Temporal's metric calls a beat that reached it.
const actionHeartbeat = "grpc_RecordActivityTaskHeartbeat"

// actions are the billed ones, by kind.
type actions map[string]float64

// metricLine is one value of the server's metric of billed actions, see
// https://docs.temporal.io/cloud/actions.
var metricLine = regexp.MustCompile(`^action\{(.*)\} ([0-9.e+]+)$`)

var (
	typeLabel = regexp.MustCompile(`action_type="([^"]*)"`)
	ownLabel  = `namespace="default"`
)

// readActions asks the server what it would bill for the default namespace.
func (b *bench) readActions(ctx context.Context) (actions, error) {
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, b.Metrics, nil)
	if err != nil {
		return nil, err
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return nil, fmt.Errorf("read Temporal's metrics: %w", err)
	}
	defer res.Body.Close()
	text, err := io.ReadAll(res.Body)
	if err != nil {
		return nil, fmt.Errorf("read Temporal's metrics: %w", err)
	}
	counted := actions{}
	for line := range strings.Lines(string(text)) {
		m := metricLine.FindStringSubmatch(strings.TrimSpace(line))
		if m == nil || !strings.Contains(m[1], ownLabel) {
			continue
		}
		value, err := strconv.ParseFloat(m[2], 64)
		if err != nil {
			return nil, fmt.Errorf("read Temporal's metrics: %w", err)
		}
		counted[typeLabel.FindStringSubmatch(m[1])[1]] += value
	}
	return counted, nil
}

// since leaves out what was counted before.
func (a actions) since(before actions) actions {
	new := actions{}
	for kind, n := range a {
		if n > before[kind] {
			new[kind] = n - before[kind]
		}
	}
	return new
}

func (a actions) total() float64 {
	sum := 0.0
	for _, n := range a {
		sum += n
	}
	return sum
}

func (a actions) String() string {
	var words []string
	for _, kind := range slices.Sorted(maps.Keys(a)) {
		words = append(words, fmt.Sprintf("%.0f %s", a[kind], kind))
	}
	return strings.Join(words, ", ")
}

// measureActions runs the migration with jobs that take 15 s, all waits being
// jobScale times shorter than in life. What the server counts is measured;
// only beats are computed, since their rhythm does not scale.
func (b *bench) measureActions(ctx context.Context, r *figures.Report) error {
	say("jobs of %.0f s, %.0f times faster: about 3 minutes", 100*secondsPerTicket, jobScale)
	o, err := b.migrate(ctx, trial{source: b.large, scale: jobScale, perTicket: secondsPerTicket})
	if err != nil {
		return err
	}
	say("phases: %s", o.history.phases())
	measured := maps.Clone(o.actions)
	beats := measured[actionHeartbeat]
	delete(measured, actionHeartbeat)
	computed := o.history.beats(jobScale)
	r.Note("jobs of %.0f s per 100 tickets at a scale of %.0f: %.0f s, %.0f s of real time; its phases, scaled: %s",
		100*secondsPerTicket, jobScale, o.seconds, o.seconds*jobScale, o.history.phases())
	r.Note("actions measured: %s; and %.0f beats in scaled time", measured, beats)
	r.Note("beats computed: %d, one for each four fifths of its heartbeat timeout that an activity would last at real speed; our own computing is stretched with it, so this is an upper bound", computed)
	r.Figure("actions_without_beats", measured.total(), "actions")
	r.Check("actions_with_jobs_of_15_s", measured.total()+float64(computed), "actions", figures.Below(200))
	r.Check("history_events_with_jobs_of_15_s", float64(o.history.events), "events", figures.Below(400))
	return nil
}

// beatShare is the part of its heartbeat timeout after which an activity beats
// for the first time, and the SDK sends each later beat.
const beatShare = 0.8

// beats is how many would reach the server if the run had been so many times
// slower.
func (h history) beats(scale float64) int {
	n := 0
	for _, a := range h.activities {
		if a.heartbeat > 0 {
			n += int(a.took.Seconds() * scale / (beatShare * a.heartbeat.Seconds()))
		}
	}
	return n
}
