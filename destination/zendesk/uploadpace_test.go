package zendesk

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"

	"farewell/destination"
	"farewell/migration"
)

func TestAFileOfWhichTheAccountHasOtherBytesIsUploadedAgain(t *testing.T) {
	t.Parallel()
	var uploads atomic.Int64
	account := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		w.Header().Set("X-Request-Id", "1")
		n := uploads.Add(1)
		w.WriteHeader(http.StatusCreated)
		fmt.Fprintf(w, `{"upload": {"token": "t%d", "attachment": {"id": %d, "size": %d}}}`, n, n, 3+n)
	}))
	t.Cleanup(account.Close)
	h := fileHosts{account: account}
	a := h.open(t)
	a.uploadLimit.bytes = 10
	ticket := migration.Ticket{ID: "1", Attachments: []migration.Attachment{{ID: "7", TicketID: "1", FileName: "a.pdf"}}}
	up, err := a.uploadFiles(t.Context(), func(context.Context, migration.Attachment) (destination.File, error) {
		return destination.File{ReadCloser: io.NopCloser(strings.NewReader("12345")), Size: 5}, nil
	}, []migration.Ticket{ticket})
	if err != nil || up.tokens["7"] != "t2" || up.fates[0].TargetID != "2" || uploads.Load() != 2 {
		t.Errorf("%+v, %v after %d uploads: want the second", up, err, uploads.Load())
	}
}

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
			return destination.File{ReadCloser: broken{io.EOF}, Size: 11}, nil
		}, migration.FileTooLarge},
		{"empty, and should not be", func() (destination.File, error) {
			return destination.File{ReadCloser: broken{differs}}, nil
		}, migration.FileDiffers},
		{"larger than nobody said", func() (destination.File, error) {
			return destination.File{ReadCloser: io.NopCloser(strings.NewReader("eleven byte")), Size: -1}, nil
		}, migration.FileTooLarge},
		{"wrong in the middle", func() (destination.File, error) {
			return destination.File{ReadCloser: broken{differs}, Size: 5}, nil
		}, migration.FileDiffers},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			a := newFileHosts(t, nil).open(t)
			a.uploadLimit.bytes = 10
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
