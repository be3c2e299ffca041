package destinationtest

import (
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"sync"
	"testing"

	"farewell/destination"
	"farewell/migration"
)

// Bundle is an empty destination for streams, opened for one test.
type Bundle struct {
	Destination destination.Streams
	Migration   migration.Migration
	// Columns are those of every view, the source id first, all of them text.
	Columns destination.Columns
}

// RunStreams runs the suite against a destination that takes streams. Each
// call of open makes an empty one, and closes it at the test's end.
func RunStreams(t *testing.T, open func(t *testing.T) Bundle) {
	for name, test := range map[string]func(*testing.T, Bundle){
		"publishes what was written":               publishesWhatWasWritten,
		"a part written again counts once":         partWrittenAgainCountsOnce,
		"a part that failed counts for nothing":    failedPartCountsForNothing,
		"a catch-up pass adds to its range":        catchUpAdds,
		"publishing again changes nothing":         publishingAgainChangesNothing,
		"a part that was never written is refused": missingPartIsRefused,
		"nothing at all can be published":          emptyBundleIsPublished,
		"parts can be written at the same time":    partsAtTheSameTime,
		"preflight finds nothing wrong":            preflightFindsNothing,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			test(t, open(t))
		})
	}
}

// ticketViews are the views of a partition of tickets.
var ticketViews = []string{"tickets", "comments", "attachments"}

func (b Bundle) part(n, pass int) destination.PartsInput {
	return destination.PartsInput{Migration: b.Migration, Pass: pass, Partition: migration.Partition{
		ID: migration.PartitionID(migration.Tickets, n), Entity: migration.Tickets, After: fmt.Sprint(n),
	}, Columns: b.Columns}
}

// copying writes tickets of these ids, with two comments each.
func (b Bundle) copying(ids ...string) destination.CopyViews {
	return func(open func(view string) (io.Writer, error)) (map[string]int64, error) {
		rows := map[string]int64{}
		for _, view := range ticketViews {
			w, err := open(view)
			if err != nil {
				return nil, err
			}
			for _, id := range ids {
				for range map[string]int{"tickets": 1, "comments": 2}[view] {
					if _, err := io.WriteString(w, b.row(view, id)); err != nil {
						return nil, err
					}
					rows[view]++
				}
			}
		}
		return rows, nil
	}
}

// row is a line of CSV whose last field holds all that CSV has to quote.
func (b Bundle) row(view, id string) string {
	columns := b.Columns[view]
	return id + strings.Repeat(",", max(len(columns)-2, 0)) + ",\"a \"\"quoted\"\"\r\nline, and more\"\n"
}

func (b Bundle) write(t *testing.T, in destination.PartsInput, ids ...string) {
	t.Helper()
	part, err := b.Destination.WritePart(within(t), in, ticketViews, b.copying(ids...))
	if err != nil {
		t.Fatalf("write %s pass %d: %v", in.Partition.ID, in.Pass, err)
	}
	want := map[string]int64{"tickets": int64(len(ids)), "comments": int64(2 * len(ids)), "attachments": 0}
	if part.Rows["tickets"] != want["tickets"] || part.Rows["comments"] != want["comments"] || part.Rows["attachments"] != 0 {
		t.Errorf("%s pass %d has rows %v, want %v", in.Partition.ID, in.Pass, part.Rows, want)
	}
}

func (b Bundle) publish(t *testing.T, parts ...destination.PartsInput) (destination.Bundle, error) {
	t.Helper()
	in := destination.PublishInput{Migration: b.Migration, AsOf: made, Columns: b.Columns}
	for _, p := range parts {
		in.Parts = append(in.Parts, destination.PartRef{Partition: p.Partition.ID, Pass: p.Pass})
	}
	return b.Destination.Publish(within(t), in)
}

// assertPublished publishes the parts and wants exactly these tickets.
func (b Bundle) assertPublished(t *testing.T, want []string, parts ...destination.PartsInput) {
	t.Helper()
	bundle, err := b.publish(t, parts...)
	if err != nil {
		t.Fatalf("publish: %v", err)
	}
	if bundle.Path == "" || bundle.Rows["tickets"] != int64(len(want)) || bundle.Rows["comments"] != int64(2*len(want)) {
		t.Errorf("published %+v, want %d tickets with 2 comments each, and where they are", bundle, len(want))
	}
	found := map[string]int{}
	err = b.Destination.Inventory(within(t), migration.Tickets, func(i migration.Item) error {
		if i.Outcome != migration.AlreadyThere {
			t.Errorf("the inventory has %+v, want already there", i)
		}
		found[i.SourceID]++
		return nil
	})
	if err != nil {
		t.Fatalf("inventory: %v", err)
	}
	ids := slices.Sorted(maps.Keys(found))
	if !slices.Equal(ids, slices.Sorted(slices.Values(want))) {
		t.Errorf("the inventory has %v, want %v", ids, want)
	}
	for id, n := range found {
		if n != 1 {
			t.Errorf("the inventory has %s %d times", id, n)
		}
	}
}

func publishesWhatWasWritten(t *testing.T, b Bundle) {
	b.write(t, b.part(1, 0), "1", "2")
	b.write(t, b.part(2, 0), "3")
	b.assertPublished(t, []string{"1", "2", "3"}, b.part(1, 0), b.part(2, 0))
}

func partWrittenAgainCountsOnce(t *testing.T, b Bundle) {
	b.write(t, b.part(1, 0), "1", "2")
	b.write(t, b.part(1, 0), "1", "2", "3")
	b.assertPublished(t, []string{"1", "2", "3"}, b.part(1, 0))
}

var errSource = errors.New("the source went away")

func failedPartCountsForNothing(t *testing.T, b Bundle) {
	failing := func(open func(view string) (io.Writer, error)) (map[string]int64, error) {
		if _, err := b.copying("1")(open); err != nil {
			return nil, err
		}
		return nil, errSource
	}
	if _, err := b.Destination.WritePart(within(t), b.part(1, 0), ticketViews, failing); !errors.Is(err, errSource) {
		t.Errorf("error %v, want the copy's", err)
	}
	if bundle, err := b.publish(t, b.part(1, 0)); err == nil {
		t.Errorf("a part that failed was published: %+v", bundle)
	}
	b.write(t, b.part(1, 0), "1", "2")
	b.assertPublished(t, []string{"1", "2"}, b.part(1, 0))
}

func catchUpAdds(t *testing.T, b Bundle) {
	b.write(t, b.part(1, 0), "1")
	late := b.part(1, 1)
	late.IDs = []string{"2"}
	b.write(t, late, "2")
	b.assertPublished(t, []string{"1", "2"}, b.part(1, 0), late)
}

func publishingAgainChangesNothing(t *testing.T, b Bundle) {
	b.write(t, b.part(1, 0), "1")
	b.assertPublished(t, []string{"1"}, b.part(1, 0))
	b.assertPublished(t, []string{"1"}, b.part(1, 0))
}

func missingPartIsRefused(t *testing.T, b Bundle) {
	b.write(t, b.part(1, 0), "1")
	if bundle, err := b.publish(t, b.part(1, 0), b.part(2, 0)); err == nil {
		t.Errorf("a bundle lacks a part and was published: %+v", bundle)
	}
}

func emptyBundleIsPublished(t *testing.T, b Bundle) {
	b.write(t, b.part(1, 0))
	b.assertPublished(t, nil, b.part(1, 0))
}

func partsAtTheSameTime(t *testing.T, b Bundle) {
	const parts = 8
	var inputs []destination.PartsInput
	var ids []string
	var wait sync.WaitGroup
	for n := range parts {
		in, id := b.part(n+1, 0), fmt.Sprint(n)
		inputs, ids = append(inputs, in), append(ids, id)
		wait.Go(func() {
			if _, err := b.Destination.WritePart(within(t), in, ticketViews, b.copying(id)); err != nil {
				t.Errorf("write %s: %v", in.Partition.ID, err)
			}
		})
	}
	wait.Wait()
	b.assertPublished(t, ids, inputs...)
}

func preflightFindsNothing(t *testing.T, b Bundle) {
	checks, err := b.Destination.Preflight(within(t), destination.PreflightInput{Migration: b.Migration, LedgerEmpty: true})
	if err != nil {
		t.Fatalf("preflight: %v", err)
	}
	for _, c := range checks {
		if c.Fatal && !c.OK {
			t.Errorf("check %+v", c)
		}
	}
	if r := b.Destination.WaitingFor(); r.Code != "" {
		t.Errorf("nobody waits, but the reason is %+v", r)
	}
}
