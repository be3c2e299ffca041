package main

import (
	"fmt"
	"sync"
	"time"

	"farewell/migration"
)

const (
	// linesEvery is how often plain lines tell what has changed.
	linesEvery = 3 * time.Second
	// linesPerMigration is up to how many migrations each get their lines;
	// of more, only those that ended or wait for an operator do.
	linesPerMigration = 20
)

// lines shows a watch where there is no terminal: a line for each change.
type lines struct {
	app *app

	mu   sync.Mutex // a notice may come while the migrations are shown
	last time.Time
	said map[migration.Migration]string
	note string
	all  string
}

func newLines(a *app) *lines {
	return &lines{app: a, said: map[migration.Migration]string{}}
}

func (l *lines) show(views []view, note string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	now := l.app.now()
	if now.Sub(l.last) < linesEvery {
		return
	}
	l.last = now
	l.write(views, note)
}

func (l *lines) write(views []view, note string) {
	for _, v := range views {
		if len(views) > linesPerMigration && !v.State.Ended() && !needsOperator(v) {
			continue
		}
		// The text of a reason may count seconds, which is no change.
		key := fmt.Sprint(v.State, v.Reason.Code, v.Percent)
		if l.said[v.Migration] == key {
			continue
		}
		l.said[v.Migration] = key
		l.line("%s", plainLine(v, l.app.now()))
	}
	if all := totalLine(views); len(views) > 1 && all != l.all {
		l.all = all
		l.line("%s", all)
	}
	if note != "" && note != l.note {
		l.line("%s", note)
	}
	l.note = note
}

func (l *lines) line(format string, args ...any) {
	l.app.printf("%s  %s", l.app.now().Format(time.TimeOnly), fmt.Sprintf(format, args...))
}

func (l *lines) notice(line string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.line("%s", line)
}

func (l *lines) close() {}

// plainLine is one migration in one line.
func plainLine(v view, now time.Time) string {
	s := fmt.Sprintf("%s (%s)  %d %%  %s tickets  %s", clean(v.Customer), v.Destination, v.Percent, ticketsWords(v), stateWord(v.State))
	if v.Reason.Code != "" {
		s += ": " + reasonWords(v.Reason, now)
	}
	return s
}
