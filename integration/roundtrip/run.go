package main

import (
	"context"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"time"

	"farewell/integration/roundtrip/corpus"
)

const (
	customers = 6
	tickets   = 8_500 // of each: more than 50,000 with the corpus
	comments  = 2     // of a ticket, on average
	limit     = 15 * time.Minute

	// factor is how much faster than Zendesk's all time passes.
	factor = 150

	// hostile is the customer who has the corpus.
	hostile = "hostile"
	// impossible is whose tickets no source in Postgres holds.
	impossible = "impossible"
	// hostileFirst is above all numbers of the sample.
	hostileFirst = 900_000_000
)

// size is that of the corpus: every character of Unicode.
var size = corpus.Size{Step: 1, Big: true, Long: 200, First: hostileFirst}

// run does everything and fails when an aim is missed.
func run(ctx context.Context, out io.Writer) (err error) {
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	w, err := build(ctx, out)
	if err != nil {
		return err
	}
	defer w.close()
	began := time.Now()
	if err := w.migrate(ctx); err != nil {
		return err
	}
	w.say("every migration has ended after %s", time.Since(began).Round(time.Second))
	var r report
	all := tally{rules: map[string]int{}}
	for _, customer := range w.customers {
		t, err := w.compare(ctx, customer)
		if err != nil {
			return fmt.Errorf("compare %s: %w", customer, err)
		}
		w.say("%s: %d tickets, %d comments, %d changes listed, %d not", customer, t.tickets, t.comments, t.listed, len(t.unlisted))
		if customer != hostile {
			r.plain += t.listed
		}
		all.add(t)
	}
	t, err := w.beyondPostgres(ctx)
	if err != nil {
		return fmt.Errorf("beyond Postgres: %w", err)
	}
	w.say("without a source: %d tickets, %d changes listed, %d not", t.tickets, t.listed, len(t.unlisted))
	all.add(t)
	return r.print(w, all, time.Since(began))
}

// tally is what the judge saw.
type tally struct {
	planned, tickets, comments, fields, listed int
	people                                     int // and organizations
	replaced                                   int // agents
	rules                                      map[string]int
	unlisted                                   []string
}

func (t *tally) add(o tally) {
	t.planned += o.planned
	t.tickets += o.tickets
	t.comments += o.comments
	t.fields += o.fields
	t.listed += o.listed
	t.replaced += o.replaced
	t.people += o.people
	t.unlisted = append(t.unlisted, o.unlisted...)
	for rule, n := range o.rules {
		t.rules[rule] += n
	}
}

// report is a line for each figure.
type report struct {
	lines  []string
	missed int
	plain  int // changes in the plain sample
}

func (r *report) check(name string, value int, unit, aim string, met bool) {
	word := "met"
	if !met {
		word, r.missed = "missed", r.missed+1
	}
	r.lines = append(r.lines, fmt.Sprintf("%s %d %s aim %s %s", name, value, unit, aim, word))
}

func (r *report) figure(name string, value int, unit string) {
	r.lines = append(r.lines, fmt.Sprintf("%s %d %s", name, value, unit))
}

const (
	leastTickets  = 50_000
	leastPeople   = 1_000 // and organizations
	examplesShown = 20
)

func (r *report) print(w *world, t tally, took time.Duration) error {
	r.figure("took", int(took.Seconds()), "s")
	r.check("tickets_read_back", t.tickets, "tickets", fmt.Sprint(">=", leastTickets), t.tickets >= leastTickets)
	r.check("tickets_lost", t.planned-t.tickets, "tickets", "0", t.planned == t.tickets)
	r.figure("comments_read_back", t.comments, "comments")
	r.check("people_read_back", t.people, "people", fmt.Sprint(">=", leastPeople), t.people >= leastPeople)
	r.figure("fields_compared", t.fields, "fields")
	r.check("unlisted_differences", len(t.unlisted), "differences", "0", len(t.unlisted) == 0)
	r.check("changes_of_the_plain_sample", r.plain, "changes", "0", r.plain == 0)
	r.check("agents_replaced", t.replaced, "people", fmt.Sprint(w.seatless), t.replaced == w.seatless)
	r.figure("changes_listed", t.listed, "changes")
	for _, rule := range slices.Sorted(maps.Keys(t.rules)) {
		r.figure("rule_"+rule, t.rules[rule], "changes")
	}
	missing := unseen(t.rules, neededRules())
	r.check("rules_seen", len(t.rules), "rules", fmt.Sprint(">=", len(neededRules())), missing == "")
	if missing != "" {
		r.lines = append(r.lines, "# nothing has needed "+missing)
	}
	for _, u := range t.unlisted[:min(len(t.unlisted), examplesShown)] {
		r.lines = append(r.lines, "# "+u)
	}
	if _, err := fmt.Fprintln(w.out, strings.Join(r.lines, "\n")); err != nil {
		return err
	}
	if r.missed > 0 {
		return fmt.Errorf("%d aims are missed", r.missed)
	}
	return nil
}
