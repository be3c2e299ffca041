package csvbundle

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"path"
	"strings"
	"sync"

	"gocloud.dev/blob"
	"gocloud.dev/blob/s3blob"

	"farewell/destination"
)

// bucket is a vault in an object store that speaks S3. An object appears whole
// or not at all, but nothing swaps many of them at once: a bundle is taken away
// by its manifest, and complete again with the new one's, the last object to be
// written. In between there is no bundle, never a wrong one.
type bucket struct {
	url     string // of the bucket, with what it takes to reach it
	prefix  string // "" or "a/b/"
	account string
	zip     bool

	mu   sync.Mutex
	open *blob.Bucket

	publishing sync.Mutex
}

// bucket connects once. Credentials are those that AWS's own SDK finds.
func (b *bucket) bucket(ctx context.Context) (*blob.Bucket, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.open != nil {
		return b.open, nil
	}
	opened, err := b.connect(ctx)
	if err == nil {
		b.open = opened
	}
	return opened, err
}

func (b *bucket) connect(ctx context.Context) (*blob.Bucket, error) {
	u, err := url.Parse(b.url)
	if err != nil {
		return nil, err
	}
	return new(s3blob.URLOpener).OpenBucketURL(ctx, u)
}

func (b *bucket) close() error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.open == nil {
		return nil
	}
	return b.open.Close()
}

func (b *bucket) where() string {
	u, err := url.Parse(b.url)
	if err != nil {
		return b.bundleKey() // Open has parsed it before
	}
	return "s3://" + u.Host + "/" + strings.TrimSuffix(b.bundleKey(), "/")
}

func (b *bucket) staging() string { return path.Dir(b.where()) + "/." + b.account + ".parts" }

// bundleKey is the zip file's key, or what those of the bundle's files begin with.
func (b *bucket) bundleKey() string {
	if b.zip {
		return b.prefix + b.account + ".zip"
	}
	return b.prefix + b.account + "/"
}

func (b *bucket) partsKey(name string) string { return b.prefix + "." + b.account + ".parts/" + name }

// publishingKey marks that objects under bundleKey are of a publishing of ours.
func (b *bucket) publishingKey() string { return b.prefix + "." + b.account + ".publishing" }

func (b *bucket) check(ctx context.Context) ([]destination.Check, bool, error) {
	c := destination.Check{Name: "bundle bucket", Fatal: true, OK: true, Text: b.where() + " can be reached"}
	opened, err := b.bucket(ctx)
	if err == nil {
		_, err = opened.IsAccessible(ctx)
	}
	if err == nil {
		_, err = b.list(ctx, b.bundleKey())
	}
	if err != nil {
		c.OK, c.Text = false, fmt.Sprintf("%s cannot be reached: %v", b.where(), err)
		c.Fix = "check the column url of the accounts file (s3://bucket/prefix?region=…&endpoint=…) and the worker's AWS credentials"
	}
	return []destination.Check{c}, c.OK, nil
}

func (b *bucket) published(ctx context.Context) (bag, error) {
	if b.zip {
		return b.publishedZip(ctx)
	}
	complete, err := b.isThere(ctx, b.bundleKey()+manifestName)
	if err != nil {
		return nil, err
	}
	if !complete {
		keys, err := b.list(ctx, b.bundleKey())
		if err != nil {
			return nil, err
		}
		if len(keys) == 0 {
			return nil, fs.ErrNotExist
		}
		_, err = b.read(ctx, b.publishingKey())
		if errors.Is(err, fs.ErrNotExist) {
			return nil, errForeign
		}
		if err != nil {
			return nil, err
		}
		return nil, fs.ErrNotExist // a publishing that was cut short
	}
	opened, err := b.connect(ctx)
	if err != nil {
		return nil, err
	}
	opened = blob.PrefixedBucket(opened, b.bundleKey())
	opened.SetIOFSCallback(func() (context.Context, *blob.ReaderOptions) { return ctx, nil })
	return opened, nil
}

func (b *bucket) publishedZip(ctx context.Context) (bag, error) {
	opened, err := b.bucket(ctx)
	if err != nil {
		return nil, err
	}
	about, err := opened.Attributes(ctx, b.bundleKey())
	if err != nil {
		return nil, found(err)
	}
	return openZipAt(&objectReader{ctx: ctx, bucket: opened, key: b.bundleKey()}, about.Size)
}

func (b *bucket) publish(ctx context.Context, write func(shelf) error) error {
	s := &bucketShelf{bucket: b, ctx: ctx}
	if b.zip {
		to, err := b.create(ctx, b.bundleKey())
		if err != nil {
			return err
		}
		if err := fillZip(to, b.account, write); err != nil {
			to.abandon()
			return err
		}
		return to.finish()
	}
	if err := write(s); err != nil {
		return err
	}
	return b.remove(ctx, b.publishingKey())
}

// repair takes back what a publishing that was cut short has left.
func (b *bucket) repair(ctx context.Context) error {
	_, err := b.read(ctx, b.publishingKey())
	if err != nil {
		if errors.Is(err, fs.ErrNotExist) {
			return b.abortUploads(ctx)
		}
		return err
	}
	if _, err := b.read(ctx, b.bundleKey()+manifestName); errors.Is(err, fs.ErrNotExist) {
		if err := b.removeAll(ctx, b.bundleKey()); err != nil {
			return err
		}
	} else if err != nil {
		return err
	}
	return errors.Join(b.abortUploads(ctx), b.remove(ctx, b.publishingKey()))
}

func (b *bucket) tidy(ctx context.Context, keep map[string]string) error {
	for part, try := range keep {
		if err := b.removeTries(ctx, part, try); err != nil {
			return err
		}
	}
	return nil
}

// lock keeps two publishings of this process apart. Those of two processes are
// kept apart by Temporal, which gives a migration's publishing to one worker at
// a time.
func (b *bucket) lock(context.Context) (func(), error) {
	b.publishing.Lock()
	return b.publishing.Unlock, nil
}
