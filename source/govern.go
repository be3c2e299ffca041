package source

import (
	"slices"
	"time"

	"farewell/migration"
)

// How the governor holds Farewell back for the source's sake: little by little
// more, and at once a good part less when the source shows strain.
const (
	// lookEvery is how often the source is looked at.
	lookEvery = 200 * time.Millisecond
	// looks that are judged together: one slow answer is no sign.
	looks = 5
	// decideEvery is how often the pace is changed.
	decideEvery = 600 * time.Millisecond

	firstRows   = 2_000.0   // a second, before anything is known
	leastRows   = 500.0     // a migration must come to its end
	mostRows    = 100_000.0 // beyond it the bound means nothing
	rowsMore    = 100.0     // a second, for each decision
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
	// whatever is usual. On a machine with work for all its cores it waits for a
	// slice or two of the scheduler's, of about 3 ms, without anything being
	// wrong; and a service that asks some twenty of them for a page answers a
	// tenth of a second later, which nobody feels.
	unfelt = 5 * time.Millisecond
	// crowded is from which multiple of the usual number of other sessions at
	// work, and from how many at least, they tell of strain.
	crowded   = 3.0
	crowdedBy = 8.0

	// drift is how fast what is usual follows what is seen: quickly down, and
	// up only while Farewell takes the least, since then the strain is not its.
	drift = 0.01
)

// sight is one look at the source.
type sight struct {
	took   time.Duration // for a small query; looked up at a limit when it failed
	active int           // sessions of others at work
}

// govern is the pace after some looks at the source. It is a pure function.
func govern(p migration.SourcePace, seen []sight) migration.SourcePace {
	if len(seen) == 0 {
		return p
	}
	took, active := most(seen)
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
	if p.Less == 0 {
		p.Rows *= rowsStartUp
	}
	p.Rows, p.Queries = min(p.Rows+rowsMore, mostRows), min(p.Queries+queriesMore, mostQueries)
	if took < p.Base {
		p.Base += (took - p.Base) / 4
	}
	p.Usual += drift * (float64(active) - p.Usual)
	return p
}

// most is what four of five looks stay below, of each part on its own: the
// slow answers are those that people feel, but a single one is no sign.
func most(seen []sight) (took time.Duration, active int) {
	tooks, actives := make([]time.Duration, len(seen)), make([]int, len(seen))
	for i, s := range seen {
		tooks[i], actives[i] = s.took, s.active
	}
	slices.Sort(tooks)
	slices.Sort(actives)
	at := (len(seen)*4+4)/5 - 1
	return tooks[at], actives[at]
}
