package zendesk

import (
	"context"
	"io"
	"testing"

	"farewell/destination"
	"farewell/migration"
)

// broken is a file whose reading ends with an error.
type broken struct{ err error }

func (b broken) Read([]byte) (int, error) { return 0, b.err }
func (b broken) Close() error             { return nil }

func TestAFileThatIsNotSentTakesNothingFromThePace(t *testing.T) {
	t.Parallel()
	differs := &destination.FileError{Code: migration.FileDiffers, Text: "its reason"}
	for _, row := range []struct {
		name string
		open func() (destination.File, error)
		code string
	}{
		{"gone", func() (destination.File, error) {
			return destination.File{}, &destination.FileError{Code: migration.FileNotFound}
		}, migration.FileNotFound},
		{"larger than was said", func() (destination.File, error) {
			return destination.File{ReadCloser: broken{io.EOF}, Size: assumedUploadLimit + 1}, nil
		}, migration.FileTooLarge},
		{"empty, and should not be", func() (destination.File, error) {
			return destination.File{ReadCloser: broken{differs}}, nil
		}, migration.FileDiffers},
		{"wrong in the middle", func() (destination.File, error) {
			return destination.File{ReadCloser: broken{differs}, Size: 5}, nil
		}, migration.FileDiffers},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			a := newFileHosts(t, nil).open(t)
			ticket := migration.Ticket{ID: "1", Attachments: []migration.Attachment{{ID: "7", TicketID: "1", FileName: "a.pdf"}}}
			open := func(context.Context, migration.Attachment) (destination.File, error) { return row.open() }
			up, err := a.uploadFiles(t.Context(), open, []migration.Ticket{ticket})
			if err != nil || len(up.fates) != 1 || up.fates[0].Code != row.code {
				t.Fatalf("%+v, %v: want %s", up.fates, err, row.code)
			}
			if a.pace.inflight != 0 || a.pace.promised != 0 {
				t.Errorf("%d requests seem under way for ever, %d set aside", a.pace.inflight, a.pace.promised)
			}
		})
	}
}
