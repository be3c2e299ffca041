package destination_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"farewell/destination"
	"farewell/migration"
)

// A file that does not come is itself at fault only if its place gave others
// while it was tried again: one that arrived a moment before an outage says
// nothing.
func TestAFileIsBlamedOnlyWhenItsPlaceGivesOthersMeanwhile(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		name    string
		well    func(first, now time.Time) time.Time // when the place last gave a file, at the last try
		passing bool
	}{
		{"others arrived before", func(first, _ time.Time) time.Time { return first.Add(-time.Second) }, true},
		{"others arrived with the first try", func(first, _ time.Time) time.Time { return first.Add(time.Millisecond) }, true},
		{"others arrive", func(_, now time.Time) time.Time { return now }, false},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			var first time.Time
			err := destination.TakeFile(t.Context(), func(context.Context, migration.Attachment) (destination.File, error) {
				if first.IsZero() {
					first = time.Now()
				}
				return destination.File{}, &destination.FileError{Code: migration.FileUnavailable, Passing: true, PlaceWell: row.well(first, time.Now())}
			}, migration.Attachment{}, nil)
			var failure *destination.FileError
			if !errors.As(err, &failure) || failure.Passing != row.passing {
				t.Errorf("%+v, want passing %t", failure, row.passing)
			}
		})
	}
}
