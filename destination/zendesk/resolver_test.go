package zendesk_test

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"farewell/destination"
	"farewell/destination/zendesk"
	"farewell/migration"
)

const incremental = "GET /api/v2/incremental/tickets/cursor"

// ownsNone is a ledger that knows no job.
func ownsNone(context.Context, []string) (map[string]bool, error) { return nil, nil }

// lost sends a page and forgets what came of it.
func lost(t *testing.T, a *zendesk.Account, page migration.Page) destination.Doubt {
	t.Helper()
	after := time.Now()
	_, b, _ := submit(t, a, page) // the answer is what is lost
	b.SendBy = time.Now()
	return destination.Doubt{Batch: b, SentAfter: after}
}

func decide(t *testing.T, a *zendesk.Account, d destination.Doubt) destination.Finding {
	t.Helper()
	for ctx := within(t); ; {
		finding, err := a.Lookup(ctx, d, ownsNone)
		if err != nil {
			t.Fatalf("look up: %v", err)
		}
		if finding.Decided {
			return finding
		}
	}
}

func TestLookupFindsWhatArrived(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		settings map[string]any
		found    int
		passes   int // through the export, at least
	}{
		"the answer was lost":                   {fault("cut_after", "imports", nil), 5, 0},
		"the answer was cut":                    {fault("cut_half", "imports", nil), 5, 0},
		"the answer was a 502 after the effect": {fault("error_after", "imports", map[string]any{"status": 502}), 5, 0},
		"the request was cut before":            {fault("cut_before", "imports", nil), 0, 1},
		"a 500 before the effect":               {fault("error_before", "imports", nil), 0, 1},
		"the job vanished":                      {fault("job_vanishes", "imports", nil), 5, 1},
		"the job failed half-way":               {fault("job_fails_after", "imports", map[string]any{"after": 3}), 3, 1},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newSandbox(t, nil)
			a := s.open(t)
			prepare(t, a, migration.Tickets, tickets("warm", 1)) // asks who we are
			s.configure(t, c.settings)
			d := lost(t, a, tickets("t", 5))
			finding := decide(t, a, d)
			if created(finding.Items) != c.found || len(finding.Items) != c.found {
				t.Errorf("found %+v, want %d", finding.Items, c.found)
			}
			if n := s.requests(t, incremental); n < c.passes || c.passes == 0 && n > 0 {
				t.Errorf("%d requests to the export, want %d", n, c.passes)
			}
			if n := s.requests(t, importMany); n != 1 {
				t.Errorf("%d imports arrived, want 1", n)
			}
		})
	}
}

// What was made a moment ago is not in the export yet.
func TestLookupWaitsForTheExportToShowWhatWasMade(t *testing.T) {
	t.Parallel()
	vanishing := fault("job_vanishes", "imports", nil)
	vanishing["seconds_per_ticket"] = 0
	s := newSandbox(t, nil)
	a := s.open(t)
	prepare(t, a, migration.Tickets, tickets("warm", 1))
	s.configure(t, vanishing)
	d := lost(t, a, tickets("t", 5))
	d.Batch.SendBy = time.Now().Add(-time.Hour)
	if finding, err := a.Lookup(within(t), d, ownsNone); err != nil || !finding.Decided || created(finding.Items) != 5 {
		t.Errorf("finding %+v, error %v; want the 5 that were made a moment ago", finding, err)
	}
}

func TestLookupDeclaresNothingAbsentWhileAForeignJobIsOpen(t *testing.T) {
	t.Parallel()
	s := newSandbox(t, fault("job_stuck", "imports", nil))
	a := s.open(t)
	receipt, _, err := submit(t, a, tickets("stuck", 1))
	if err != nil {
		t.Fatal(err)
	}
	b, _ := prepare(t, a, migration.Tickets, tickets("t", 1))
	b.SendBy = time.Now().Add(-time.Hour)
	doubt := destination.Doubt{Batch: b, SentAfter: time.Now().Add(-time.Hour)}
	finding, err := a.Lookup(within(t), doubt, ownsNone)
	if err != nil || finding.Decided || !strings.Contains(finding.Pending, receipt.JobID) {
		t.Errorf("finding %+v, error %v; want job %s to keep it from being decided", finding, err, receipt.JobID)
	}
	ours := func(context.Context, []string) (map[string]bool, error) {
		return map[string]bool{receipt.JobID: true}, nil
	}
	if finding, err = a.Lookup(within(t), doubt, ours); err != nil || !finding.Decided {
		t.Errorf("finding %+v, error %v; want a decision, since the open job is the ledger's", finding, err)
	}
	doubt.JobIDs = []string{receipt.JobID}
	if finding, err = a.Lookup(within(t), doubt, ours); err != nil || finding.Decided {
		t.Errorf("finding %+v, error %v; want none: the batch's own job is open", finding, err)
	}
}

func TestLookupsShareAPass(t *testing.T) {
	t.Parallel()
	s := newSandbox(t, nil)
	slow := timings()
	slow.LookupEvery = 500 * time.Millisecond
	a := open(t, zendesk.Options{Account: s.account(), Timings: slow})
	prepare(t, a, migration.Tickets, tickets("warm", 1))
	s.configure(t, fault("cut_after", "imports", nil))
	const batches = 25
	doubts := make([]destination.Doubt, batches)
	for i := range doubts {
		if doubts[i] = lost(t, a, tickets(fmt.Sprint("t", i), 10)); i%2 == 1 {
			doubts[i].Batch.SourceIDs = []string{fmt.Sprint("never-", i)} // to need the export
		}
		doubts[i].Batch.SendBy = time.Now().Add(-time.Hour)
	}
	eventually(t, 10*time.Second, func() bool { return s.count(t, "open_jobs") == 0 })
	var wait sync.WaitGroup
	for i := range doubts {
		wait.Go(func() {
			finding, err := a.Lookup(within(t), doubts[i], ownsNone)
			if want := 10 * ((i + 1) % 2); err != nil || !finding.Decided || len(finding.Items) != want {
				t.Errorf("batch %d: %+v, error %v; want %d found", i, finding, err, want)
			}
		})
	}
	wait.Wait()
	if n := s.requests(t, "GET /api/v2/job_statuses"); n > 2 {
		t.Errorf("the job list was read %d times for %d batches", n, batches)
	}
	if n := s.requests(t, incremental); n > 2 {
		t.Errorf("the export was read %d times for %d batches", n, batches)
	}
	if n := s.requests(t, "GET /api/v2/tickets/show_many"); n > batches+2 {
		t.Errorf("%d requests for the tickets of %d jobs", n, batches)
	}
}

func TestLookupOfOneCallerSurvivesAnothersCancel(t *testing.T) {
	t.Parallel()
	s := newSandbox(t, nil)
	slow := timings()
	slow.LookupEvery = 300 * time.Millisecond
	a := open(t, zendesk.Options{Account: s.account(), Timings: slow})
	b, _ := prepare(t, a, migration.Tickets, tickets("t", 1))
	doubt := destination.Doubt{Batch: b, SentAfter: time.Now()}
	if _, err := a.Lookup(within(t), doubt, ownsNone); err != nil { // the next pass has to wait
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	gone := make(chan error, 1)
	go func() {
		_, err := a.Lookup(ctx, doubt, ownsNone)
		gone <- err
	}()
	stays := make(chan error, 1)
	go func() {
		_, err := a.Lookup(within(t), doubt, ownsNone)
		stays <- err
	}()
	cancel()
	if err := <-gone; err == nil {
		t.Error("a cancelled look-up returned no error")
	}
	if err := <-stays; err != nil {
		t.Errorf("the other look-up: %v", err)
	}
}

func TestSweepReadsManyPagesInsideTheExportsLimit(t *testing.T) {
	t.Parallel()
	s := newSandbox(t, map[string]any{"seconds_per_ticket": 0, "plan_per_minute": 100000})
	plan := s.account()
	plan.PlanPerMinute = 100000
	a := open(t, zendesk.Options{Account: plan, Timings: timings()})
	const batches = 123
	for i := range batches {
		receipt, b, err := submit(t, a, tickets(fmt.Sprint("t", i), 100))
		if err != nil {
			t.Fatalf("submit: %v", err)
		}
		if _, err = a.Await(within(t), receipt.JobID, migration.Tickets, b.SourceIDs); err != nil {
			t.Fatalf("await: %v", err)
		}
	}
	sweep, err := a.Sweep(within(t), destination.SweepInput{Entity: migration.Tickets, Since: time.Now().Add(-time.Hour)})
	if err != nil || sweep.Records != 100*batches || len(sweep.Duplicates) != 0 {
		t.Errorf("sweep of %d records, %d duplicates, error %v; want %d and none", sweep.Records, len(sweep.Duplicates), err, 100*batches)
	}
	if n := s.count(t, "answers_429"); n != 0 {
		t.Errorf("%d answers were 429", n)
	}
}
