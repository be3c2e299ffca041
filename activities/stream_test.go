package activities_test

import (
	"context"
	"io"
	"slices"
	"testing"
	"time"

	"farewell/destination"
	"farewell/migration"
	"farewell/source"
)

// shelf is a bundle that only remembers which records its parts were to hold.
type shelf struct {
	destination.Streams // what no test here asks for

	written []string
}

func (s *shelf) Open(context.Context, migration.Migration) (destination.Destination, error) {
	return s, nil
}

func (s *shelf) WaitingFor() migration.Reason { return migration.Reason{} }

func (s *shelf) WritePart(_ context.Context, _ destination.PartsInput, views []string, copy destination.CopyViews) (destination.Part, error) {
	rows, err := copy(func(string) (io.Writer, error) { return io.Discard, nil })
	return destination.Part{Rows: rows, SHA256: "of " + views[0]}, err
}

// crowd is a source with people in one range.
type crowd struct {
	*records

	ids   []string
	shelf *shelf
}

func (c crowd) IDs(context.Context, string, migration.Partition) ([]migration.Listed, error) {
	return c.listed(c.ids), nil
}

func (c crowd) listed(ids []string) (listed []migration.Listed) {
	for _, id := range ids {
		listed = append(listed, migration.Listed{ID: id})
	}
	return listed
}

func (c crowd) CopyPart(_ context.Context, q source.PartQuery, open func(view string) (io.Writer, error)) (source.PartRows, error) {
	ids := q.IDs
	if len(ids) == 0 {
		ids = c.ids
	}
	if _, err := open(q.Views[0]); err != nil {
		return source.PartRows{}, err
	}
	c.shelf.written = append(c.shelf.written, ids...)
	return source.PartRows{IDs: ids, Rows: map[string]int64{q.Views[0]: int64(len(ids))}, ReadAt: time.Now()}, nil
}

func TestPeopleWhomAPublishingBroughtAreNotWrittenAgain(t *testing.T) {
	s := newStage(t, 0, nil)
	w := s.hire()
	bundle := &shelf{}
	w.does.Source, w.does.Destinations = crowd{s.source, []string{"7", "8", "9"}, bundle}, bundle

	demand := migration.OnDemand(migration.Users)
	state, err := s.ledger.TakeOver(t.Context(), acme, demand, run)
	must(t, err)
	b := migration.Batch{ID: "brought", Entity: migration.Users, Partition: demand.ID, SourceIDs: []string{"8"}, Generation: 1, ReadAt: time.Now()}
	_, err = s.ledger.Intend(t.Context(), state.Hold, b, time.Minute)
	must(t, err)
	must(t, s.ledger.Settle(t.Context(), state.Hold, b.ID, migration.Settlement{Items: []migration.Item{{SourceID: "8", Outcome: migration.Created}}, Verdict: "decided"}))

	out, err := w.exportOf(migration.Partition{ID: "users-0001", Entity: migration.Users, Rows: 3})
	if err != nil || !out.Done {
		t.Fatalf("export: %+v, %v", out, err)
	}
	if want := []string{"7", "9"}; !slices.Equal(bundle.written, want) {
		t.Errorf("the parts hold %v, want %v: the others are in the bundle already", bundle.written, want)
	}
}
