package attachment

import (
	"context"
	"errors"
	"io"
	"strings"

	"farewell/destination"
	"farewell/migration"
	"farewell/source"
)

// sliceBytes is how much of a file is read from the database at a time: large
// enough that 50 MB take 100 queries, small enough that many files at a time
// stay small.
const sliceBytes = 512 << 10

// openStored measures the file in the database first: slices are read by
// queries of their own, and a file that changes in between must not pass.
func (s *Store) openStored(ctx context.Context, customer string, a migration.Attachment, o *opened) error {
	f, there, err := s.stored.StatFile(ctx, customer, a)
	if err != nil {
		return ofSource(err)
	}
	if !there {
		return &destination.FileError{Code: migration.FileNotFound, Text: "the source does not have it any more"}
	}
	if a.SHA256 != "" && !strings.EqualFold(a.SHA256, f.SHA256) && (a.Size <= 0 || a.Size == f.Size) {
		return &destination.FileError{Code: migration.FileDiffers, Text: "its SHA-256 is not what the source says"}
	}
	o.size, o.sha256, o.framed = f.Size, f.SHA256, true
	o.from = &sliced{ctx: ctx, size: f.Size, read: func(offset int64) ([]byte, error) {
		return s.stored.ReadFile(ctx, customer, a, offset, sliceBytes)
	}}
	return nil
}

// ofSource keeps what the source has found for good apart from what may pass.
func ofSource(err error) error {
	if source.Permanent(err) {
		return &destination.FileError{Code: migration.FileUnavailable, Text: "the source does not give it", Err: err}
	}
	return err
}

// sliced reads a file slice by slice.
type sliced struct {
	ctx    context.Context //nolint:containedctx // io.Reader has no other way to be ended
	read   func(offset int64) ([]byte, error)
	size   int64
	offset int64
	slice  []byte
}

func (r *sliced) Read(p []byte) (int, error) {
	if len(r.slice) == 0 {
		if r.offset >= r.size {
			return 0, io.EOF
		}
		slice, err := r.read(r.offset)
		if err != nil {
			return 0, errors.Join(err, r.ctx.Err())
		}
		if len(slice) == 0 {
			return 0, io.EOF // it has become shorter, as the count will show
		}
		r.slice, r.offset = slice, r.offset+int64(len(slice))
	}
	n := copy(p, r.slice)
	r.slice = r.slice[n:]
	return n, nil
}

func (r *sliced) Close() error { return nil }
