package zendesk_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"farewell/destination"
	"farewell/destination/zendesk"
	"farewell/migration"
)

func TestAwaitSurvivesWhatJobsDo(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		settings map[string]any
		created  int
		whole    bool
		code     string // of an error in doubt
	}{
		"a job whose own address answers 404": {settings: fault("job_silent", "imports", nil), created: 5},
		"a job that only the list shows":      {settings: fault("job_hidden", "imports", nil), created: 5},
		"a job that vanishes":                 {settings: fault("job_vanishes", "imports", nil), code: "job vanished"},
		"a job that stays queued":             {settings: fault("job_stuck", "imports", nil), code: "stuck"},
		"a job that fails half-way":           {settings: fault("job_fails_after", "imports", map[string]any{"after": 2}), whole: true},
		"polls that are cut":                  {settings: fault("cut_before", "jobs", map[string]any{"count": 5}), created: 5},
		"polls that end in 502":               {settings: fault("error_before", "jobs", map[string]any{"count": 5, "status": 502}), created: 5},
		"polls whose answer is cut":           {settings: fault("cut_half", "jobs", map[string]any{"count": 5}), created: 5},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newSandbox(t, c.settings)
			tight := timings()
			tight.JobOverdue = 300 * time.Millisecond
			a := open(t, zendesk.Options{Account: s.account(), Timings: tight})
			receipt, b, err := submit(t, a, tickets("t", 5))
			if err != nil {
				t.Fatalf("submit: %v", err)
			}
			result, err := a.Await(within(t), receipt.JobID, migration.Tickets, b.SourceIDs)
			var e *destination.Error
			switch {
			case c.code != "":
				if !errors.As(err, &e) || e.Kind != destination.InDoubt || e.Code != c.code {
					t.Errorf("error %v, want in doubt: %s", err, c.code)
				}
			case err != nil:
				t.Errorf("await: %v", err)
			case result.Whole != c.whole || created(result.Items) != c.created:
				t.Errorf("result %+v, want whole %t, %d created", result, c.whole, c.created)
			}
		})
	}
}

func TestAwaitAsksAtAJobsOwnAddressWhenTheManyDoNotShowIt(t *testing.T) {
	t.Parallel()
	s := newSandbox(t, nil)
	front := httptest.NewServer(withoutShowMany(s.http.Config.Handler))
	t.Cleanup(front.Close)
	account := s.account()
	account.URL = front.URL + "/accounts/acme"
	a := open(t, zendesk.Options{Account: account, Timings: timings()})
	receipt, b, err := submit(t, a, tickets("t", 5))
	if err != nil {
		t.Fatalf("submit: %v", err)
	}
	result, err := a.Await(within(t), receipt.JobID, migration.Tickets, b.SourceIDs)
	if err != nil || result.Whole || created(result.Items) != 5 {
		t.Errorf("result %+v, error %v, want 5 created", result, err)
	}
	if n := s.requests(t, "GET /api/v2/job_statuses/{id}"); n == 0 {
		t.Error("nobody asked at the job's own address")
	}
}

func withoutShowMany(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !strings.HasSuffix(r.URL.Path, "/job_statuses/show_many") {
			next.ServeHTTP(w, r)
			return
		}
		w.Header().Set("Content-Type", "application/json")
		_, _ = io.WriteString(w, `{"job_statuses":[]}`) // to the test's own client
	})
}

func TestAwaitAsksForAllJobsTogether(t *testing.T) {
	t.Parallel()
	s := newSandbox(t, map[string]any{"seconds_per_ticket": 1}) // 10 tickets last 125 ms
	a := s.open(t)
	const lanes = 20
	var wait sync.WaitGroup
	for range lanes {
		receipt, b, err := submit(t, a, tickets("t", 10))
		if err != nil {
			t.Fatalf("submit: %v", err)
		}
		wait.Go(func() {
			result, err := a.Await(within(t), receipt.JobID, migration.Tickets, b.SourceIDs)
			if err != nil || created(result.Items) != 10 {
				t.Errorf("await: %v, %+v", err, result)
			}
		})
	}
	wait.Wait()
	if polls := s.requests(t, "GET /api/v2/job_statuses/show_many"); polls == 0 || polls > lanes {
		t.Errorf("%d polls for %d jobs: they should be asked for together", polls, lanes)
	}
	if n := s.requests(t, "GET /api/v2/job_statuses/{id}"); n != 0 {
		t.Errorf("%d polls for single jobs", n)
	}
}

func TestAwaitOfAnotherProcessesJob(t *testing.T) {
	t.Parallel()
	s := newSandbox(t, nil)
	receipt, b, err := submit(t, s.open(t), tickets("t", 5))
	if err != nil {
		t.Fatalf("submit: %v", err)
	}
	result, err := s.open(t).Await(within(t), receipt.JobID, migration.Tickets, b.SourceIDs)
	if err != nil || created(result.Items) != 5 {
		t.Errorf("await: %v, %+v", err, result)
	}
}

// Whoever was refused in a job of another process goes through Prepare again,
// which then looks for them by their address.
func TestRefusedPersonOfAnotherProcessesJobIsFoundByPrepare(t *testing.T) {
	t.Parallel()
	s := newSandbox(t, map[string]any{"index_lag_seconds": 0})
	first := migration.Page{Users: []migration.User{{ID: "1", Name: "One", Email: "one@example.com"}}}
	if n := created(shipUsers(t, s.open(t), first)); n != 1 {
		t.Fatalf("%d created, want 1", n)
	}
	began, taker := s.open(t), s.open(t)
	page := migration.Page{Users: []migration.User{{ID: "2", Name: "Two", Email: "One@example.com"}}}
	b, parcel := prepare(t, began, migration.Users, page)
	receipt, err := began.Submit(within(t), b, parcel)
	if err != nil {
		t.Fatalf("submit: %v", err)
	}
	result, err := taker.Await(within(t), receipt.JobID, migration.Users, b.SourceIDs)
	if err != nil || len(result.Items) != 1 || result.Items[0].Outcome != migration.NotSent {
		t.Fatalf("await: %v, %+v; want the record left to another batch", err, result)
	}
	if _, parcel = prepare(t, taker, migration.Users, page); len(parcel.Decided) != 1 || parcel.Decided[0].Outcome != migration.AlreadyThere {
		t.Errorf("prepared %+v, want the record to be already there", parcel.Decided)
	}
}

func shipUsers(t *testing.T, a *zendesk.Account, page migration.Page) []migration.Item {
	t.Helper()
	b, parcel := prepare(t, a, migration.Users, page)
	receipt, err := a.Submit(within(t), b, parcel)
	if err != nil {
		t.Fatalf("submit: %v", err)
	}
	result, err := a.Await(within(t), receipt.JobID, migration.Users, b.SourceIDs)
	if err != nil {
		t.Fatalf("await: %v", err)
	}
	return result.Items
}

func TestExistingPeopleAreFoundAndNeverChanged(t *testing.T) {
	t.Parallel()
	s := newSandbox(t, map[string]any{"index_lag_seconds": 0})
	a := s.open(t)
	shipUsers(t, a, migration.Page{Users: []migration.User{{ID: "1", Name: "Before", Email: "a@example.com"}}})
	fresh := s.open(t) // remembers nobody
	items := shipUsers(t, fresh, migration.Page{Users: []migration.User{
		{ID: "2", Name: "After", Email: "A@example.com"}, {ID: "3", Name: "New", Email: "n@example.com"},
	}})
	if created(items) != 1 || items[0].Outcome != migration.AlreadyThere || items[0].TargetID == "" {
		t.Errorf("items %+v, want the first already there and the second created", items)
	}
	if n := s.count(t, "emails_sent"); n != 0 {
		t.Errorf("Zendesk would have sent %d e-mails", n)
	}
	if n := s.requests(t, "PUT /api/v2/users/{id}"); n != 0 {
		t.Errorf("%d users were changed", n)
	}
}

func TestAwaitEndsWithItsContext(t *testing.T) {
	t.Parallel()
	s := newSandbox(t, fault("job_stuck", "imports", nil))
	a := s.open(t)
	receipt, b, err := submit(t, a, tickets("t", 1))
	if err != nil {
		t.Fatalf("submit: %v", err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), 50*time.Millisecond)
	defer cancel()
	if _, err := a.Await(ctx, receipt.JobID, migration.Tickets, b.SourceIDs); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("error %v, want the context's", err)
	}
}
