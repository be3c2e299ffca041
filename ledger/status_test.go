package ledger_test

import (
	"reflect"
	"testing"
	"time"

	"farewell/ledger"
	"farewell/migration"
)

var beta = migration.Migration{Customer: "beta", Destination: migration.DestinationCSV, Account: "beta-files"}

func TestRunsShowTheNewestRunOfEachMigration(t *testing.T) {
	t.Parallel()
	l, _ := open(t)
	plan := migration.Plan{Partitions: []migration.Partition{
		{ID: "users-0001", Entity: migration.Users, Rows: 3}, {ID: "tickets-0001", Entity: migration.Tickets, Rows: 90}, {ID: "tickets-0002", Entity: migration.Tickets, Rows: 20},
	}}
	_, err := l.SavePlan(t.Context(), acme, plan)
	must(t, err)
	must(t, l.BeginRun(t.Context(), acme, "run-1", migration.Options{}))
	h := takeOver(t, l, tickets(1), "run-1")
	b := intend(t, l, h, inOrder(h, "1", "2"))
	must(t, l.Settle(t.Context(), h, b.ID, settlement(b, "cf")))
	must(t, l.BeginRun(t.Context(), acme, "run-2", migration.Options{By: "ann", Reason: "the rest", Limit: 50}))
	h = takeOver(t, l, tickets(2), "run-2")
	b = intend(t, l, h, inOrder(h, "3"))
	must(t, l.Settle(t.Context(), h, b.ID, settlement(b, "c")))
	parked := []migration.Parked{{Partition: "tickets-0001", Code: "credentials", Text: "refused", Fix: "rotate", Since: time.Now().UTC().Truncate(time.Second)}}
	must(t, l.RecordState(t.Context(), migration.RecordStateInput{
		Migration: acme, Run: "run-2", State: migration.StateNeedsAttention, Control: migration.ControlPause, By: "bob", Why: "lunch",
		Comparison: migration.Comparison{ArrivedLate: 2}, Duplicates: 3, Parked: parked,
	}))
	must(t, l.BeginRun(t.Context(), beta, "run-9", migration.Options{}))
	must(t, l.RecordState(t.Context(), migration.RecordStateInput{Migration: beta, Run: "run-9", State: migration.StateCompleted, Control: migration.ControlRun, Ended: true}))

	runs, err := l.Runs(t.Context(), ledger.RunFilter{})
	must(t, err)
	if len(runs) != 2 || runs[1].Migration != beta || runs[1].EndedAt.IsZero() || runs[1].State != migration.StateCompleted {
		t.Fatalf("runs: %+v", runs)
	}
	got := runs[0]
	if got.StartedAt.IsZero() || !got.EndedAt.IsZero() || time.Since(got.LastSettle).Abs() > time.Minute {
		t.Errorf("times: %+v", got)
	}
	got.StartedAt, got.LastSettle = time.Time{}, time.Time{}
	want := migration.RunRecord{
		Migration: acme, Run: "run-2", State: migration.StateNeedsAttention, By: "ann", Why: "the rest", Limit: 50,
		Comparison: migration.Comparison{ArrivedLate: 2}, Duplicates: 3, Control: migration.ControlPause, ControlBy: "bob", ControlWhy: "lunch", Parked: parked,
		Counts:  migration.EntityCounts{migration.Tickets: {Read: 3, Created: 1, AlreadyThere: 1, Failed: 1}},
		Planned: migration.EntityCounts{migration.Users: {Read: 3}, migration.Tickets: {Read: 50}},
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("run\n%+v, want\n%+v", got, want)
	}

	active, err := l.Runs(t.Context(), ledger.RunFilter{Active: true})
	must(t, err)
	one, err := l.Runs(t.Context(), ledger.RunFilter{Migration: &beta})
	must(t, err)
	none, err := l.Runs(t.Context(), ledger.RunFilter{Migration: &migration.Migration{Customer: "nobody"}})
	must(t, err)
	if len(active) != 1 || active[0].Migration != acme || len(one) != 1 || one[0].Migration != beta || len(none) != 0 {
		t.Errorf("active %+v, one %+v, none %+v", active, one, none)
	}
}

func TestReasonOfTheWorkflowHoldsBeforeThoseOfWorkers(t *testing.T) {
	t.Parallel()
	l, _ := open(t)
	must(t, l.BeginRun(t.Context(), acme, "run-1", migration.Options{}))
	since := time.Now().UTC().Truncate(time.Second)
	limited := migration.Reason{Code: "rate_limited", Text: "waits for the next minute", Since: since, Until: since.Add(time.Minute)}
	reported := map[migration.Migration]migration.Reason{acme: limited, {Customer: "unknown"}: limited}
	must(t, l.ReportReasons(t.Context(), "worker-0", map[migration.Migration]migration.Reason{acme: {Code: "older"}}))
	must(t, l.ReportReasons(t.Context(), "worker-1", reported))
	check := func(want migration.Reason) {
		t.Helper()
		runs, err := l.Runs(t.Context(), ledger.RunFilter{})
		must(t, err)
		got := runs[0].Reason
		if got.Code != want.Code || got.Text != want.Text || !got.Since.Equal(want.Since) || !got.Until.Equal(want.Until) || time.Since(runs[0].ReasonAt).Abs() > 10*time.Second {
			t.Errorf("reason %+v at %v, want %+v", got, runs[0].ReasonAt, want)
		}
	}
	check(limited)
	quiet := migration.Reason{Code: "quiet_hours", Text: "until seven", Since: since}
	must(t, l.RecordState(t.Context(), migration.RecordStateInput{Migration: acme, Run: "run-1", State: migration.StateWaiting, Control: migration.ControlRun, Reason: quiet}))
	check(quiet)
	must(t, l.RecordState(t.Context(), migration.RecordStateInput{Migration: acme, Run: "run-1", State: migration.StateExporting, Control: migration.ControlRun}))
	check(limited)
	must(t, l.ReportReasons(t.Context(), "worker-1", nil)) // moves there
	check(migration.Reason{Code: "older"})
}

func TestWorkersAreSeenByTheLedgersClock(t *testing.T) {
	t.Parallel()
	l, url := open(t)
	started := time.Now().UTC().Truncate(time.Second)
	for _, worker := range []string{"old", "gone", "here"} {
		must(t, l.BeatWorker(t.Context(), migration.Presence{Worker: worker, Egress: "default", Queue: "export", Started: started}))
	}
	query(t, url, "update farewell_ledger.workers set seen = seen - case worker when 'old' then interval '2 days' when 'gone' then interval '1 minute' else interval '0' end")
	must(t, l.BeatWorker(t.Context(), migration.Presence{Worker: "here", Egress: "default", Queue: "export", Started: started}))
	workers, err := l.Workers(t.Context())
	must(t, err)
	if len(workers) != 2 || workers[0].Worker != "here" || workers[1].Worker != "gone" || !workers[0].Started.Equal(started) {
		t.Fatalf("workers: %+v", workers)
	}
	if here, gone := time.Since(workers[0].Seen), time.Since(workers[1].Seen); here > 10*time.Second || gone < 50*time.Second {
		t.Errorf("seen %v and %v ago", here, gone)
	}
	var kept int
	query(t, url, "select count(*) from farewell_ledger.workers", &kept)
	if kept != 2 {
		t.Errorf("%d rows are kept", kept)
	}
}

// 2,000 migrations of 50 partitions each, with open batches in a tenth.
func TestRunsOfAFleetTakeLessThanASecond(t *testing.T) {
	t.Parallel()
	l, url := open(t)
	for _, fill := range []string{
		`insert into migrations (customer, destination, account, current_run, planned) select 'c' || n, 'zendesk', 'a' || n, n, '{"tickets": 100000}' from generate_series(1, 2000) n`,
		`insert into runs (migration_id, run, begun_at) select n, 'run', now() from generate_series(1, 2000) n`,
		`insert into partitions (migration_id, name, entity, ordinal, planned_rows)
			select m, 'tickets-' || p, 'tickets', p, 2000 from generate_series(1, 2000) m, generate_series(1, 50) p`,
		`insert into tallies select migration_id, id, migration_id, entity, 1990, 5, 3, 2, 0, now() from partitions`,
		`insert into open_batches (migration_id, batch_id, partition_id, entity, records, send_by, repeats)
			select migration_id, 'b' || id, id, entity, 100, now(), ordinal = 1 from partitions where ordinal <= 5 and migration_id % 10 = 0`,
		`insert into intents (migration_id, partition_id, run_id, generation, fence, intent_at, send_by, level, in_order, batch_id, source_ids)
			select migration_id, partition_id, 0, 0, 0, now(), now(), 0, true, batch_id, (select string_agg(n::text, chr(31)) from generate_series(1, 100) n) from open_batches`,
		`insert into reasons select id, 'w', 'rate_limited', 'waits', now(), null, now() from migrations`,
		`analyze`,
	} {
		query(t, url, "set search_path = farewell_ledger; "+fill)
	}
	var runs []migration.RunRecord
	within(t, time.Second, "listing 2,000 migrations", func() {
		var err error
		runs, err = l.Runs(t.Context(), ledger.RunFilter{})
		must(t, err)
	})
	if len(runs) != 2000 {
		t.Fatalf("%d runs", len(runs))
	}
	for _, r := range runs {
		if c := r.Counts[migration.Tickets]; c.Created != 99500 || r.Planned[migration.Tickets].Read != 100000 || r.LastSettle.IsZero() || r.Reason.Code == "" {
			t.Fatalf("run %+v", r)
		}
	}
}
