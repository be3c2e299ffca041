package activities_test

import (
	"errors"
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"go.temporal.io/sdk/testsuite"

	"farewell/mapping"
	"farewell/migration"
)

// mappingText is a mapping file that a test may change.
type mappingText struct {
	text  string
	known []string
	err   error
}

func (f *mappingText) Of(customer string) (*mapping.Mapping, []mapping.Problem, error) {
	if f.err != nil || f.text == "" {
		return nil, nil, f.err
	}
	file, err := mapping.Parse("mapping.yaml", []byte(f.text))
	if err != nil {
		return nil, nil, err
	}
	return file.Of(customer), file.Strangers(f.known), nil
}

func (w *worker) preflight(m migration.Migration, inRun string, file *mappingText) migration.CheckOutcome {
	w.t.Helper()
	var suite testsuite.WorkflowTestSuite
	suite.SetLogger(quiet{})
	env := suite.NewTestActivityEnvironment()
	w.does.Mappings = file
	w.does.Register(env)
	value, err := env.ExecuteActivity(string(migration.Preflight), migration.PreflightInput{Migration: m, Run: inRun})
	must(w.t, err)
	var out migration.CheckOutcome
	must(w.t, value.Get(&out))
	return out
}

// about are the findings of a name, as an operator reads them.
func about(out migration.CheckOutcome, name string) []string {
	var texts []string
	for _, f := range out.Findings {
		if f.Name == name {
			texts = append(texts, fmt.Sprintf("ok %t, fatal %t: %s; %s", f.OK, f.Fatal, f.Text, f.Fix))
		}
	}
	return texts
}

func TestPreflightReportsWhatIsWrongWithAMapping(t *testing.T) {
	w := newStage(t, 1, map[string]any{"ticket_fields": []map[string]any{{"id": 501, "type": "text", "title": "Product"}}}).hire()
	for _, row := range []struct {
		name  string
		file  *mappingText
		want  []string
		fatal bool
	}{
		{"no file", &mappingText{}, nil, false},
		{"a file that is not there", &mappingText{err: fmt.Errorf("read the mapping file: %w; FAREWELL_MAPPING names it", os.ErrNotExist)},
			[]string{"ok false, fatal true: read the mapping file: file does not exist; FAREWELL_MAPPING names it; make the file readable for the workers, or unset FAREWELL_MAPPING"}, true},
		{"a mistyped file", &mappingText{text: "version: 1\ndefault:\n  ticket: {}\n  user: {}\n"},
			[]string{`ok false, fatal true: mapping.yaml:3:3: unknown key "ticket"; did you mean "tickets"?`, `ok false, fatal true: mapping.yaml:4:3: unknown key "user"; did you mean "users"?`}, true},
		{"a field that the account lacks", &mappingText{text: "version: 1\ndefault: {tickets: {fields: {product: Produkt}}}\n"},
			[]string{`ok false, fatal true: mapping.yaml:2:39: the account has no ticket field "Produkt"; did you mean "Product"?`}, true},
		{"a customer whom nobody knows", &mappingText{text: "version: 1\ncustomers: {acmee: {}}\n", known: []string{"acme"}},
			[]string{`ok false, fatal false: mapping.yaml:2:13: customer "acmee" has no line in the accounts file, so these entries have no effect; did you mean "acme"?`}, false},
	} {
		t.Run(row.name, func(t *testing.T) {
			out := w.preflight(acme, "", row.file)
			got := about(out, "mapping")
			if row.name == "a customer whom nobody knows" {
				got = got[:1] // that the mapping fits comes after it
			}
			if !slices.Equal(got, row.want) || out.Fatal != row.fatal {
				t.Errorf("fatal %t\n%s\nwant\n%s", out.Fatal, strings.Join(got, "\n"), strings.Join(row.want, "\n"))
			}
		})
	}
	w.source.columns = map[string][]migration.Column{"tickets": {{Name: "subject"}, {Name: "group_name"}, {Name: "brand_name"}}}
	if got := about(w.preflight(acme, "", &mappingText{}), "mapping"); len(got) != 1 || !strings.HasPrefix(got[0], "ok false, fatal false: the view tickets shows group_name, brand_name, which stay behind without a mapping file") {
		t.Errorf("of columns that need a mapping: %q", got)
	}
	bundle := migration.Migration{Customer: "acme", Destination: migration.DestinationCSV, Account: "acme"}
	if got := about(w.preflight(bundle, "", &mappingText{text: "version: 1\n"}), "mapping"); len(got) != 1 || !strings.Contains(got[0], "does not apply") {
		t.Errorf("of a bundle: %q", got)
	}
}

func TestARunKeepsTheMappingThatItBeganWith(t *testing.T) {
	s := newStage(t, 1, nil)
	w := s.hire()
	first := &mappingText{text: "version: 1\ndefault: {tickets: {tags: {add: first}}}\n"}
	second := &mappingText{text: "version: 1\ndefault: {tickets: {tags: {add: second}}}\n"}
	for range 2 { // the second is an attempt after the file was changed
		if out := w.preflight(acme, run, first); out.Fatal {
			t.Fatalf("%+v", out)
		}
		first = second
	}
	w.mustFinish()
	if tags := s.tagsOf("1001"); !slices.Contains(tags, "first") || slices.Contains(tags, "second") {
		t.Errorf("the ticket has the tags %q", tags)
	}
	m, _, err := second.Of("acme")
	must(t, err)
	got := about(w.preflight(acme, "run-2", second), "mapping_changed")
	if len(got) != 1 || !strings.Contains(got[0], "now it is mapping.yaml ("+m.Hash()[:8]+")") || !strings.Contains(got[0], "ok false, fatal false") {
		t.Errorf("the next run finds %q", got)
	}
	if got := about(w.preflight(acme, "", second), "mapping_changed"); len(got) != 0 {
		t.Errorf("a check after it finds %q", got)
	}
	if got := about(w.preflight(acme, "", &mappingText{}), "mapping_changed"); len(got) != 1 || !strings.Contains(got[0], "there is no mapping file now") {
		t.Errorf("a check without a file finds %q", got)
	}
}

func TestOnlyAnAgentOfTheAccountKeepsTheirTickets(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		name   string
		before []migration.Partition
	}{{"brought on demand", nil}, {"brought before the tickets", []migration.Partition{allUsers}}} {
		t.Run(row.name, func(t *testing.T) { onlyAnAgentKeepsTheirTickets(t, row.before) })
	}
}

func onlyAnAgentKeepsTheirTickets(t *testing.T, before []migration.Partition) {
	s := newStage(t, 3, map[string]any{"agents": []any{map[string]any{"name": "Bea", "email": "bea@example.com", "role": "agent"}}})
	s.source.users = append(s.source.users,
		migration.User{ID: "8", Name: "Bea", Email: "Bea@example.com", Role: "agent"},
		migration.User{ID: "9", Name: "Gone", Email: "gone@example.com", Role: "agent"})
	s.source.tickets[0].AssigneeID, s.source.tickets[1].AssigneeID = "8", "9"
	w := s.hire()
	if out := w.preflight(acme, run, &mappingText{text: "version: 1\n"}); out.Fatal {
		t.Fatalf("%+v", out)
	}
	for _, p := range before {
		w.mustBring(p)
	}
	w.mustFinish()
	assigned := map[string]bool{}
	s.eachInAccount(func(ticket accountTicket) {
		assigned[strings.TrimPrefix(ticket.ExternalID, "farewell-")] = ticket.AssigneeID != 0
	})
	if want := map[string]bool{"1001": true, "1002": false, "1003": false}; !maps.Equal(assigned, want) {
		t.Errorf("assigned: %v, want %v: nobody takes over who only stands in", assigned, want)
	}
	dropped := ""
	must(t, s.ledger.Changes(t.Context(), acme, migration.RuleValueDropped, func(c migration.Change) error {
		dropped += c.SourceID + " " + c.Field
		return nil
	}))
	if dropped != "1002 assignee_id" {
		t.Errorf("listed as dropped: %q", dropped)
	}
	if out := w.readBack(run); out.Compared != 3 || out.Differing != 0 {
		t.Errorf("read back: %+v", out)
	}
}

func TestTicketsThatTheMappingLeavesBehindAreSkippedWithAReason(t *testing.T) {
	s := newStage(t, 250, nil)
	for i := range s.source.tickets {
		ticket := &s.source.tickets[i]
		switch {
		case i < 120:
			ticket.CreatedAt = time.Date(2010, 1, 1, 0, 0, i, 0, time.UTC)
		case i%10 == 0:
			ticket.Status = "spam"
		}
	}
	w := s.hire()
	if out := w.preflight(acme, run, &mappingText{text: "version: 1\ndefault: {tickets: {skip: {created_before: 2015-01-01, status: spam}}}\n"}); out.Fatal {
		t.Fatalf("%+v", out)
	}
	w.mustFinish()
	s.wantCounts(migration.Counts{Read: 250, Created: 117, Skipped: 133})
	if n := len(s.inAccount()); n != 117 {
		t.Errorf("%d tickets are in the account", n)
	}
	codes := map[string]int{}
	must(t, s.ledger.Failures(t.Context(), acme, func(f migration.Failure) error {
		codes[f.Outcome+" "+f.Code]++
		return nil
	}))
	if codes["skipped filtered_by_date"] != 120 || codes["skipped filtered_by_status"] != 13 || len(codes) != 2 {
		t.Errorf("listed: %v", codes)
	}
	if n := s.imports(); n != 2 {
		t.Errorf("%d imports for 117 tickets of three pages, one of which holds none", n)
	}
	// Another attempt finds nothing to do.
	w.mustFinish()
	s.wantCounts(migration.Counts{Read: 250, Created: 117, Skipped: 133})
}

func TestATrialCountsOnlyTicketsThatAreWanted(t *testing.T) {
	s := newStage(t, 250, nil)
	for i := range 130 {
		s.source.tickets[i].Status = "spam"
	}
	w := s.hire()
	if out := w.preflight(acme, run, &mappingText{text: "version: 1\ndefault: {tickets: {skip: {status: spam}}}\n"}); out.Fatal {
		t.Fatalf("%+v", out)
	}
	for range 2 { // the second attempt finds the limit reached
		if out, err := w.exportSome(everything, 20); err != nil || !out.Done {
			t.Fatalf("export: %+v, %v", out, err)
		}
	}
	s.wantCounts(migration.Counts{Read: 150, Created: 20, Skipped: 130})
}

func TestWhatTheMappingDropsIsCountedByField(t *testing.T) {
	s := newStage(t, 130, map[string]any{"ticket_fields": []map[string]any{{"id": 501, "type": "text", "title": "Product"}}})
	for i := range s.source.tickets {
		s.source.tickets[i].CustomFields = []byte(`{"product":"Anvil","rating":5}`)
		if i%13 == 0 {
			s.source.tickets[i].CustomFields = []byte(`{"product":"Anvil","color":"red"}`)
		}
	}
	w := s.hire()
	if out := w.preflight(acme, run, &mappingText{text: "version: 1\ndefault: {tickets: {fields: {product: Product, color: {keep: note}}}}\n"}); out.Fatal {
		t.Fatalf("%+v", out)
	}
	w.mustFinish()
	s.wantAllOnce()
	counts, err := s.ledger.ChangeCounts(t.Context(), acme)
	must(t, err)
	got := map[string]int64{}
	for _, c := range counts {
		if c.Entity == migration.Tickets {
			got[c.Field+" "+string(c.Rule)] = c.Count
		}
	}
	want := map[string]int64{"custom_fields.rating field_dropped": 120, "custom_fields.color field_dropped": 10, "comments.body mapping_note": 10}
	for key, n := range want {
		if got[key] != n {
			t.Errorf("%s: %d, want %d", key, got[key], n)
		}
	}
}

func TestAMappingThatFitsNoMoreParksThePartition(t *testing.T) {
	field := []map[string]any{{"id": 501, "type": "text", "title": "Product"}}
	s := newStage(t, 3, map[string]any{"ticket_fields": field})
	if out := s.hire().preflight(acme, run, &mappingText{text: "version: 1\ndefault: {tickets: {fields: {product: Product}}}\n"}); out.Fatal {
		t.Fatalf("%+v", out)
	}
	s.configure(map[string]any{"ticket_fields": []map[string]any{}})
	other := s.hire() // a process that has not asked the account yet
	out, err := other.export()
	if err != nil || out.Parked == nil || !strings.Contains(out.Parked.Fix, `the account has no ticket field "Product"`) {
		t.Fatalf("export: %+v, %v", out.Parked, err)
	}
	s.configure(map[string]any{"ticket_fields": field})
	other.mustFinish()
	s.wantAllOnce()
}

var errNoTicket = errors.New("no such ticket")

// tagsOf are the tags of a ticket in the account.
func (s *stage) tagsOf(sourceID string) []string {
	s.t.Helper()
	var tags []string
	found := errNoTicket
	s.eachInAccount(func(ticket accountTicket) {
		if ticket.ExternalID == "farewell-"+sourceID {
			tags, found = ticket.Tags, nil
		}
	})
	must(s.t, found)
	return tags
}
