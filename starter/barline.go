package main

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"farewell/migration"
)

const (
	barColumns      = 24
	nameColumns     = 24 // longer names are cut
	narrowTerminal  = 80 // below, the bar is halved
	barColumnsSmall = 12
)

// barWidths are the columns' widths of a set of bars, so that they line up.
type barWidths struct{ name, tickets int }

func widthsOf(views []view) barWidths {
	var w barWidths
	for _, v := range views {
		w.name = max(w.name, min(nameColumns, columns(clean(v.Customer))))
		w.tickets = max(w.tickets, columns(ticketsWords(v)))
	}
	return w
}

// barLine is one migration as a bar that fits the terminal's width.
func barLine(v view, w barWidths, width int, now time.Time, out *screen) string {
	length := barColumns
	if width < narrowTerminal {
		length = barColumnsSmall
	}
	head := fmt.Sprintf("%s  %s  %s  %3d %%  %s  ", pad(fit(clean(v.Customer), w.name), w.name), pad(v.Destination, len("zendesk")),
		bar(v.Percent, length), v.Percent, padLeft(ticketsWords(v), w.tickets))
	left := width - columns(head)
	if left <= 0 {
		return fit(head, width)
	}
	if v.Reason.Code != "" && slices.Contains(steps, v.State) {
		return head + out.paint(yellow, fit(waitWords(v.Reason, now), left)) // a step that does not move says less than why
	}
	state, tail := stateWord(v.State), ""
	if v.Reason.Code != "" {
		tail = waitWords(v.Reason, now)
		if after, ok := strings.CutPrefix(tail, state); ok { // "paused by bob" needs no "paused:" before it
			tail = after
		} else {
			tail = ": " + tail
		}
	}
	state = fit(state, left)
	return head + out.paint(stateColour(v.State), state) + fit(tail, left-columns(state))
}

// waitWords is a reason as short as a bar wants it: how long instead of since
// when.
func waitWords(r migration.Reason, now time.Time) string {
	words := clean(r.Text)
	if words == "" {
		words = clean(r.Code)
	}
	if !r.Since.IsZero() && now.After(r.Since) {
		words += " (" + span(now.Sub(r.Since)) + ")"
	}
	return words
}

// bar is drawn in ASCII, which every terminal shows in one column.
func bar(percent, length int) string {
	done := min(length, length*percent/100)
	line := strings.Repeat("=", done)
	if done < length {
		line += ">"
	}
	return "[" + pad(line, length) + "]"
}
