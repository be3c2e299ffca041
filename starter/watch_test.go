package main

import (
	"bytes"
	"context"
	"errors"
	"io"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"farewell/migration"
)

// watched runs a watch in a bubble where time passes at once. each is called
// before every answer of the ledger, with the seconds that have passed.
func watched(t *testing.T, w *world, each func(m *fakeMemory, seconds int), args ...string) (code int, took time.Duration) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		began := time.Now()
		w.app.now = time.Now
		w.memory.onAsk = func(m *fakeMemory) {
			now := time.Now()
			m.workers = []migration.Presence{{Seen: now}}
			for key, r := range m.runs {
				r.LastSettle = now
				m.runs[key] = r
			}
			each(m, int(now.Sub(began)/time.Second))
		}
		code = w.app.run(t.Context(), args)
		took = time.Since(began)
	})
	return code, took
}

func set(m *fakeMemory, customer string, state migration.State, c migration.Counts) {
	r := m.runs[migrationOf(customer)]
	r.State = state
	r.Counts = migration.EntityCounts{migration.Tickets: c}
	m.runs[migrationOf(customer)] = r
}

func TestWatchEndsWithTheLastMigrationAndSumsUp(t *testing.T) {
	t.Parallel()
	w := newWorld("acme", "globex", "fresh")
	w.has("acme", migration.StateExporting, created(100))
	w.has("globex", migration.StateExporting, created(100))
	code, took := watched(t, w, func(m *fakeMemory, seconds int) {
		if seconds >= 3 {
			set(m, "acme", migration.StateCompleted, created(1000))
		}
		if seconds >= 8 {
			set(m, "globex", migration.StateCompletedWithFailures, migration.Counts{Read: 1000, Created: 989, AlreadyThere: 10, Failed: 1})
		}
	}, "watch", "--all")
	if code != exitFailures || took != 8*time.Second {
		t.Errorf("exit code %d after %s\n%s%s", code, took, w.out, w.err)
	}
	_, summary, _ := strings.Cut(w.out.String(), "\n\n")
	golden(t, "summary", summary)
}

func TestWatchEndsWhenOnlyAnOperatorCanGoOn(t *testing.T) {
	t.Parallel()
	w := newWorld("acme", "globex")
	w.has("acme", migration.StateCompleted, created(1000))
	w.has("globex", migration.StateNeedsAttention, created(100))
	w.changes("globex", func(r *migration.RunRecord) {
		r.Parked = []migration.Parked{{Partition: "tickets-0002", Code: "x", Text: "12 of 400 failed"}}
	})
	code, took := watched(t, w, func(*fakeMemory, int) {}, "watch", "acme", "globex")
	if code != exitAttention || took != restsFor {
		t.Errorf("exit code %d after %s", code, took)
	}
	w.says(t, "globex: waits for you: tickets-0002: 12 of 400 failed: bin/starter retry globex, or skip, or cancel")
}

func TestWatchWaitsForACommandThatIsOnItsWay(t *testing.T) {
	t.Parallel()
	w := newWorld("acme")
	w.has("acme", migration.StateNeedsAttention, created(100))
	code, took := watched(t, w, func(m *fakeMemory, seconds int) {
		switch {
		case seconds >= 10:
			set(m, "acme", migration.StateCompleted, created(1000))
		case seconds >= 2:
			set(m, "acme", migration.StateExporting, created(200))
		}
	}, "watch", "acme")
	if code != exitOK || took != 10*time.Second {
		t.Errorf("exit code %d after %s", code, took)
	}
}

func TestWatchWaitsForARunThatNoWorkerHasBegun(t *testing.T) {
	t.Parallel()
	w := newWorld("acme", "globex")
	w.has("acme", migration.StateCompleted, created(1000))
	id := migrationOf("globex").WorkflowID()
	w.temporal.executions[id] = execution{Run: "run-globex", Status: statusRunning, Started: noon}
	w.temporal.hidden[id] = true // accepted a moment ago
	code, took := watched(t, w, func(m *fakeMemory, seconds int) {
		if seconds >= 7 {
			m.runs[migrationOf("globex")] = migration.RunRecord{
				Migration: migrationOf("globex"), Run: "run-globex", State: migration.StateCompleted,
				Counts: migration.EntityCounts{migration.Tickets: created(5)},
			}
		}
	}, "watch", "--all")
	if code != exitOK || took != 7*time.Second {
		t.Errorf("exit code %d after %s\n%s", code, took, w.out)
	}
	w.says(t, "1,005")
}

func TestWatchSeesARunThatBeganAndEndedBetweenTwoLooks(t *testing.T) {
	t.Parallel()
	customers := []string{"a", "b", "c", "d", "e", "f"}
	for name, missed := range map[string][]string{"one": {"c"}, "few": {"b", "c"}, "all": customers} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(customers...)
			for _, c := range customers {
				w.has(c, migration.StateCompleted, created(10))
			}
			for _, c := range missed {
				id := migrationOf(c).WorkflowID()
				w.temporal.executions[id] = execution{Run: "second-" + c, Status: statusRunning, Started: noon}
			}
			code, _ := watched(t, w, func(m *fakeMemory, seconds int) {
				if seconds < 3 {
					return
				}
				for _, c := range missed {
					id := migrationOf(c).WorkflowID()
					w.temporal.mu.Lock()
					w.temporal.executions[id] = execution{Run: "second-" + c, Status: statusCompleted, Started: noon, Closed: noon}
					w.temporal.mu.Unlock()
					m.runs[migrationOf(c)] = migration.RunRecord{
						Migration: migrationOf(c), Run: "second-" + c, State: migration.StateFailed,
						Counts: migration.EntityCounts{migration.Tickets: {Read: 10, AlreadyThere: 10}},
					}
				}
			}, "watch", "--all")
			if code != exitAttention {
				t.Errorf("exit code %d\n%s", code, w.out)
			}
			if n := strings.Count(w.out.String(), ": failed: "); n != len(missed) {
				t.Errorf("%d of %d second runs were seen to fail\n%s", n, len(missed), w.out)
			}
		})
	}
}

func TestWatchGoesOnWhileTheLedgerIsSilent(t *testing.T) {
	t.Parallel()
	w := newWorld("acme")
	w.has("acme", migration.StateExporting, created(100))
	code, took := watched(t, w, func(m *fakeMemory, seconds int) {
		m.err = nil
		if seconds >= 2 && seconds < 60 {
			m.err = errors.New("connection refused")
		}
		if seconds >= 60 {
			set(m, "acme", migration.StateCompleted, created(1000))
		}
	}, "watch", "acme")
	if code != exitOK || took != 60*time.Second {
		t.Errorf("exit code %d after %s", code, took)
	}
	if n := strings.Count(w.out.String(), "connection refused"); n != 1 {
		t.Errorf("said %d times that the ledger is silent:\n%s", n, w.out)
	}
}

func TestWatchIsLeftWithHowToComeBack(t *testing.T) {
	t.Parallel()
	w := newWorld("acme")
	w.has("acme", migration.StateExporting, created(100))
	synctest.Test(t, func(t *testing.T) {
		w.app.now = time.Now
		ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
		defer cancel()
		if code := w.app.run(ctx, []string{"watch", "acme"}); code != exitInterrupted {
			t.Errorf("exit code %d", code)
		}
	})
	w.says(t, "the migrations go on. Come back with: bin/starter watch acme")
}

func TestWatchShowsNotices(t *testing.T) {
	t.Parallel()
	w := newWorld("acme")
	w.has("acme", migration.StateExporting, created(100))
	w.app.in = io.NopCloser(bytes.NewBufferString("killed worker 4711\n"))
	watched(t, w, func(m *fakeMemory, seconds int) {
		if seconds >= 3 {
			set(m, "acme", migration.StateCompleted, created(1000))
		}
	}, "watch", "acme", "--notices")
	w.says(t, "killed worker 4711")
}

func TestWatchOfWhatNeverRanSaysHowToStart(t *testing.T) {
	t.Parallel()
	w := newWorld("acme")
	w.expect(t, exitError, "watch", "acme")
	w.says(t, "none of them was ever started; bin/starter start acme")
}

func TestNothingToDoNamesWhatIsThere(t *testing.T) {
	t.Parallel()
	w := newWorld("acme", "globex")
	w.has("acme", migration.StateCompleted, migration.Counts{Read: 15000, AlreadyThere: 15000})
	w.has("globex", migration.StateCompleted, migration.Counts{Read: 342, AlreadyThere: 342})
	w.expect(t, exitOK, "watch", "--all")
	w.says(t, "nothing to do: 15,342 already there; ./temporal-dev.sh reset starts afresh\n")
}

func TestStartWaitExitsWithTheWorst(t *testing.T) {
	t.Parallel()
	w := newWorld("acme")
	w.temporal.executions[migrationOf("acme").WorkflowID()] = execution{Run: "r1", Status: statusRunning, Started: noon}
	code, _ := watched(t, w, func(m *fakeMemory, seconds int) {
		if seconds >= 3 {
			m.runs[migrationOf("acme")] = migration.RunRecord{Migration: migrationOf("acme"), Run: "r1", State: migration.StateCancelled}
		}
	}, "start", "acme", "--wait", "-o", "json")
	if code != exitCancelled || !strings.HasPrefix(w.out.String(), "[\n") {
		t.Errorf("exit code %d\n%s", code, w.out)
	}
}

func TestBarLinesFitTheTerminal(t *testing.T) {
	t.Parallel()
	w := fleet()
	w.run(t, "list") // only to see that the fleet is well
	o := newObserver(&session{accounts: w.accounts, memory: w.memory, temporal: w.temporal}, w.app.now)
	if err := o.askLedger(t.Context(), nil); err != nil {
		t.Fatal(err)
	}
	views, err := o.look(t.Context(), o.known(), true)
	if err != nil {
		t.Fatal(err)
	}
	views = begunOf(views)
	var lines strings.Builder
	for _, width := range []int{120, 79, 40, 10} {
		for _, v := range views {
			line := barLine(v, widthsOf(views), width, noon, w.app.out)
			if columns(line) > width {
				t.Errorf("%d columns for a width of %d: %q", columns(line), width, line)
			}
			lines.WriteString(strings.TrimRight(line, " ") + "\n")
		}
		lines.WriteString(fit(totalLine(views), width) + "\n\n")
	}
	golden(t, "bars", lines.String())
}

func TestFewRowsShowWhatMoves(t *testing.T) {
	t.Parallel()
	var views []view
	for i, s := range []migration.State{migration.StateCompleted, migration.StateWaiting, migration.StateExporting, migration.StateNeedsAttention} {
		v := view{Migration: migrationOf(string(rune('a' + i))), State: s}
		if s == migration.StateExporting {
			v.Percent, v.Run.Run = 10, "r"
		}
		views = append(views, v)
	}
	got := ""
	for _, v := range mostTelling(views, 3) {
		got += v.Customer
	}
	if got != "dcb" {
		t.Errorf("got %q, want dcb", got)
	}
}
