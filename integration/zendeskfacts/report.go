package main

import (
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
)

// report is what all tests showed.
type report struct {
	results []result
}

// beyond are assumptions that no test can look at.
var beyond = []result{
	{assumption: "3e: an expired upload token is like an unknown one", why: "a token lives for an hour"},
	{assumption: "3f: a required field that is missing does not fail an import", why: "it needs a field of the account to be changed"},
	{assumption: "4g: a request of 5 MB is taken", why: "the limit would have to be searched for with ever larger requests"},
	{assumption: "7c: skip_verify_email holds for bulk users too", why: "only a mailbox would show it"},
	{assumption: "9b: a job may be killed, and deadlocks show in its results", why: "nobody can make that happen"},
	{assumption: "10: where the edge's limits are, and what it answers", why: "it must not be provoked"},
	{assumption: "11b: light and inactive agents as authors and assignees", why: "they cost seats"},
	{assumption: "12b: a trial account takes 20 updates of tickets a minute", why: "Farewell updates no ticket"},
}

// print writes the facts, then the assumptions, then a line that sums them up.
// What differs is an error, since the sandbox must be corrected.
func (r *report) print(out io.Writer, account string) error {
	count := map[verdict]int{}
	facts := map[verdict]int{}
	var assumptions []result
	left := 0
	for _, one := range r.results {
		for _, record := range one.left {
			left++
			fmt.Fprintf(out, "left behind   %s, which %s made\n", record, one.test)
		}
		if one.assumption != "" {
			assumptions = append(assumptions, one)
			continue
		}
		facts[one.verdict]++
		if one.verdict != held {
			fmt.Fprintf(out, "%-13s %s (%s)\n", one.verdict, one.test, one.why)
		}
	}
	for _, one := range beyond {
		one.verdict = notTestable
		assumptions = append(assumptions, one)
	}
	slices.SortStableFunc(assumptions, func(a, b result) int { return strings.Compare(order(a.assumption), order(b.assumption)) })
	for _, one := range assumptions {
		count[one.verdict]++
		line := fmt.Sprintf("%-13s %s", one.verdict, one.assumption)
		if one.why != "" {
			line += " (" + one.why + ")"
		}
		fmt.Fprintln(out, line)
	}
	fmt.Fprintf(out, "account %s: %d facts held, %d differ, %d not testable; %d assumptions held, %d differ, %d not testable\n",
		account, facts[held], facts[differs], facts[notTestable], count[held], count[differs], count[notTestable])
	if facts[differs]+count[differs] > 0 {
		return errors.New("the account is not as the sandbox: correct the sandbox first, then what its tests show of the client")
	}
	if left > 0 {
		return fmt.Errorf("%d records could not be deleted: delete them by hand", left)
	}
	return nil
}

// order sorts numbers of one and two digits.
func order(assumption string) string {
	number, _, _ := strings.Cut(assumption, ":")
	if len(number) < 2 || number[1] < '0' || number[1] > '9' {
		number = "0" + number
	}
	return number
}
