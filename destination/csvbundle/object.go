package csvbundle

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"time"

	"gocloud.dev/blob"
	"gocloud.dev/gcerrors"
)

// shortCall bounds what moves no more than a description or a list.
const shortCall = time.Minute

// found turns the store's "not found" into the file system's.
func found(err error) error {
	if gcerrors.Code(err) == gcerrors.NotFound {
		return fmt.Errorf("%w: %w", fs.ErrNotExist, err)
	}
	return err
}

// list lists the keys that begin so, in order.
func (b *bucket) list(ctx context.Context, prefix string) ([]string, error) {
	opened, err := b.bucket(ctx)
	if err != nil {
		return nil, err
	}
	var keys []string
	objects := opened.List(&blob.ListOptions{Prefix: prefix})
	for {
		o, err := objects.Next(ctx)
		if errors.Is(err, io.EOF) {
			return keys, nil
		}
		if err != nil {
			return nil, err
		}
		keys = append(keys, o.Key)
	}
}

func (b *bucket) read(ctx context.Context, key string) ([]byte, error) {
	ctx, cancel := context.WithTimeout(ctx, shortCall)
	defer cancel()
	opened, err := b.bucket(ctx)
	if err != nil {
		return nil, err
	}
	content, err := opened.ReadAll(ctx, key)
	return content, found(err)
}

func (b *bucket) write(ctx context.Context, key string, content []byte) error {
	ctx, cancel := context.WithTimeout(ctx, shortCall)
	defer cancel()
	opened, err := b.bucket(ctx)
	if err != nil {
		return err
	}
	return opened.WriteAll(ctx, key, content, nil)
}

// remove deletes objects; one that is gone already is no failure.
func (b *bucket) remove(ctx context.Context, keys ...string) error {
	opened, err := b.bucket(ctx)
	if err != nil {
		return err
	}
	for _, key := range keys {
		if err := opened.Delete(ctx, key); err != nil && gcerrors.Code(err) != gcerrors.NotFound {
			return err
		}
	}
	return nil
}

func (b *bucket) removeAll(ctx context.Context, prefix string) error {
	keys, err := b.list(ctx, prefix)
	if err != nil {
		return err
	}
	return b.remove(ctx, keys...)
}

// objectSink is an object that appears when it is finished: a multipart upload,
// once it is larger than one part.
type objectSink struct {
	*blob.Writer
	cancel context.CancelFunc
}

func (b *bucket) create(ctx context.Context, key string) (sink, error) {
	return b.createWith(ctx, key, nil)
}

func (b *bucket) createWith(ctx context.Context, key string, o *blob.WriterOptions) (sink, error) {
	opened, err := b.bucket(ctx)
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithCancel(ctx)
	w, err := opened.NewWriter(ctx, key, o)
	if err != nil {
		cancel()
		return nil, err
	}
	return objectSink{w, cancel}, nil
}

func (s objectSink) finish() error {
	defer s.cancel()
	return s.Close()
}

func (s objectSink) abandon() {
	s.cancel()
	_ = s.Close() // it fails, since it was cancelled, and takes back what was sent
}

// isThere asks for one object: a bundle with many attachments has many.
func (b *bucket) isThere(ctx context.Context, key string) (bool, error) {
	opened, err := b.bucket(ctx)
	if err != nil {
		return false, err
	}
	return opened.Exists(ctx, key)
}

// objectReader reads an object in any order, as zip files are.
type objectReader struct {
	ctx    context.Context
	bucket *blob.Bucket
	key    string
}

func (r *objectReader) ReadAt(p []byte, offset int64) (int, error) {
	from, err := r.bucket.NewRangeReader(r.ctx, r.key, offset, int64(len(p)), nil)
	if err != nil {
		return 0, err
	}
	defer func() { _ = from.Close() }() // only read
	n, err := io.ReadFull(from, p)
	if errors.Is(err, io.ErrUnexpectedEOF) {
		err = io.EOF
	}
	return n, err
}
