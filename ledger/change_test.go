package ledger_test

import (
	"fmt"
	"reflect"
	"strings"
	"testing"

	"farewell/ledger"
	"farewell/migration"
)

func changed(id, field, part string, rule migration.Rule) migration.Change {
	return migration.Change{
		Entity: migration.Tickets, SourceID: id, Field: field, Part: part, Rule: rule,
		Before: migration.HashText("before " + id), After: migration.HashText("after " + id),
	}
}

// listChanges is what the ledger lists, in short.
func listChanges(t *testing.T, l *ledger.Ledger, rule migration.Rule) []string {
	t.Helper()
	list := []string{}
	must(t, l.Changes(t.Context(), acme, rule, func(c migration.Change) error {
		if c.Before != migration.HashText("before "+c.SourceID) || c.After != migration.HashText("after "+c.SourceID) {
			t.Errorf("hashes of %+v", c)
		}
		list = append(list, strings.TrimSpace(fmt.Sprint(c.Entity, " ", c.SourceID, " ", c.Field, " ", c.Part, " ", c.Rule)))
		return nil
	}))
	return list
}

func checkChanges(t *testing.T, l *ledger.Ledger, rule migration.Rule, want ...string) {
	t.Helper()
	if got := listChanges(t, l, rule); !reflect.DeepEqual(got, append([]string{}, want...)) {
		t.Errorf("changes of %q: %q, want %q", rule, got, want)
	}
}

func TestChangesAreWrittenWithTheIntentAndListedOnce(t *testing.T) {
	t.Parallel()
	l, _ := open(t)
	h := takeOver(t, l, tickets(1), "run-1")
	b := inOrder(h, "1", "2", "10")
	b.Changes = []migration.Change{
		changed("10", "subject", "", migration.RuleSubjectCut),
		changed("2", "comments.body", "71", migration.RuleTextCleaned),
		changed("2", "comments.body", "71", migration.RuleBodySplit),
	}
	intend(t, l, h, b)
	intend(t, l, h, b) // an uncertain commit is repeated
	want := []string{
		"tickets 10 subject  subject_cut",
		"tickets 2 comments.body 71 text_cleaned",
		"tickets 2 comments.body 71 body_split",
	}
	checkChanges(t, l, "", want...)
	checkChanges(t, l, migration.RuleBodySplit, want[2])

	must(t, l.Settle(t.Context(), h, b.ID, settlement(b, "--c")))
	checkChanges(t, l, "", want[0])
	again := batch(h, 1, 0, false, []string{"1", "2"})
	again.Changes = []migration.Change{changed("2", "comments.body", "71", migration.RuleTextCleaned)}
	intend(t, l, h, again)
	must(t, l.Settle(t.Context(), h, again.ID, settlement(again, "cc")))
	checkChanges(t, l, "", want[0], want[1])

	counts, err := l.ChangeCounts(t.Context(), acme)
	must(t, err)
	if want := []migration.ChangeCount{
		{Entity: migration.Tickets, Field: "comments.body", Rule: migration.RuleTextCleaned, Count: 1},
		{Entity: migration.Tickets, Field: "subject", Rule: migration.RuleSubjectCut, Count: 1},
	}; !reflect.DeepEqual(counts, want) {
		t.Errorf("counts %+v, want %+v", counts, want)
	}
}

func TestChangesOfARecordThatDidNotArriveAreNotListed(t *testing.T) {
	t.Parallel()
	l, _ := open(t)
	h := takeOver(t, l, tickets(1), "run-1")
	b := inOrder(h, "1", "2")
	b.Changes = []migration.Change{changed("1", "subject", "", migration.RuleSubjectCut), changed("2", "subject", "", migration.RuleSubjectCut)}
	intend(t, l, h, b)
	must(t, l.Settle(t.Context(), h, b.ID, settlement(b, "fc")))
	checkChanges(t, l, "", "tickets 2 subject  subject_cut")
}

func TestFencedIntentWritesNoChanges(t *testing.T) {
	t.Parallel()
	l, _ := open(t)
	h := takeOver(t, l, tickets(1), "run-1")
	takeOver(t, l, tickets(1), "run-1")
	b := inOrder(h, "1")
	b.Changes = []migration.Change{changed("1", "subject", "", migration.RuleSubjectCut)}
	if _, err := l.Intend(t.Context(), h, b, sending); err == nil {
		t.Fatal("the intent was written")
	}
	checkChanges(t, l, "")
}

func TestChangesOfManyPages(t *testing.T) {
	t.Parallel()
	l, _ := open(t)
	h := takeOver(t, l, tickets(1), "run-1")
	b := inOrder(h, "1", "2")
	for i := range 4500 {
		b.Changes = append(b.Changes, changed(fmt.Sprint(i%2+1), "comments.body", fmt.Sprint(i), migration.RuleBodySplit))
	}
	intend(t, l, h, b)
	list := listChanges(t, l, "")
	if len(list) != 4500 || list[0] != "tickets 1 comments.body 0 body_split" || list[4499] != "tickets 2 comments.body 4499 body_split" {
		t.Errorf("%d changes, from %q to %q", len(list), list[0], list[len(list)-1])
	}
}

func TestChangeThatIsNotOfTheBatchIsRefused(t *testing.T) {
	t.Parallel()
	l, _ := open(t)
	h := takeOver(t, l, tickets(1), "run-1")
	for name, c := range map[string]migration.Change{
		"record of another batch": changed("2", "subject", "", migration.RuleSubjectCut),
		"no hash":                 {SourceID: "1", Field: "subject", Before: "a text", After: migration.HashText("")},
	} {
		b := inOrder(h, "1")
		b.Changes = []migration.Change{c}
		if _, err := l.Intend(t.Context(), h, b, sending); err == nil || strings.Contains(err.Error(), "a text") {
			t.Errorf("%s: %v", name, err)
		}
	}
	checkChanges(t, l, "")
}
