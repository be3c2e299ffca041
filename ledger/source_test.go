package ledger_test

import (
	"testing"
	"time"

	"farewell/migration"
)

func TestRowsOfAllWorkersTogetherKeepTheRate(t *testing.T) {
	t.Parallel()
	l, _ := open(t)
	one, two := l.SourceSeat("one", "db/crm"), l.SourceSeat("two", "db/crm")
	_, lead, err := one.Lead(t.Context())
	must(t, err)
	if !lead {
		t.Error("the first worker does not look at the source")
	}
	if _, lead, err = two.Lead(t.Context()); lead || err != nil {
		t.Errorf("a second worker looks at the source beside the first (%v)", err)
	}
	wait, err := one.Spend(t.Context(), 1000, 1000)
	must(t, err)
	if wait < 900*time.Millisecond || wait > 1100*time.Millisecond {
		t.Errorf("after 1,000 rows at 1,000 a second the wait is %v, want a second", wait)
	}
	if wait, err = two.Spend(t.Context(), 1000, 1000); err != nil || wait < 1800*time.Millisecond {
		t.Errorf("after as many of another worker the wait is %v (%v), want two seconds", wait, err)
	}
	if wait, err = two.Spend(t.Context(), 1000, 0); wait != 0 || err != nil {
		t.Errorf("without a bound the wait is %v (%v)", wait, err)
	}
}

func TestOperatorsWordAndGovernorsStandBesideEachOther(t *testing.T) {
	t.Parallel()
	l, url := open(t)
	s := l.SourceSeat("one", "db/crm")
	p, _, err := s.Lead(t.Context())
	must(t, err)
	if !p.Governed || p.RowsAllowed() != 0 || !p.SeenAt.IsZero() {
		t.Errorf("a new source has %+v, want governed, without a bound so far", p)
	}
	p.Rows, p.Queries, p.Canary, p.Pressed, p.Less = 700, 2.5, 3*time.Millisecond, true, 4
	must(t, s.Govern(t.Context(), p))
	most := 500.0
	must(t, l.SetSourcePace(t.Context(), "db/crm", &most, nil, "ann", "sale today"))
	list, err := l.Sources(t.Context())
	must(t, err)
	if len(list) != 1 {
		t.Fatalf("%d sources, want one", len(list))
	}
	got := list[0]
	if got.Rows != 700 || got.MaxRows != 500 || got.RowsAllowed() != 500 || got.Canary != 3*time.Millisecond || got.By != "ann" || time.Since(got.SeenAt) > time.Minute {
		t.Errorf("status shows %+v", got)
	}
	none, off := 0.0, false
	must(t, l.SetSourcePace(t.Context(), "db/crm", &none, &off, "ann", ""))
	if p, _, err = s.Lead(t.Context()); err != nil || p.RowsAllowed() != 0 || p.Governed {
		t.Errorf("after the bound and the governor were taken away: %+v (%v)", p, err)
	}
	// A worker that is gone is replaced, and what it still writes does not count.
	query(t, url, "update farewell_ledger.sources set leads_until = clock_timestamp() - interval '1 second'")
	if _, lead, err := l.SourceSeat("two", "db/crm").Lead(t.Context()); !lead || err != nil {
		t.Errorf("nobody looks at the source after its worker has gone (%v)", err)
	}
	must(t, s.Govern(t.Context(), migration.SourcePace{Rows: 1}))
	if list, err = l.Sources(t.Context()); err != nil || list[0].Rows != 700 {
		t.Errorf("a worker that does not look any more changed the pace to %v (%v)", list[0].Rows, err)
	}
}
