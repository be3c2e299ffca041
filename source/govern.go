package source

import (
	"cmp"
	"slices"
	"time"

	"farewell/migration"
)

// How the governor holds Farewell back for the source's sake: little by little
// more, and at once a good part less when the source shows strain.
const (
	// lookEvery is how often a small query is timed. Strain shows in one answer
	// of five, not in each: a dozen tell it from chance, and cost the source no
	// more than one visitor does.
	lookEvery = 50 * time.Millisecond
	// looks that are judged together, as many as there are between two decisions.
	looks = 12
	// countEvery is how many looks there are for each count of the sessions, a
	// view that costs more the more sessions there are.
	countEvery = 4
	// counts that are judged together: one high number is no sign.
	counts = 5
	// decideEvery is how often the pace is changed.
	decideEvery = 600 * time.Millisecond

	firstRows   = 2_000.0   // a second, before anything is known
	leastRows   = 500.0     // a migration must come to its end
	mostRows    = 100_000.0 // beyond it the bound means nothing
	rowsMore    = 100.0     // a second, for each decision, or
	moreRows    = 1.05      // times as many, if that is more: what a sign has taken away is back after some 5 s without one
	rowsStartUp = 1.3       // times as many, until the source shows strain for the first time
	less        = 0.7       // times as much after a sign of strain
	firstLess   = 0.4       // likewise after the first, since the start goes beyond what is well

	firstQueries = 4.0
	leastQueries = 1.0
	mostQueries  = 64.0
	queriesMore  = 0.25

	// strained is from which multiple of its usual time a small query tells of
	// strain.
	strained = 2.0
	// unfelt is how long a small query may take without telling of strain,
	// whatever is usual: a service that asks some twenty of them for a page
	// answers 20 ms later, which nobody feels. Nearby it usually takes 0.3 ms,
	// twice which is within what a wake-up takes. More would hide what people do
	// feel: transactions of seven such queries had 10 times their p95 when the
	// small query was at 3 ms (docs/pace.md).
	unfelt = time.Millisecond
	// crowded is from which multiple of the usual number of other sessions at
	// work, and from how many at least, they tell of strain.
	crowded   = 3.0
	crowdedBy = 8.0

	// drift is how fast what is usual follows what is seen: quickly down, and
	// up only while Farewell takes the least, since then the strain is not its.
	drift = 0.01
)

// sights are what was seen of the source lately, and since the last sign of
// strain: what the reads before it did says nothing about those after it.
type sights struct {
	took   []time.Duration // for a small query; looked up at a limit when it failed
	active []int           // sessions of others at work
	// Reads had to wait for the bound on rows, or for that on queries, since the
	// last decision. A bound that nobody meets is not raised: nothing tells how
	// the source would take it.
	shortOfRows, shortOfQueries bool
}

// govern is the pace after some looks at the source. It is a pure function.
func govern(p migration.SourcePace, seen sights) migration.SourcePace {
	if len(seen.took) == 0 {
		return p
	}
	took, active := most(seen.took), most(seen.active)
	p.Canary, p.Active = took, active
	if p.Rows == 0 {
		p.Rows, p.Queries = firstRows, firstQueries
		p.Base, p.Usual = took, float64(active)
		return p
	}
	p.Pressed = took > max(time.Duration(strained*float64(p.Base)), unfelt) ||
		float64(active) > max(crowded*p.Usual, p.Usual+crowdedBy)
	if p.Pressed {
		atLeast := p.Rows <= leastRows
		part := less
		if p.Less == 0 {
			part = firstLess
		}
		p.Rows, p.Queries = max(p.Rows*part, leastRows), max(p.Queries*part, leastQueries)
		p.Less++
		if atLeast {
			p.Base += time.Duration(drift * float64(took-p.Base))
			p.Usual += drift * (float64(active) - p.Usual)
		}
		return p
	}
	if seen.shortOfRows {
		if p.Less == 0 {
			p.Rows *= rowsStartUp
		}
		p.Rows = min(max(p.Rows+rowsMore, p.Rows*moreRows), mostRows)
	}
	if seen.shortOfQueries {
		p.Queries = min(p.Queries+queriesMore, mostQueries)
	}
	if took < p.Base {
		p.Base += (took - p.Base) / 4
	}
	p.Usual += drift * (float64(active) - p.Usual)
	return p
}

// most is what four of five stay below: the slow answers are those that people
// feel, but a single one is no sign. Of none it is zero.
func most[T cmp.Ordered](seen []T) (value T) {
	if len(seen) == 0 {
		return value
	}
	return slices.Sorted(slices.Values(seen))[(len(seen)*4+4)/5-1]
}
