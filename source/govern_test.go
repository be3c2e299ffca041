package source

import (
	"testing"
	"time"

	"farewell/migration"
)

// run governs so many times with the same looks.
func run(p migration.SourcePace, times int, took time.Duration, active int) migration.SourcePace {
	for range times {
		p = govern(p, []sight{{took, active}, {took, active}, {took, active}})
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
		if more.Pressed || more.Rows != less.Rows+rowsMore {
			t.Errorf("%s: then %.0f rows/s after %.0f, want %.0f more", row.name, more.Rows, less.Rows, rowsMore)
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
	at := run(migration.SourcePace{Governed: true}, 3, 400*time.Microsecond, 0)
	if busy := run(at, 10, 4*time.Millisecond, 0); busy.Pressed || busy.Rows <= at.Rows {
		t.Errorf("a machine that is busy with other things slowed the migration down: %+v after %+v", busy, at)
	}
	if slow := run(at, 1, 10*time.Millisecond, 0); !slow.Pressed {
		t.Errorf("small queries take 25 times as long, and it goes on as before: %+v", slow)
	}
}

func TestOneSlowLookIsNoSign(t *testing.T) {
	t.Parallel()
	at := run(migration.SourcePace{Governed: true}, 3, time.Millisecond, 0)
	at = govern(at, []sight{{time.Millisecond, 0}, {time.Second, 0}, {time.Millisecond, 0}, {time.Millisecond, 0}, {time.Millisecond, 0}})
	if at.Pressed {
		t.Error("a single slow answer slowed the migration down")
	}
}
