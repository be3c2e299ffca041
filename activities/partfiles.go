package activities

import (
	"context"
	"errors"
	"fmt"
	"math"
	"time"

	"farewell/destination"
	"farewell/migration"
)

// partFiles is how the files of a part's attachments are had; nil: it has none,
// or the source shows no place where they are.
func (a *Activities) partFiles(ctx context.Context, in migration.ExportInput, pulse *pulse) (*destination.PartFiles, error) {
	if in.Partition.Entity != migration.Tickets {
		return nil, nil
	}
	shows, err := a.Source.ShowsFiles(ctx)
	if err != nil {
		return nil, fmt.Errorf("ask where attachments are: %w", err)
	}
	if !shows {
		return nil, nil
	}
	var failures tally
	return &destination.PartFiles{
		List: func(ctx context.Context, ticketIDs []string) (map[string][]migration.Attachment, error) {
			pulse.progress(0)
			return a.Source.Attachments(ctx, in.Migration.Customer, ticketIDs)
		},
		Open: func(ctx context.Context, file migration.Attachment) (destination.File, error) {
			if word := a.Controls.Control(in.Migration, in.Run); word == migration.ControlPause || word == migration.ControlCancel {
				return destination.File{}, stopped{word}
			}
			f, err := a.Files.Open(ctx, in.Migration.Customer, file)
			if err == nil {
				f.ReadCloser = beatingFile{f.ReadCloser, pulse}
			}
			return f, err
		},
		Decided: func(f migration.FileFate) error {
			pulse.progress(0)
			limit := migration.Tolerance{Percent: 100, Consecutive: in.Tolerance.Consecutive}
			reason, tooMany := failures.add([]migration.Item{f.Item(migration.Created)}, limit, math.MaxInt32)
			if tooMany && !in.Tolerated {
				return tooManyFiles{reason}
			}
			return nil
		},
	}, nil
}

// stopped ends a part since an operator said so.
type stopped struct{ word migration.Control }

func (s stopped) Error() string { return "stopped by " + string(s.word) }

// tooManyFiles ends a part whose files fail one after the other.
type tooManyFiles struct{ reason string }

func (t tooManyFiles) Error() string { return t.reason }

// interrupted turns what ends a part for now into an outcome; any other error
// is returned. Files that were fetched stay, and are not fetched again.
func interrupted(in migration.ExportInput, err error) (migration.ExportOutcome, error) {
	var stop stopped
	var many tooManyFiles
	var d *destination.Error
	switch {
	case errors.As(err, &stop):
		return migration.ExportOutcome{Stopped: stop.word}, nil
	case errors.As(err, &many):
		return migration.ExportOutcome{Parked: &migration.Parked{
			Partition: in.Partition.ID,
			Code:      "too_many_file_failures",
			Text:      "of the attachments, " + many.reason,
			Fix:       "mend the cause and retry: the files are asked for again; or retry without, to go on without them",
			Since:     time.Now(),
		}}, nil
	case errors.As(err, &d) && d.Code == destination.FilesUnreachable:
		now := time.Now()
		return migration.ExportOutcome{Waiting: &migration.Reason{
			Code: d.Code, Text: d.Op + " must wait", Since: now, Until: now.Add(in.Timings.LaneWait),
		}}, nil
	}
	return migration.ExportOutcome{}, err
}

// itemsOf are the outcomes of the files of a part that is on disk.
func itemsOf(fates []migration.FileFate) []migration.Item {
	items := make([]migration.Item, len(fates))
	for i, f := range fates {
		items[i] = f.Item(migration.Created)
	}
	return items
}
