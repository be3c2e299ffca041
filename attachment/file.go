package attachment

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"io"
	"strings"
	"sync"
	"time"

	"farewell/destination"
	"farewell/migration"
)

// chunk is how much of a file is held back.
const chunk = 32 << 10

// file is a destination.File: it passes on what it reads one chunk later, so
// that the last one stays here until the whole is known to be right.
type file struct {
	opened
	store  *Store
	ctx    context.Context //nolint:containedctx // io.Reader has no other way to be ended
	cancel context.CancelCauseFunc
	close  sync.Once

	hash  hash.Hash
	read  int64
	ready []byte // may be passed on
	held  []byte // the chunk after it
	spare []byte
	err   error // after ready: the end
}

func newFile(ctx context.Context, s *Store, cancel context.CancelCauseFunc, o opened) *file {
	return &file{opened: o, store: s, ctx: ctx, cancel: cancel, hash: sha256.New(), spare: make([]byte, chunk), held: make([]byte, 0, chunk)}
}

// Read implements io.Reader, as destination.File promises.
func (f *file) Read(p []byte) (int, error) {
	for len(f.ready) == 0 {
		if f.err != nil {
			return 0, f.err
		}
		f.advance()
	}
	n := copy(p, f.ready)
	f.ready = f.ready[n:]
	return n, nil
}

// advance reads the next chunk and frees the one before it, or decides how the
// file ends. The chunk that was ready has been passed on.
func (f *file) advance() {
	n, err := f.fill()
	next := f.spare[:n]
	f.read += int64(n)
	f.hash.Write(next)
	switch {
	case f.size >= 0 && f.read > f.size:
		f.err = f.wrong(migration.FileDiffers, fmt.Sprintf("there are more than its %d bytes", f.size))
		return
	case err == nil:
		f.ready, f.held, f.spare = f.held, next, f.held[:cap(f.held)]
		return
	case !errors.Is(err, io.EOF):
		f.err = f.brokenOff(err)
		return
	}
	if f.err = f.verify(); f.err == nil {
		f.store.noteWell(f.place)
		f.ready, f.err = append(append(make([]byte, 0, len(f.held)+n), f.held...), next...), io.EOF
	}
}

// fill fills the spare chunk; the error io.EOF may come with its last bytes.
func (f *file) fill() (n int, err error) {
	alive := time.AfterFunc(f.store.still, func() { f.cancel(errStill) })
	defer alive.Stop()
	for n < chunk && err == nil {
		var m int
		m, err = f.from.Read(f.spare[n:chunk])
		n += m
		if m > 0 {
			alive.Reset(f.store.still)
		}
	}
	return n, err
}

func (f *file) verify() error {
	if f.size >= 0 && f.read < f.size {
		return f.wrong(migration.FileCutShort, fmt.Sprintf("there are %d of its %d bytes", f.read, f.size))
	}
	if sum := hex.EncodeToString(f.hash.Sum(nil)); f.sha256 != "" && !strings.EqualFold(sum, f.sha256) {
		return f.wrong(migration.FileDiffers, "its SHA-256 is not what the source says")
	}
	return nil
}

func (f *file) wrong(code, text string) error {
	return f.store.described(&destination.FileError{Code: code, Text: text}, nil, f.place)
}

// brokenOff is the end of a stream that may be whole the next time.
func (f *file) brokenOff(err error) error {
	cause := context.Cause(f.ctx)
	if cause != nil && !errors.Is(cause, errStill) {
		return cause // whoever opened it does not want it any more
	}
	if cause != nil {
		err = errStill
	}
	text := fmt.Sprintf("its transfer broke off after %d bytes", f.read)
	return f.store.described(&destination.FileError{Code: migration.FileCutShort, Text: text, Passing: true, Err: err}, nil, f.place)
}

// Close may be called more than once.
func (f *file) Close() error {
	f.close.Do(func() {
		f.cancel(nil)
		_ = f.from.Close() // only read
		<-f.store.room
	})
	return nil
}
