package ledger_test

import (
	"testing"

	"farewell/ledger"
)

func TestOpenJobsOfAllWorkersStayBelowTheLimit(t *testing.T) {
	t.Parallel()
	l, url := open(t)
	first, second := seat(t, l, "one"), seat(t, l, "two")
	jobs := func(s *ledger.Seat, open, waiting int) int {
		t.Helper()
		n, err := s.Jobs(t.Context(), "acme-zd", open, waiting, 25)
		must(t, err)
		return n
	}
	if n := jobs(first, 0, 40); n != 25 {
		t.Fatalf("alone, a worker may have %d, want 25", n)
	}
	if n := jobs(second, 0, 40); n != 0 {
		t.Fatalf("the second worker may have %d while the first holds all 25", n)
	}
	if n := jobs(first, 25, 15); n != 13 {
		t.Fatalf("the first may have %d while the second waits, want its half", n)
	}
	if n := jobs(second, 0, 40); n != 0 {
		t.Fatalf("the second may have %d before the first's jobs have ended", n)
	}
	if n := jobs(first, 13, 27); n != 13 {
		t.Fatalf("the first may have %d, want its half", n)
	}
	if n := jobs(second, 0, 40); n != 12 {
		t.Fatalf("the second may have %d, want the other half", n)
	}
	jobs(second, 0, 0)
	if n := jobs(first, 13, 27); n != 25 {
		t.Fatalf("the first may have %d after the second has ended, want all", n)
	}
	// A worker that was killed with its jobs open counts until they have ended.
	if n := jobs(second, 0, 40); n != 0 {
		t.Fatalf("the second may have %d right after the first was killed", n)
	}
	query(t, url, "update farewell_ledger.shares set seen = seen - interval '21 seconds' where worker = 'one'")
	if n := jobs(second, 0, 40); n != 25 {
		t.Fatalf("the second may have %d long after the first was killed, want all", n)
	}
}
