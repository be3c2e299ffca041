package main

import (
	"io"
	"sync"
	"time"

	"github.com/vbauerster/mpb/v8"
	"github.com/vbauerster/mpb/v8/decor"
)

const (
	barsRefresh = 250 * time.Millisecond
	// barsSpare is how many of the terminal's rows are left free of bars: for
	// the total, the cursor, and one notice.
	barsSpare = 3
)

// bars shows a watch on a terminal: a bar per migration, and their total below.
type bars struct {
	app       *app
	container *mpb.Progress
	slots     int

	mu    sync.Mutex // bars are drawn beside the watch
	shown []view
	all   []view
	note  string
}

func newBars(a *app, migrations int) *bars {
	b := &bars{app: a, container: mpb.New(mpb.WithOutput(outputOf(a.out)), mpb.WithRefreshRate(barsRefresh))}
	_, height := a.out.size()
	b.slots = max(1, min(migrations, height-barsSpare))
	return b
}

// outputOf hands mpb the terminal itself, whose size it asks for.
func outputOf(s *screen) io.Writer { return s.Writer }

func (b *bars) show(views []view, note string) {
	b.mu.Lock()
	first := b.all == nil
	b.all, b.note = views, note
	b.shown = mostTelling(views, b.slots)
	b.mu.Unlock()
	if first {
		b.addSlots()
	}
}

// addSlots makes one row of the container for each bar and one for the total.
// The rows are fixed; which migration is in a row may change.
func (b *bars) addSlots() {
	for i := range b.slots + 1 {
		fill := func(w io.Writer, s decor.Statistics) error {
			_, err := io.WriteString(w, b.row(i, s.AvailableWidth-1)) // some terminals wrap in the last column
			return err
		}
		// A total of zero: the bar never ends by itself. After close there is
		// nothing left to add to, which is the only error.
		_, _ = b.container.Add(0, mpb.BarFillerFunc(fill), mpb.BarFillerTrim())
	}
}

func (b *bars) row(i, width int) string {
	b.mu.Lock()
	defer b.mu.Unlock()
	switch {
	case i == b.slots && b.note != "":
		return b.app.out.paint(yellow, fit(b.note, width))
	case i == b.slots && len(b.all) > 1:
		return fit(totalLine(b.all), width)
	case i < len(b.shown):
		return barLine(b.shown[i], widthsOf(b.all), width, b.app.now(), b.app.out)
	}
	return ""
}

func (b *bars) notice(line string) {
	_, _ = b.container.Write([]byte(line + "\n")) // fails only when the bars are gone
}

func (b *bars) close() { b.container.Shutdown() }

// mostTelling picks as many migrations as there are rows, in their order:
// those that move before those that wait, those that ended last.
func mostTelling(views []view, rows int) []view {
	if len(views) <= rows {
		return views
	}
	rank := func(v view) int {
		switch {
		case v.State.Ended():
			return 3
		case needsOperator(v):
			return 0
		case v.Run.Run == "" || v.Percent == 0:
			return 2
		}
		return 1
	}
	var picked []view
	for r := 0; r <= 3; r++ {
		for _, v := range views {
			if rank(v) == r && len(picked) < rows {
				picked = append(picked, v)
			}
		}
	}
	return picked
}
