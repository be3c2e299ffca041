package ledger_test

import (
	"context"
	"slices"
	"sync"
	"testing"
	"time"

	"farewell/ledger"
	"farewell/migration"
)

// seat opens a worker's seat behind egress "e".
func seat(t *testing.T, l *ledger.Ledger, worker string) *ledger.Seat {
	t.Helper()
	return follow(t, l).Seat(worker, "e")
}

// gate waits until the seat's egress is in that state.
func gate(t *testing.T, s *ledger.Seat, want migration.EgressState) migration.Egress {
	t.Helper()
	deadline := time.After(2 * time.Second)
	for {
		changed := s.Changed()
		e, _ := s.Gate("any")
		if e.State == want {
			return e
		}
		select {
		case <-changed:
		case <-deadline:
			t.Fatalf("the egress is %s, want %s", e.State, want)
		}
	}
}

func TestSlotsOfAllWorkersTogetherStayBelowTheCap(t *testing.T) {
	t.Parallel()
	l, _ := open(t)
	must(t, l.SetEgressCap(t.Context(), "e", 100, "ann", "agreed with support"))
	var mu sync.Mutex
	var all []time.Time
	var workers sync.WaitGroup
	end := time.Now().Add(2 * time.Second)
	for _, name := range []string{"one", "two", "three"} {
		s := seat(t, l, name)
		workers.Go(func() {
			for time.Now().Before(end) {
				d, err := s.Slots(t.Context(), 7)
				if err != nil {
					t.Error(err)
					return
				}
				mu.Lock()
				for i := range d.Granted {
					all = append(all, d.First.Add(time.Duration(i)*d.Every))
				}
				mu.Unlock()
				if d.Granted == 0 {
					waitFor(t.Context(), d.Retry)
				}
			}
		})
	}
	workers.Wait()
	slices.SortFunc(all, time.Time.Compare)
	if n := len(all); n < 190 {
		t.Errorf("%d slots in two seconds and one ahead, want about 285", n)
	}
	// Each worker measures the ledger's clock for itself, to some milliseconds.
	const inHalfASecond = 55
	for i := inHalfASecond; i < len(all); i++ {
		if d := all[i].Sub(all[i-inHalfASecond]); d < 500*time.Millisecond {
			t.Fatalf("%d slots within %v, want at most 100 a second", inHalfASecond+1, d)
		}
	}
	if last := all[len(all)-1]; last.After(end.Add(1500 * time.Millisecond)) {
		t.Errorf("a slot %v ahead, want a second at most", last.Sub(end))
	}
}

func waitFor(ctx context.Context, d time.Duration) {
	select {
	case <-time.After(d):
	case <-ctx.Done():
	}
}

func TestUncappedEgressGrantsAtOnce(t *testing.T) {
	t.Parallel()
	l, _ := open(t)
	d, err := seat(t, l, "one").Slots(t.Context(), 50)
	must(t, err)
	if d.Granted != 50 || d.Every != 0 || time.Until(d.First) > 0 {
		t.Errorf("got %+v, want 50 at once", d)
	}
}

func TestBlockIsHeardByAllAndOneProbeOpensIt(t *testing.T) {
	t.Parallel()
	l, _ := open(t)
	here, there := seat(t, l, "here"), seat(t, l, "there")
	must(t, here.Block(t.Context(), "odd", "status 403, text/html", 0, time.Minute))
	if e, until := here.Gate("odd"); e.State != migration.EgressBlocked || time.Until(until) < 50*time.Second {
		t.Errorf("here: %+v until %v, want blocked at once", e, until)
	}
	e := gate(t, there, migration.EgressBlocked)
	if e.Account != "odd" || e.Evidence != "status 403, text/html" {
		t.Errorf("there: %+v, want the account and the evidence", e)
	}
	claimed := 0
	for deadline := time.Now().Add(5 * time.Second); claimed == 0 && time.Now().Before(deadline); waitFor(t.Context(), 20*time.Millisecond) {
		for _, s := range []*ledger.Seat{here, there} {
			ok, err := s.ClaimProbe(t.Context())
			must(t, err)
			if ok {
				claimed++
			}
		}
	}
	if claimed != 1 {
		t.Fatalf("%d probes were granted, want one", claimed)
	}
	if early := time.Since(e.Since); early < 1500*time.Millisecond {
		t.Errorf("the probe was granted %v after the block, want about 2 s", early)
	}
	must(t, there.Probed(t.Context(), migration.ProbeWell))
	gate(t, here, migration.EgressOpen)
	gate(t, there, migration.EgressOpen)
	for _, s := range []*ledger.Seat{here, there} {
		if _, until := s.Gate("odd"); time.Until(until) < 50*time.Second {
			t.Errorf("odd is blocked until %v, want it to stay blocked", until)
		}
		if _, until := s.Gate("well"); !until.IsZero() {
			t.Errorf("another account is blocked until %v", until)
		}
	}
	// An answer to what was sent before the block proves nothing new.
	must(t, there.Block(t.Context(), "odd", "status 403", 20*time.Second, time.Minute))
	waitFor(t.Context(), 600*time.Millisecond)
	gate(t, here, migration.EgressOpen)
}

func TestBlockOfTheWholeEgressIsNotTheFirstAccounts(t *testing.T) {
	t.Parallel()
	l, url := open(t)
	s := seat(t, l, "one")
	must(t, s.Block(t.Context(), "first", "status 403", 0, time.Minute))
	gate(t, s, migration.EgressBlocked)
	must(t, s.Block(t.Context(), "second", "status 403", 0, time.Minute))
	if _, until := s.Gate("second"); !until.IsZero() {
		t.Errorf("the second account is taken for odd, although the whole egress is blocked")
	}
	must(t, s.Probed(t.Context(), migration.ProbeRefused))
	if again, err := s.ClaimProbe(t.Context()); again || err != nil {
		t.Errorf("a probe was granted right after one that was refused (%v)", err)
	}
	query(t, url, "update farewell_ledger.egresses set probe_at = clock_timestamp()")
	ok, err := s.ClaimProbe(t.Context())
	must(t, err)
	if !ok {
		t.Fatal("no probe was granted when it was due")
	}
	must(t, s.Probed(t.Context(), migration.ProbeWell))
	gate(t, s, migration.EgressOpen)
	deadline := time.Now().Add(2 * time.Second)
	for {
		if _, until := s.Gate("first"); until.IsZero() {
			return
		} else if time.Now().After(deadline) {
			t.Fatalf("the first account stays blocked until %v", until)
		}
		waitFor(t.Context(), 20*time.Millisecond)
	}
}

func TestOperatorClosesAndOpensAnEgress(t *testing.T) {
	t.Parallel()
	l, _ := open(t)
	s := seat(t, l, "one")
	must(t, l.CloseEgress(t.Context(), "e", "ann", "the address is being moved"))
	e := gate(t, s, migration.EgressClosed)
	if e.By != "ann" || e.Why != "the address is being moved" {
		t.Errorf("closed by %q for %q", e.By, e.Why)
	}
	must(t, s.Block(t.Context(), "odd", "status 403", 0, time.Minute))
	if ok, err := s.ClaimProbe(t.Context()); ok || err != nil {
		t.Errorf("a closed egress granted a probe (%v)", err)
	}
	must(t, l.OpenEgress(t.Context(), "e", "ann", ""))
	gate(t, s, migration.EgressOpen)
	list, err := l.Egresses(t.Context())
	must(t, err)
	if len(list) != 1 || list[0].State != migration.EgressOpen || len(list[0].Accounts) != 0 {
		t.Errorf("status shows %+v, want one open egress without blocked accounts", list)
	}
}
