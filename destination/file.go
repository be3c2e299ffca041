package destination

import (
	"context"
	"errors"
	"io"
	"time"

	"farewell/migration"
)

// File is an attachment's bytes on their way. Closing it is its receiver's
// part. Read returns io.EOF only when size and SHA-256 are what they should
// be: until then it holds the last bytes back, so that whoever passes the file
// on never passes on all of a wrong one. Any other end of it is a *FileError.
type File struct {
	io.ReadCloser
	Size int64 // bytes; -1: not known before its end
}

// OpenFile opens an attachment where the source keeps it. Every error is a
// *FileError or the context's own. It may be called again for the same one.
type OpenFile func(ctx context.Context, a migration.Attachment) (File, error)

// PartFiles is how the files of a part's attachments are had.
type PartFiles struct {
	// List says where the attachments of tickets are, by ticket id.
	List func(ctx context.Context, ticketIDs []string) (map[string][]migration.Attachment, error)
	// Open opens one of them. Any error that is no *FileError ends the part.
	Open OpenFile
	// Decided is told what became of each file, in any order but one after the
	// other; an error ends the part.
	Decided func(migration.FileFate) error
}

// FilesUnreachable is the Code of a Temporary error: the place where the
// attachments are does not answer.
const FilesUnreachable = "files_unreachable"

// FileError says why an attachment cannot be had.
type FileError struct {
	Code string // a migration.File… constant
	Text string // for a person; holds no name, no address below the host and nothing of the file
	// Passing tells that the same call may succeed later: the place did not
	// answer, or its answer broke off.
	Passing bool
	// PlaceWell is when the place last gave a whole file; zero: never yet. A
	// file that fails while others arrive is itself at fault.
	PlaceWell time.Time
	Err       error
}

func (e *FileError) Error() string {
	s := "attachment: " + e.Code + ": " + e.Text
	if e.Err != nil {
		s += ": " + e.Err.Error()
	}
	return s
}

func (e *FileError) Unwrap() error { return e.Err }

// fileTries is how often a file is asked for before its failure counts.
const fileTries = 3

// TakeFile opens the file and hands it to take, which reads it to its end, and
// closes it. What breaks off is begun afresh, three times in all. A *FileError
// without Passing is the file's fate; with it, the place does not answer.
func TakeFile(ctx context.Context, open OpenFile, a migration.Attachment, take func(File) error) error {
	var again time.Time // of the second try
	pause := 200 * time.Millisecond
	for try := 1; ; try++ {
		if try == 2 {
			again = time.Now()
		}
		err := takeFile(ctx, open, a, take)
		var failure *FileError
		if !errors.As(err, &failure) || !failure.Passing {
			return err
		}
		if try == fileTries {
			return atFault(failure, again)
		}
		timer := time.NewTimer(pause)
		select {
		case <-timer.C:
		case <-ctx.Done():
			timer.Stop()
			return ctx.Err()
		}
		pause *= 4
	}
}

func takeFile(ctx context.Context, open OpenFile, a migration.Attachment, take func(File) error) error {
	f, err := open(ctx, a)
	if err != nil {
		return err
	}
	err = take(f)
	_ = f.Close() // only read, and what it read was verified by Read
	return err
}

// atFault decides whether the file or its place is to blame, by whether the
// place has given others while this one was tried again: what arrived while it
// was tried for the first time may have done so just before an outage.
func atFault(e *FileError, again time.Time) *FileError {
	decided := *e
	decided.Passing = e.Code != migration.FileCutShort && !e.PlaceWell.After(again)
	return &decided
}
