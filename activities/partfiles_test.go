package activities_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"time"

	"farewell/destination"
	"farewell/migration"
)

// album is a bundle that asks for the files of its tickets, one after the other.
type album struct{ shelf }

func (a *album) Open(context.Context, migration.Migration) (destination.Destination, error) {
	return a, nil
}

func (a *album) WritePart(ctx context.Context, in destination.PartsInput, views []string, copy destination.CopyViews) (destination.Part, error) {
	part, err := a.shelf.WritePart(ctx, in, views, copy)
	if err != nil {
		return part, err
	}
	found, err := in.Files.List(ctx, a.written)
	if err != nil {
		return part, err
	}
	for _, ticket := range a.written {
		for _, file := range found[ticket] {
			fate, err := a.take(ctx, in.Files, file)
			if err == nil {
				err = in.Files.Decided(fate)
			}
			if err != nil {
				return part, err
			}
			part.Files = append(part.Files, fate)
		}
	}
	return part, nil
}

func (a *album) take(ctx context.Context, files *destination.PartFiles, file migration.Attachment) (migration.FileFate, error) {
	fate := migration.FileFate{ID: file.ID, TicketID: file.TicketID}
	err := destination.TakeFile(ctx, files.Open, file, func(f destination.File) error {
		_, err := io.Copy(io.Discard, f)
		return err
	})
	var failed *destination.FileError
	switch {
	case errors.As(err, &failed) && failed.Passing:
		return fate, &destination.Error{Op: "fetch attachments", Kind: destination.Temporary, Code: destination.FilesUnreachable, Err: err}
	case failed != nil:
		fate.Code, fate.Text, err = failed.Code, failed.Text, nil
	}
	return fate, err
}

// illustrated is a source whose every ticket has one file, with the ticket's id.
type illustrated struct{ crowd }

func (illustrated) ShowsFiles(context.Context) (bool, error) { return true, nil }

func (illustrated) Attachments(_ context.Context, _ string, ticketIDs []string) (map[string][]migration.Attachment, error) {
	found := map[string][]migration.Attachment{}
	for _, id := range ticketIDs {
		found[id] = []migration.Attachment{{ID: id, TicketID: id, URL: "https://files.example.com/" + id}}
	}
	return found, nil
}

// fileServer fails for those whose id begins so.
type fileServer struct {
	fails string
	with  *destination.FileError
	asked func()
}

func (fileServer) Reaches(migration.FilePlace) bool { return true }

func (f fileServer) Open(_ context.Context, _ string, a migration.Attachment) (destination.File, error) {
	if f.asked != nil {
		f.asked()
	}
	if f.with != nil && strings.HasPrefix(a.ID, f.fails) {
		return destination.File{}, f.with
	}
	return destination.File{ReadCloser: io.NopCloser(strings.NewReader("content")), Size: 7}, nil
}

// bundling is a worker that brings tickets with these ids into a bundle.
func (s *stage) bundling(files fileServer, ids ...string) *worker {
	w := s.hire()
	bundle := &album{}
	w.does.Source, w.does.Destinations, w.does.Files = illustrated{crowd{s.source, ids, &bundle.shelf}}, bundle, files
	return w
}

// exportTolerating exports with a given tolerance.
func (w *worker) exportTolerating(inRow int, tolerated bool) (migration.ExportOutcome, error) {
	return w.exportAs(migration.ExportInput{Partition: everything, Tolerance: migration.Tolerance{Percent: 1, Consecutive: inRow}, Tolerated: tolerated})
}

func (s *stage) wantFileCounts(want migration.Counts) {
	s.t.Helper()
	for name, add := range map[string]func(context.Context, migration.Migration, string) (migration.EntityCounts, error){"kept": s.ledger.Counts, "added up": s.ledger.ExactCounts} {
		counts, err := add(s.t.Context(), acme, run)
		must(s.t, err)
		if counts[migration.Attachments] != want {
			s.t.Errorf("attachments, %s: %+v, want %+v", name, counts[migration.Attachments], want)
		}
	}
}

func TestFilesOfAPartAreCountedWithItsTickets(t *testing.T) {
	s := newStage(t, 0, nil)
	cut := &destination.FileError{Code: migration.FileCutShort, Text: "half of it"}
	out, err := s.bundling(fileServer{fails: "12", with: cut}, "11", "12", "13").exportTolerating(20, false)
	if err != nil || !out.Done {
		t.Fatalf("%+v, %v", out, err)
	}
	s.wantFileCounts(migration.Counts{Read: 3, Created: 2, Failed: 1})
	var listed []string
	must(t, s.ledger.Failures(t.Context(), acme, func(f migration.Failure) error {
		listed = append(listed, fmt.Sprint(f.Entity, " ", f.SourceID, " ", f.Outcome, " ", f.Code))
		return nil
	}))
	if len(listed) != 1 || listed[0] != "attachments 12 failed file_cut_short" {
		t.Errorf("listed are %q", listed)
	}
}

func TestFilesOfAPartThatWasNotSettledAreCountedByTheNextAttempt(t *testing.T) {
	s := newStage(t, 0, nil)
	state, err := s.ledger.TakeOver(t.Context(), acme, everything, run)
	must(t, err)
	b := migration.Batch{ID: "part", Entity: migration.Tickets, Partition: everything.ID, SourceIDs: []string{"11", "12"}, InOrder: true, ReadAt: time.Now(), Files: []migration.FileFate{
		{ID: "11", TicketID: "11"}, {ID: "12", TicketID: "12", Code: migration.FileOriginNotAllowed, Text: "not named"},
	}}
	_, err = s.ledger.Intend(t.Context(), state.Hold, b, time.Minute)
	must(t, err)
	out, err := s.bundling(fileServer{}, "11", "12").exportTolerating(20, false)
	if err != nil || !out.Done {
		t.Fatalf("%+v, %v", out, err)
	}
	s.wantFileCounts(migration.Counts{Read: 2, Created: 1, Skipped: 1})
}

func TestFilesThatFailInARowParkAPartUntilAnOperatorGoesOnWithoutThem(t *testing.T) {
	s := newStage(t, 0, nil)
	gone := &destination.FileError{Code: migration.FileNotFound, Text: "not there"}
	hire := func() *worker { return s.bundling(fileServer{fails: "1", with: gone}, "11", "12", "13", "14") }
	out, err := hire().exportTolerating(3, false)
	if err != nil || out.Parked == nil || out.Parked.Code != "too_many_file_failures" || out.Parked.Fix == "" {
		t.Fatalf("%+v, %v", out, err)
	}
	s.wantFileCounts(migration.Counts{})
	if out, err = hire().exportTolerating(3, true); err != nil || !out.Done {
		t.Fatalf("%+v, %v", out, err)
	}
	s.wantFileCounts(migration.Counts{Read: 4, Failed: 4})
}

func TestAPartWaitsForThePlaceOfItsFiles(t *testing.T) {
	s := newStage(t, 0, nil)
	silent := &destination.FileError{Code: migration.FileUnavailable, Text: "no answer", Passing: true}
	out, err := s.bundling(fileServer{fails: "12", with: silent}, "11", "12").exportTolerating(20, false)
	if err != nil || out.Waiting == nil || out.Waiting.Code != destination.FilesUnreachable || !out.Waiting.Until.After(time.Now()) {
		t.Fatalf("%+v, %v", out, err)
	}
	s.wantFileCounts(migration.Counts{})
}

func TestPauseAndCancelEndAPartWhileItsFilesAreFetched(t *testing.T) {
	for _, word := range []migration.Control{migration.ControlPause, migration.ControlCancel} {
		t.Run(string(word), func(t *testing.T) {
			s := newStage(t, 0, nil)
			said := &operator{}
			w := s.bundling(fileServer{asked: func() { said.say(word) }}, "11", "12")
			w.does.Controls = said
			out, err := w.exportTolerating(20, false)
			if err != nil || out.Stopped != word {
				t.Fatalf("%+v, %v", out, err)
			}
			s.wantFileCounts(migration.Counts{})
			w = s.bundling(fileServer{}, "11", "12")
			if out, err = w.exportTolerating(20, false); err != nil || !out.Done {
				t.Fatalf("%+v, %v", out, err)
			}
			s.wantFileCounts(migration.Counts{Read: 2, Created: 2})
		})
	}
}
