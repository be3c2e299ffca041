package main

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"

	"farewell/destination"
	"farewell/migration"
)

// fleet is one migration in each situation that tables must show.
func fleet() *world {
	w := newWorld("acme", "globex", "漢字会社", "parky", "paused", "fresh")
	w.accounts = append(w.accounts, destination.Account{Customer: "acme", Name: "acme-trial", Kind: "csv"})
	w.has("acme", migration.StateCompletedWithFailures, migration.Counts{Read: 1000, Created: 600, AlreadyThere: 399, Failed: 1})
	w.has("globex", migration.StateExporting, migration.Counts{Read: 1200, Created: 1100, InDoubt: 100})
	w.changes("globex", func(r *migration.RunRecord) {
		r.Planned = migration.EntityCounts{migration.Tickets: {Read: 12345}, migration.Users: {Read: 200}}
		r.Limit = 5000
		r.Reason = migration.Reason{Code: "rate_window", Text: "the account's requests are used up", Since: noon.Add(-20 * time.Second), Until: noon.Add(25 * time.Second)}
		r.ReasonAt = noon.Add(-time.Second)
		r.Counts[migration.Attachments] = migration.Counts{Read: 7, Skipped: 7}
		r.Comparison = migration.Comparison{ArrivedLate: 3, ChangedSince: 2}
	})
	w.has("漢字会社", migration.StateCompleted, created(1000))
	w.has("parky", migration.StateNeedsAttention, created(500))
	w.changes("parky", func(r *migration.RunRecord) {
		r.Parked = []migration.Parked{{Partition: "tickets-0002", Code: "too_many_failures", Text: "12 of 400 failed", Fix: "look at failures", Since: noon.Add(-time.Hour)}}
	})
	w.has("paused", migration.StatePaused, created(10))
	w.changes("paused", func(r *migration.RunRecord) {
		r.Control, r.ControlBy, r.ControlWhy = migration.ControlPause, "bob", "too \x1b[31mloud"
	})
	return w
}

func TestListTable(t *testing.T) {
	t.Parallel()
	w := fleet()
	w.expect(t, exitOK, "list")
	golden(t, "list", w.out.String())
}

func TestListShowsWhatLeftTheAccountsFile(t *testing.T) {
	t.Parallel()
	w := newWorld("acme")
	w.has("former", migration.StateExporting, created(10))
	w.expect(t, exitOK, "list")
	w.says(t, "former")
	w.expect(t, exitOK, "status", "former")
}

func TestListJSON(t *testing.T) {
	t.Parallel()
	w := fleet()
	w.expect(t, exitOK, "list", "-o", "json")
	golden(t, "list-json", w.out.String())
	var rows []map[string]any
	if err := json.Unmarshal(w.out.Bytes(), &rows); err != nil || len(rows) != 7 {
		t.Errorf("%d rows, %v", len(rows), err)
	}
}

func TestStatusText(t *testing.T) {
	t.Parallel()
	w := fleet()
	w.expect(t, exitAttention, "status", "globex", "parky", "paused", "fresh", "漢字会社")
	golden(t, "status", w.out.String())
}

func TestStatusJSONOfOneIsAnObject(t *testing.T) {
	t.Parallel()
	w := fleet()
	w.expect(t, exitOK, "status", "globex", "-o", "json")
	var v struct {
		Customer, Destination, Account, State, Reason string
		Percent                                       int
		Tickets                                       struct {
			Read, Created, Skipped, Failed int64
			AlreadyThere                   int64 `json:"already_there"`
			InDoubt                        int64 `json:"in_doubt"`
		}
	}
	if err := json.Unmarshal(w.out.Bytes(), &v); err != nil {
		t.Fatal(err)
	}
	if v.Customer != "globex" || v.State != "exporting" || v.Reason != "the account's requests are used up" || v.Percent != 8 || v.Tickets.InDoubt != 100 {
		t.Errorf("got %+v", v)
	}
}

func TestStatusExitsWithTheWorst(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name   string
		states []migration.State
		want   int
	}{
		{"all well", []migration.State{migration.StateCompleted, migration.StateExporting}, exitOK},
		{"failures", []migration.State{migration.StateCompleted, migration.StateCompletedWithFailures}, exitFailures},
		{"cancelled over failures", []migration.State{migration.StateCancelled, migration.StateCompletedWithFailures}, exitCancelled},
		{"attention over all", []migration.State{migration.StateCancelled, migration.StateNeedsAttention, migration.StateCompletedWithFailures}, exitAttention},
		{"failed", []migration.State{migration.StateFailed}, exitAttention},
		{"paused is no failure", []migration.State{migration.StatePaused}, exitOK},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			names := []string{"a", "b", "c"}[:len(c.states)]
			w := newWorld(names...)
			for i, s := range c.states {
				w.has(names[i], s, created(1000))
			}
			w.expect(t, c.want, append([]string{"status"}, names...)...)
		})
	}
}

func TestStatusFindsARunThatTemporalDoesNotListYet(t *testing.T) {
	t.Parallel()
	w := newWorld("acme")
	id := migrationOf("acme").WorkflowID()
	w.temporal.executions[id] = execution{Run: "r9", Status: statusRunning, Started: noon.Add(-5 * time.Second)}
	w.temporal.hidden[id] = true
	w.temporal.queues.Workflows = 0
	w.expect(t, exitOK, "status", "acme")
	w.says(t, "waiting", "no worker polls task queue farewell: start one with bin/worker")
}

func TestLooksWorkWithoutTemporal(t *testing.T) {
	t.Parallel()
	w := fleet()
	w.temporal.err = errors.New("Temporal does not answer at x:7233")
	w.expect(t, exitOK, "list")
	w.says(t, "starter: Temporal does not answer at x:7233; this is what the ledger knows", "globex", "completed")
}

func TestSilentLedgerIsAnErrorThatSaysWhatToDo(t *testing.T) {
	t.Parallel()
	w := fleet()
	w.memory.err = errors.New("connection refused")
	w.expect(t, exitError, "list")
	w.says(t, "connection refused", "FAREWELL_LEDGER_URL", "temporal-dev.sh up")
}

func TestChoosingCustomers(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name string
		args []string
		code int
		says string
	}{
		{"unknown customer", []string{"status", "glbex"}, exitError, `unknown customer "glbex": did you mean globex?`},
		{"nothing like it", []string{"status", "nobody"}, exitError, "it has no line in the accounts file"},
		{"several accounts", []string{"status", "acme"}, exitUsage, "say which with --account acme or --account acme-trial"},
		{"one of them", []string{"status", "acme", "--account", "acme-trial"}, exitOK, "acme → csv:acme-trial"},
		{"none of them", []string{"status", "acme", "--account", "x"}, exitError, `customer acme has no account "x": it has acme, acme-trial`},
		{"no such account at all", []string{"status", "--all", "--account", "x"}, exitError, `no customer has an account "x"`},
		{"nobody named", []string{"status"}, exitUsage, "name a customer, or say --all"},
		{"named, and --all", []string{"status", "acme", "--all"}, exitUsage, "not both"},
		{"unknown format", []string{"list", "-o", "yaml"}, exitUsage, "-o yaml is none: it must be table or json"},
		{"unknown flag", []string{"list", "--jsn"}, exitUsage, "unknown flag: --jsn; see bin/starter list --help"},
		{"unknown command", []string{"sttart", "acme"}, exitUsage, `unknown command "sttart": did you mean start`},
		{"argument too many", []string{"list", "acme"}, exitUsage, "bin/starter list takes no arguments"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			w := fleet()
			w.expect(t, c.code, c.args...)
			w.says(t, c.says)
		})
	}
}

func TestHelp(t *testing.T) {
	t.Parallel()
	for _, args := range [][]string{{}, {"start"}, {"watch"}, {"failures"}} {
		name := strings.Join(append([]string{"help"}, args...), "-")
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld()
			w.expect(t, exitOK, append(args, "--help")...)
			golden(t, name, w.out.String())
		})
	}
}

func TestFailures(t *testing.T) {
	t.Parallel()
	failures := []migration.Failure{
		{Entity: migration.Tickets, SourceID: "250", Outcome: "failed", Code: "RecordInvalid", Text: "Subject: \x1b[2Jcannot be blank", Partition: "tickets-0001", At: noon.Add(-time.Minute)},
		{Entity: migration.Tickets, SourceID: "251", Outcome: "failed", Code: "RecordInvalid", Text: "a, \"b\"", Partition: "tickets-0001", At: noon.Add(-time.Minute)},
		{Entity: migration.Users, SourceID: "u1", Outcome: "changed_since", Partition: "users-0001", At: noon.Add(-48 * time.Hour)},
	}
	for _, format := range []string{"table", "json", "csv"} {
		t.Run(format, func(t *testing.T) {
			t.Parallel()
			w := fleet()
			w.memory.failures = failures
			w.expect(t, exitOK, "failures", "globex", "-o", format)
			golden(t, "failures-"+format, w.out.String())
		})
	}
	t.Run("none", func(t *testing.T) {
		t.Parallel()
		w := fleet()
		w.expect(t, exitOK, "failures", "globex", "-o", "json")
		w.expect(t, exitOK, "failures", "globex")
		if got, want := w.out.String(), "[]\nglobex → zendesk:globex: no failures\n"; got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	})
}

func TestChanges(t *testing.T) {
	t.Parallel()
	changes := []migration.Change{
		{Entity: migration.Tickets, SourceID: "250", Field: "subject", Rule: migration.RuleSubjectCut, Before: migration.HashText("long"), After: migration.HashText("short")},
		{Entity: migration.Tickets, SourceID: "250", Field: "comments.body", Part: "71+1", Rule: migration.RuleBodySplit, Before: migration.HashText("a"), After: migration.HashText("b")},
	}
	for name, args := range map[string][]string{"table": nil, "json": {"-o", "json"}, "csv": {"-o", "csv"}, "rule": {"--rule", "body_split"}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := fleet()
			w.memory.changes = changes
			w.expect(t, exitOK, append([]string{"changes", "globex"}, args...)...)
			golden(t, "changes-"+name, w.out.String())
		})
	}
	t.Run("none", func(t *testing.T) {
		t.Parallel()
		w := fleet()
		w.expect(t, exitOK, "changes", "globex", "-o", "json")
		w.expect(t, exitOK, "changes", "globex")
		if got, want := w.out.String(), "[]\nglobex → zendesk:globex: no changes\n"; got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	})
	t.Run("more than shown", func(t *testing.T) {
		t.Parallel()
		w := fleet()
		for range changesShown + 1234 {
			w.memory.changes = append(w.memory.changes, changes[0])
		}
		w.expect(t, exitOK, "changes", "globex")
		w.says(t, "… and 1,234 more: bin/starter changes globex -o csv lists all")
	})
	t.Run("status counts them", func(t *testing.T) {
		t.Parallel()
		w := fleet()
		w.memory.changes = changes
		w.run(t, "status", "globex")
		w.says(t, "2 changes on the way: bin/starter changes globex")
	})
}

func TestMoreFailuresThanShownAreCounted(t *testing.T) {
	t.Parallel()
	w := fleet()
	for range failuresShown + 1234 {
		w.memory.failures = append(w.memory.failures, migration.Failure{Entity: migration.Tickets, Outcome: "skipped", Code: "attachment"})
	}
	w.expect(t, exitOK, "failures", "acme", "--account", "acme")
	w.says(t, "1,334  tickets  skipped  attachment", "… and 1,234 more: bin/starter failures acme --account acme -o csv lists all")
}

func TestCheckReportsEachFindingWithItsFix(t *testing.T) {
	t.Parallel()
	w := newWorld("good", "bad", "silent")
	rows := map[migration.Entity]int64{migration.Organizations: 5, migration.Users: 120, migration.Tickets: 12345}
	good := []migration.CheckFinding{{Name: "views", OK: true, Text: "six views, all columns"}}
	w.temporal.checks["good"] = migration.CheckOutcome{Findings: good, Rows: rows, Requests: 1234, Seconds: 3720}
	w.temporal.checks["bad"] = migration.CheckOutcome{Fatal: true, Rows: rows, Requests: 1, Findings: append(good,
		migration.CheckFinding{Name: "credentials", Fatal: true, Text: "401", Fix: "check secret_ref"},
		migration.CheckFinding{Name: "plan", Fatal: true, Text: "scans", Fix: "create index", Override: "slow-plan"},
		migration.CheckFinding{Name: "ledger", Fatal: true, Overridden: true, Text: "shares the server"},
	)}
	w.expect(t, exitAttention, "check", "--all")
	golden(t, "check", w.out.String())
	w.expect(t, exitOK, "check", "good")
	w.expect(t, exitError, "check", "silent")
}

func TestWhatNeedsAWorkerSaysSoAtOnce(t *testing.T) {
	t.Parallel()
	for _, command := range []string{"check", "reconcile"} {
		t.Run(command, func(t *testing.T) {
			t.Parallel()
			w := newWorld("acme")
			w.temporal.queues.Workflows = 0
			w.expect(t, exitError, command, "acme")
			w.says(t, "no worker polls task queue farewell: start one with bin/worker")
		})
	}
}

func TestReconcileSaysWhatWasFound(t *testing.T) {
	t.Parallel()
	w := newWorld("acme")
	w.expect(t, exitOK, "reconcile", "acme")
	w.says(t, "acme → zendesk:acme: found 0 organizations, 0 users, 12,345 tickets")
}
