package activities_test

import (
	"errors"
	"testing"

	"farewell/migration"
)

// Every way in which the fate of a batch can become unknown ends with each
// ticket in the account once, and each in the ledger as created.
func TestEveryDoubtIsLookedUpUntilEachTicketIsThereOnce(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		name  string
		fault map[string]any
	}{
		{"the answer is lost before acceptance", fault("cut_before", nil)},
		{"the answer is lost after acceptance", fault("cut_after", nil)},
		{"the answer is cut half-way", fault("cut_half", nil)},
		{"a 5xx before the effect", fault("error_before", nil)},
		{"a 5xx after the effect", fault("error_after", map[string]any{"status": 502})},
		{"a 503 without effect", fault("unavailable", nil)},
		{"the effect comes late", fault("late", map[string]any{"delay_seconds": 0.5})},
		{"the job fails after some were created", fault("job_fails_after", map[string]any{"after": 37})},
		{"the job fails before any was created", fault("job_fails_after", map[string]any{"after": 0})},
		{"the job's own address stops answering", fault("job_silent", nil)},
		{"the job's own address answers nothing", fault("job_empty", nil)},
		{"the job shows in the list only", fault("job_hidden", nil)},
		{"the job is gone once it has ended", fault("job_vanishes", nil)},
		{"every answer is lost", fault("cut_after", map[string]any{"count": 3})},
	} {
		t.Run(row.name, func(t *testing.T) {
			s := newStage(t, 250, map[string]any{"faults": []any{row.fault}})
			s.hire().mustFinish()
			s.wantAllOnce()
		})
	}
}

func TestJobThatStaysQueuedParksItsBatchInDoubt(t *testing.T) {
	s := newStage(t, 250, map[string]any{"faults": []any{fault("job_stuck", nil)}})
	out, err := s.hire().export()
	must(t, err)
	if out.Parked == nil || out.Parked.Code != "in_doubt" || out.Parked.Partition != everything.ID {
		t.Fatalf("parked %+v, want in_doubt", out.Parked)
	}
	counts, err := s.ledger.ExactCounts(t.Context(), acme, run)
	must(t, err)
	got := counts[migration.Tickets]
	if got.InDoubt == 0 || got.InDoubt+got.Created != 250 {
		t.Errorf("counts %+v: one batch should be in doubt and the others created", got)
	}
}

// 25 lost answers are the most that an account can have at once: one pass
// serves all of them.
func TestOnePassServesAllBatchesInDoubt(t *testing.T) {
	s := newStage(t, 2500, map[string]any{"faults": []any{fault("cut_after", map[string]any{"count": 25})}})
	s.hire().mustFinish()
	s.wantAllOnce()
	if n := s.imports(); n != 25 {
		t.Errorf("%d imports arrived, want each of the 25 batches once", n)
	}
}

func TestPoisonIsIsolatedAndEverythingElseArrives(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		name  string
		whole bool
	}{{"the ticket fails", false}, {"the whole job fails", true}} {
		t.Run(row.name, func(t *testing.T) {
			s := newStage(t, 250, map[string]any{"poison": map[string]any{"marker": "poison", "whole_batch": row.whole}})
			for _, i := range []int{5, 150, 151} {
				s.source.tickets[i].Subject = "poison"
			}
			s.hire().mustFinish()
			s.wantCounts(migration.Counts{Read: 250, Created: 247, Failed: 3})
			if lost, twice := s.difference(); lost != 3 || twice != 0 {
				t.Errorf("%d tickets are not there, %d more than once; want the 3 poisoned and 0", lost, twice)
			}
			failed := map[string]string{}
			must(t, s.ledger.Failures(t.Context(), acme, func(f migration.Failure) error {
				failed[f.SourceID] = f.Code
				return nil
			}))
			for _, id := range []string{"1006", "1151", "1152"} {
				if failed[id] == "" {
					t.Errorf("ticket %s is not listed with a reason: %v", id, failed)
				}
			}
			if len(failed) != 3 {
				t.Errorf("%d records are listed as failed: %v", len(failed), failed)
			}
		})
	}
}

// A worker that dies leaves to the next one whatever it had not written down.
func TestNextAttemptGoesOnWhereverTheLastOneDied(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		name string
		at   step
	}{
		{"before the intent", beforeIntent},
		{"after the intent, before the POST", afterIntent},
		{"accepted, not recorded", afterSubmit},
		{"recorded, not settled", beforeSettle},
		{"settled, not beaten", afterSettle},
	} {
		t.Run(row.name, func(t *testing.T) {
			s := newStage(t, 250, nil)
			mortal := s.hire().dyingAt(row.at, 2)
			if _, err := mortal.export(); err == nil {
				t.Fatal("the worker did not die")
			}
			s.hire().mustFinish()
			s.wantAllOnce()
			if n := s.imports(); n > 3 {
				t.Errorf("%d imports arrived for 3 batches", n)
			}
		})
	}
}

var errDead = errors.New("this worker is dead")
