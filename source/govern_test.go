package source

import (
	"slices"
	"testing"
	"time"

	"farewell/migration"
)

// run governs so many times with the same looks, while reads wait for both
// bounds.
func run(p migration.SourcePace, times int, took time.Duration, active int) migration.SourcePace {
	for range times {
		p = govern(p, sights{
			took: slices.Repeat([]time.Duration{took}, looks), active: []int{active, active, active}, shortOfRows: true, shortOfQueries: true,
		})
	}
	return p
}

func TestGovernorTakesLessAtOnceAndMoreLittleByLittle(t *testing.T) {
	t.Parallel()
	const quick, slow = time.Millisecond, 20 * time.Millisecond
	at := run(migration.SourcePace{Governed: true}, 1, quick, 0)
	if at.Rows != firstRows || at.Base != quick {
		t.Fatalf("begins with %+v", at)
	}
	at = run(at, 8, quick, 0)
	if at.Rows < 5*firstRows {
		t.Errorf("a source at ease is used with %.0f rows/s after 8 looks, want many more than %.0f", at.Rows, firstRows)
	}
	for _, row := range []struct {
		name   string
		took   time.Duration
		active int
	}{{"a slow canary", slow, 0}, {"many sessions of others", quick, 30}} {
		less := run(at, 1, row.took, row.active)
		if !less.Pressed || less.Rows > 0.5*at.Rows || less.Queries > 0.5*at.Queries {
			t.Errorf("%s: %+v after %+v, want a good part less", row.name, less, at)
		}
		more := run(less, 1, quick, 0)
		if more.Pressed || more.Rows != max(less.Rows+rowsMore, less.Rows*moreRows) {
			t.Errorf("%s: then %.0f rows/s after %.0f, want a little more", row.name, more.Rows, less.Rows)
		}
		if least := run(at, 16, row.took, row.active); least.Rows != leastRows || least.Queries != leastQueries {
			t.Errorf("%s for long: %+v, want the least", row.name, least)
		}
	}
}

func TestGovernorGetsUsedToStrainThatIsNotItsOwn(t *testing.T) {
	t.Parallel()
	at := run(migration.SourcePace{Governed: true}, 5, time.Millisecond, 0)
	at = run(at, 10, 20*time.Millisecond, 2)
	if at.Rows != leastRows {
		t.Fatalf("under strain it takes %.0f rows/s, want the least", at.Rows)
	}
	at = run(at, 300, 20*time.Millisecond, 2)
	if at.Rows == leastRows {
		t.Error("minutes later it still takes the least, although its own share of the load is small")
	}
}

func TestWhatNobodyFeelsIsNoSign(t *testing.T) {
	t.Parallel()
	at := run(migration.SourcePace{Governed: true}, 3, 200*time.Microsecond, 0)
	if busy := run(at, 10, 800*time.Microsecond, 0); busy.Pressed || busy.Rows <= at.Rows {
		t.Errorf("a small query took less than a millisecond, and the migration was slowed down: %+v after %+v", busy, at)
	}
	if slow := run(at, 1, 3*time.Millisecond, 0); !slow.Pressed {
		t.Errorf("small queries take 15 times as long, and it goes on as before: %+v", slow)
	}
}

func TestSomeSlowLooksAreNoSignAndAQuarterOfThemIs(t *testing.T) {
	t.Parallel()
	at := run(migration.SourcePace{Governed: true}, 3, time.Millisecond/2, 0)
	for slow := range looks {
		seen := sights{took: slices.Repeat([]time.Duration{time.Millisecond / 2}, looks)}
		for i := range slow {
			seen.took[i] = time.Second
		}
		if p := govern(at, seen); p.Pressed != (slow >= looks/4) {
			t.Errorf("%d of %d answers slow: strain %t", slow, looks, p.Pressed)
		}
	}
	for name, active := range map[string][]int{"one high count of sessions": {0, 90, 0, 0, 0}, "no count": nil} {
		if p := govern(at, sights{took: []time.Duration{at.Base}, active: active}); p.Pressed {
			t.Errorf("%s slowed the migration down", name)
		}
	}
}

func TestABoundThatNobodyMeetsIsNotRaised(t *testing.T) {
	t.Parallel()
	at := run(migration.SourcePace{Governed: true}, 3, time.Millisecond, 0)
	for _, row := range []struct {
		name          string
		rows, queries bool
	}{{"neither", false, false}, {"rows", true, false}, {"queries", false, true}} {
		p := govern(at, sights{took: []time.Duration{time.Millisecond}, shortOfRows: row.rows, shortOfQueries: row.queries})
		if p.Rows > at.Rows != row.rows || p.Queries > at.Queries != row.queries {
			t.Errorf("reads wait for %s: %.0f rows/s and %.2f queries after %.0f and %.2f", row.name, p.Rows, p.Queries, at.Rows, at.Queries)
		}
	}
}
