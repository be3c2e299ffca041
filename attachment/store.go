package attachment

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"sync"
	"time"

	"gocloud.dev/blob"

	"farewell/destination"
	"farewell/migration"
	"farewell/source"
)

// mostOpen is how many files of a process are open at a time, over all
// accounts: each takes a connection to the source's side and some 100 KB, one
// in the database up to three slices.
const mostOpen = 32

// Stored reads the bytes that the source keeps in its own database.
type Stored interface {
	StatFile(ctx context.Context, customer string, a migration.Attachment) (f source.StoredFile, there bool, err error)
	ReadFile(ctx context.Context, customer string, a migration.Attachment, offset int64, n int) ([]byte, error)
}

// Options say from where files may be fetched.
type Options struct {
	// Origins are those whose URLs are followed: "https://files.example.com",
	// with a port where it is not the scheme's own.
	Origins []string
	// Bucket holds the objects that the source names by key, as gocloud.dev
	// spells it: "s3://name?region=eu-central-1" or "file:///folder". Empty: none.
	Bucket  string
	Stored  Stored
	Timings migration.Timings
}

// Store opens attachments. It is safe for concurrent use.
type Store struct {
	origins map[string]bool
	bucket  *blob.Bucket // nil: none is configured
	stored  Stored
	http    *http.Client
	still   time.Duration
	room    chan struct{}

	mu   sync.Mutex
	well map[string]time.Time // place → when it last gave a whole file
}

// Open makes a store ready. It connects to nothing yet. Close must be called.
func Open(ctx context.Context, o Options) (*Store, error) {
	s := &Store{
		origins: map[string]bool{},
		stored:  o.Stored,
		still:   o.Timings.FileStill,
		room:    make(chan struct{}, mostOpen),
		well:    map[string]time.Time{},
	}
	for _, text := range o.Origins {
		origin, err := parseOrigin(text)
		if err != nil {
			return nil, fmt.Errorf("open the places of attachments: %w", err)
		}
		s.origins[origin] = true
	}
	if o.Bucket != "" {
		var err error
		if s.bucket, err = openBucket(ctx, o.Bucket); err != nil {
			return nil, fmt.Errorf("open the bucket of attachments: %w", err)
		}
	}
	s.http = s.newClient()
	return s, nil
}

// Close lets go of the connections that are kept.
func (s *Store) Close() error {
	s.http.CloseIdleConnections()
	if s.bucket == nil {
		return nil
	}
	return s.bucket.Close()
}

// Reaches tells whether the configuration allows to fetch from a place.
func (s *Store) Reaches(p migration.FilePlace) bool {
	switch p.Kind {
	case migration.FileStored:
		return true
	case migration.FileInBucket:
		return s.bucket != nil
	case migration.FileAtURL:
		origin, err := parseOrigin(p.Origin)
		return err == nil && s.origins[origin]
	}
	return false
}

// Open opens a customer's attachment; see destination.OpenFile. It waits for
// its turn when many files are open.
func (s *Store) Open(ctx context.Context, customer string, a migration.Attachment) (destination.File, error) {
	select {
	case s.room <- struct{}{}:
	case <-ctx.Done():
		return destination.File{}, ctx.Err()
	}
	f, err := s.open(ctx, customer, a)
	if err != nil {
		<-s.room
		return destination.File{}, err
	}
	return destination.File{ReadCloser: f, Size: f.size}, nil
}

func (s *Store) open(ctx context.Context, customer string, a migration.Attachment) (*file, error) {
	ctx, cancel := context.WithCancelCause(ctx)
	o := opened{place: string(a.Kind()), size: -1}
	var err error
	alive := time.AfterFunc(s.still, func() { cancel(errStill) })
	switch a.Kind() {
	case migration.FileStored:
		err = s.openStored(ctx, customer, a, &o)
	case migration.FileInBucket:
		err = s.openObject(ctx, a, &o)
	case migration.FileAtURL:
		err = s.openURL(ctx, a, &o)
	default:
		err = &destination.FileError{Code: migration.FilePlaceUnknown, Text: "the source does not say where it is"}
	}
	alive.Stop()
	if err == nil {
		err = o.measure(a)
	}
	if err != nil {
		if o.from != nil {
			_ = o.from.Close() // only read
		}
		cause := context.Cause(ctx)
		cancel(nil)
		return nil, s.described(err, cause, o.place)
	}
	return newFile(ctx, s, cancel, o), nil
}

// opened is what a place has given.
type opened struct {
	place  string // what is well or not: an origin, the bucket, the database
	from   io.ReadCloser
	size   int64  // as the place says; -1: it does not
	framed bool   // the end of the stream is told from a stream that broke off
	sha256 string // as it should be; empty: nobody says
}

// measure compares what the place says with what the source says, before a byte
// is passed on.
func (o *opened) measure(a migration.Attachment) error {
	if o.sha256 == "" {
		o.sha256 = a.SHA256
	}
	switch {
	case a.Size > 0 && o.size >= 0 && o.size < a.Size:
		return &destination.FileError{Code: migration.FileCutShort, Text: fmt.Sprintf("there are %d of its %d bytes", o.size, a.Size)}
	case a.Size > 0 && o.size > a.Size:
		return &destination.FileError{Code: migration.FileDiffers, Text: fmt.Sprintf("there are %d bytes, the source says %d", o.size, a.Size)}
	case o.size < 0 && a.Size > 0:
		o.size = a.Size
	case o.size < 0 && !o.framed && o.sha256 == "":
		return &destination.FileError{Code: migration.FileUnmeasured, Text: "nobody says how long it is: show its size or its SHA-256 in the view"}
	}
	return nil
}

// errStill ends a transfer that moves nothing.
var errStill = errors.New("the transfer stood still")

// described makes every error a *destination.FileError, or the caller's own
// cancellation.
func (s *Store) described(err, cause error, place string) error {
	var failure *destination.FileError
	if errors.As(err, &failure) {
		copied := *failure
		copied.PlaceWell = s.lastWell(place)
		return &copied
	}
	if cause != nil && !errors.Is(cause, errStill) {
		return cause
	}
	if errors.Is(cause, errStill) {
		err = errStill
	}
	return &destination.FileError{Code: migration.FileUnavailable, Text: "the place where it is does not answer", Passing: true, PlaceWell: s.lastWell(place), Err: err}
}

func (s *Store) lastWell(place string) time.Time {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.well[place]
}

func (s *Store) noteWell(place string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.well[place] = time.Now()
}
