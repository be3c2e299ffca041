package ledger_test

import (
	"cmp"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"testing"

	"farewell/ledger"
	"farewell/migration"
)

// fate is what became of a ticket's attachment, which has the ticket's id and a
// letter.
func fate(ticket, letter, code string) migration.FileFate {
	f := migration.FileFate{ID: ticket + letter, TicketID: ticket, Code: code}
	if code == "" {
		f.TargetID, f.Size, f.SHA256 = "77"+ticket, 1<<33, migration.HashText(f.ID)
	} else {
		f.Text = "it is \u00fcber, and\nnot there"
	}
	return f
}

// withFiles settles a batch, its attachments by their fates and the tickets'
// outcomes.
func withFiles(b migration.Batch, outcomes string) migration.Settlement {
	s := settlement(b, outcomes)
	of := map[string]migration.Outcome{}
	for _, item := range s.Items {
		of[item.SourceID] = item.Outcome
	}
	for _, f := range b.Files {
		if item := f.Item(of[f.TicketID]); item.Outcome != migration.NotSent {
			s.Files = append(s.Files, item)
		}
	}
	return s
}

func listFiles(t *testing.T, l *ledger.Ledger) []string {
	t.Helper()
	list := []string{}
	must(t, l.Failures(t.Context(), acme, func(f migration.Failure) error {
		if f.Entity == migration.Attachments {
			list = append(list, fmt.Sprint(f.SourceID, " ", f.Outcome, " ", f.Code, " ", f.Partition))
		}
		return nil
	}))
	return list
}

func TestAttachmentsAreSettledWithTheirTickets(t *testing.T) {
	t.Parallel()
	l, _ := open(t)
	h := takeOver(t, l, tickets(1), "run-1")
	b := inOrder(h, "1", "2", "3", "4")
	b.Files = []migration.FileFate{
		fate("1", "a", ""), fate("1", "b", migration.FileNotFound), fate("1", "c", migration.FileTooLarge),
		fate("2", "a", ""), fate("3", "a", ""), fate("4", "a", ""),
	}
	b = intend(t, l, h, b)
	checkCounts(t, l, "run-1", migration.Attachments, migration.Counts{})

	// An attempt that takes over knows what the batch had; one that lost the
	// partition decides nothing about it.
	before := h
	state, err := l.TakeOver(t.Context(), acme, tickets(1), "run-1")
	must(t, err)
	if h = state.Hold; len(state.Batches) != 1 || !reflect.DeepEqual(state.Batches[0].Files, b.Files) {
		t.Fatalf("took over %+v, want the files %+v", state.Batches, b.Files)
	}
	if err := l.Settle(t.Context(), before, b.ID, withFiles(b, "ccfc")); !errors.Is(err, ledger.ErrFenced) {
		t.Errorf("settled under the earlier fence: %v", err)
	}
	checkCounts(t, l, "run-1", migration.Attachments, migration.Counts{})

	// The ticket 3 fails, and 4 goes out again with another batch.
	s := withFiles(b, "ccf-")
	at := slices.IndexFunc(s.Files, func(i migration.Item) bool { return i.SourceID == "2a" })
	s.Files[at].Outcome, s.Files[at].Code, s.Files[at].Text = migration.Failed, migration.FileExpired, "too late"
	must(t, l.Settle(t.Context(), h, b.ID, s))
	must(t, l.Settle(t.Context(), h, b.ID, s)) // an uncertain commit is repeated
	checkCounts(t, l, "run-1", migration.Attachments, migration.Counts{Read: 5, Created: 1, Skipped: 2, Failed: 2})
	checkCounts(t, l, "run-1", migration.Tickets, migration.Counts{Read: 4, Created: 2, Failed: 1})
	want := []string{
		"1b failed file_not_found attachments-0001", "1c skipped file_too_large attachments-0001",
		"2a failed file_expired attachments-0001", "3a skipped ticket_not_delivered attachments-0001",
	}
	if got := listFiles(t, l); !slices.Equal(got, want) {
		t.Errorf("listed %q, want %q", got, want)
	}

	again := batch(h, 1, 0, false, []string{"3", "4"})
	again.Files = []migration.FileFate{fate("3", "a", ""), fate("4", "a", "")}
	again = intend(t, l, h, again)
	must(t, l.RecordAndSettle(t.Context(), h, again.ID, migration.Evidence{Kind: migration.EvidenceResults}, withFiles(again, "cc")))
	checkCounts(t, l, "run-1", migration.Attachments, migration.Counts{Read: 6, Created: 3, Skipped: 1, Failed: 2})
	checkCounts(t, l, "run-2", migration.Attachments, migration.Counts{Read: 6, AlreadyThere: 3, Skipped: 1, Failed: 2})
	if got, want := listFiles(t, l), slices.Delete(want, 3, 4); !slices.Equal(got, want) {
		t.Errorf("listed %q, want %q: a ticket's second try has healed its file", got, want)
	}
}

// oneOfTwoSettled is an attempt that has settled one batch with an attachment,
// and the open batch with another.
func oneOfTwoSettled(t *testing.T, l *ledger.Ledger) (migration.Hold, migration.Batch) {
	t.Helper()
	h := takeOver(t, l, tickets(1), "run-1")
	settled, left := inOrder(h, "1"), inOrder(h, "2")
	settled.Files, left.Files = []migration.FileFate{fate("1", "a", "")}, []migration.FileFate{fate("2", "a", "")}
	settled, left = intend(t, l, h, settled), intend(t, l, h, left)
	must(t, l.Settle(t.Context(), h, settled.ID, withFiles(settled, "c")))
	return h, left
}

func TestAnAttemptThatLostItsTicketsDecidesNothingAboutTheirAttachments(t *testing.T) {
	t.Parallel()
	l, _ := open(t)
	first, open := oneOfTwoSettled(t, l)
	second := takeOver(t, l, tickets(1), "run-1")
	if err := l.Settle(t.Context(), first, open.ID, withFiles(open, "c")); !errors.Is(err, ledger.ErrFenced) {
		t.Errorf("settled under the earlier fence: %v", err)
	}
	checkCounts(t, l, "run-1", migration.Attachments, migration.Counts{Read: 1, Created: 1})
	must(t, l.Settle(t.Context(), second, open.ID, withFiles(open, "f")))
	checkCounts(t, l, "run-1", migration.Attachments, migration.Counts{Read: 2, Created: 1, Skipped: 1})
}

// An attempt that lost its tickets and hangs sees a fence between its own and
// the one that is in force by the time it goes on.
func TestTheFenceOfAttachmentsNeverGoesBack(t *testing.T) {
	t.Parallel()
	l, url := open(t)
	first, late := oneOfTwoSettled(t, l)
	takeOver(t, l, tickets(1), "run-1")

	const beside = "update farewell_ledger.partitions set fence = $1 where entity = 'attachments'"
	obstacle := begin(t, url)
	_, err := obstacle.Exec(t.Context(), beside, first.Fence)
	must(t, err)
	done := make(chan error, 1)
	go func() { done <- l.Settle(t.Context(), first, late.ID, withFiles(late, "c")) }()
	waitForLocks(t, url, 1)
	third := takeOver(t, l, tickets(1), "run-1")
	_, err = obstacle.Exec(t.Context(), beside, third.Fence)
	must(t, err)
	must(t, obstacle.Commit(t.Context()))
	if err := <-done; !errors.Is(err, ledger.ErrFenced) {
		t.Errorf("settled under the first fence: %v", err)
	}
	var fence int64
	query(t, url, "select fence from farewell_ledger.partitions where entity = 'attachments'", &fence)
	if fence != third.Fence {
		t.Errorf("the attachments' fence is %d, want %d", fence, third.Fence)
	}
}

func TestSentFilesTellWhatATicketsBatchHad(t *testing.T) {
	t.Parallel()
	l, _ := open(t)
	h := takeOver(t, l, tickets(1), "run-1")
	b := inOrder(h, "1", "2", "3")
	b.Files = []migration.FileFate{fate("1", "a", ""), fate("1", "b", migration.FileNotFound), fate("2", "a", ""), fate("3", "a", "")}
	b = intend(t, l, h, b)
	s := withFiles(b, "ccc")
	s.Files[2].Outcome, s.Files[2].Code, s.Files[2].Text = migration.Failed, migration.FileExpired, "too late"
	must(t, l.Settle(t.Context(), h, b.ID, s))
	none := intend(t, l, h, inOrder(h, "4"))

	got, err := l.SentFiles(t.Context(), acme, []string{b.ID, none.ID}, []string{"1", "2", "4"})
	must(t, err)
	slices.SortFunc(got, func(a, b migration.FileFate) int { return cmp.Compare(a.ID, b.ID) })
	want := slices.Clone(b.Files[:3])
	want[2].Code, want[2].Text = migration.FileExpired, "too late"
	if !reflect.DeepEqual(got, want) {
		t.Errorf("sent files\n%+v, want\n%+v", got, want)
	}
}
