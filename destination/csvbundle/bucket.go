package csvbundle

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/url"
	"path"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/s3"
	"gocloud.dev/blob"
	"gocloud.dev/blob/s3blob"
	"gocloud.dev/gcerrors"

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

// shortCall bounds what moves no more than a description or a list.
const shortCall = time.Minute

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

// found turns the store's "not found" into the file system's.
func found(err error) error {
	if gcerrors.Code(err) == gcerrors.NotFound {
		return fmt.Errorf("%w: %w", fs.ErrNotExist, err)
	}
	return err
}

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

// newestKey names the try of a part that began last.
func (b *bucket) newestKey(part string) string { return b.partsKey(part + ".newest") }

func (b *bucket) beginTry(ctx context.Context, part, keep string) (string, error) {
	try := part + ".try-" + randomSuffix()
	if err := b.write(ctx, b.newestKey(part), []byte(try)); err != nil {
		return "", err
	}
	return try, b.removeTries(ctx, part, keep)
}

func (b *bucket) removeTries(ctx context.Context, part, keep string) error {
	keys, err := b.list(ctx, b.partsKey(part+".try-"))
	if err != nil {
		return err
	}
	keys = slices.DeleteFunc(keys, func(key string) bool { return keep != "" && strings.HasPrefix(key, b.partsKey(keep+"/")) })
	return b.remove(ctx, keys...)
}

func (b *bucket) createRows(ctx context.Context, try, name string) (sink, error) {
	return b.create(ctx, b.partsKey(try+"/"+name))
}

// untouched is never certain of what lies elsewhere.
func (b *bucket) untouched(string, string) bool { return false }

var errOvertaken = errors.New("a later try of the part has begun")

func (b *bucket) commitPart(ctx context.Context, part, try string, description []byte) error {
	newest, err := b.read(ctx, b.newestKey(part))
	if err != nil {
		return err
	}
	if string(newest) != try {
		return errOvertaken
	}
	return b.write(ctx, b.partsKey(part+".json"), description)
}

func (b *bucket) endTry(ctx context.Context, try string) error {
	return b.removeAll(ctx, b.partsKey(try+"/"))
}

func (b *bucket) description(ctx context.Context, part string) ([]byte, error) {
	return b.read(ctx, b.partsKey(part+".json"))
}

func (b *bucket) anyDescription(ctx context.Context) ([]byte, error) {
	keys, err := b.list(ctx, b.partsKey(""))
	if err != nil {
		return nil, err
	}
	for _, key := range keys {
		if strings.HasSuffix(key, ".json") && path.Base(key) != peopleName {
			return b.read(ctx, key)
		}
	}
	return nil, nil
}

func (b *bucket) openRows(ctx context.Context, try, name string, offset int64) (io.ReadCloser, error) {
	opened, err := b.bucket(ctx)
	if err != nil {
		return nil, err
	}
	r, err := opened.NewRangeReader(ctx, b.partsKey(try+"/"+name), offset, -1, nil)
	if err != nil {
		return nil, found(err)
	}
	return r, nil
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

// isThere asks for one object: a bundle with many attachments has many.
func (b *bucket) isThere(ctx context.Context, key string) (bool, error) {
	opened, err := b.bucket(ctx)
	if err != nil {
		return false, err
	}
	return opened.Exists(ctx, key)
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

// abortUploads ends the multipart uploads of processes that were killed: they
// are invisible, and cost until they are ended.
func (b *bucket) abortUploads(ctx context.Context) error {
	opened, err := b.bucket(ctx)
	if err != nil {
		return err
	}
	var client *s3.Client
	if !opened.As(&client) {
		return nil // not S3, so there are none
	}
	u, err := url.Parse(b.url)
	if err != nil {
		return err
	}
	name := u.Host
	for _, prefix := range []string{b.bundleKey(), b.partsKey("")} {
		in := &s3.ListMultipartUploadsInput{Bucket: &name, Prefix: &prefix}
		for {
			listed, err := client.ListMultipartUploads(ctx, in)
			if isCode(err, "NoSuchUpload") {
				break // what some servers say when there is none
			}
			if err != nil {
				return err
			}
			for _, upload := range listed.Uploads {
				if _, err := client.AbortMultipartUpload(ctx, &s3.AbortMultipartUploadInput{Bucket: &name, Key: upload.Key, UploadId: upload.UploadId}); err != nil {
					return err
				}
			}
			if listed.IsTruncated == nil || !*listed.IsTruncated {
				break
			}
			in.KeyMarker, in.UploadIdMarker = listed.NextKeyMarker, listed.NextUploadIdMarker
		}
	}
	return nil
}

// isCode tells whether the store answered with this code.
func isCode(err error, code string) bool {
	var answered interface{ ErrorCode() string }
	return errors.As(err, &answered) && answered.ErrorCode() == code
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

// bucketShelf writes a bundle's files as objects.
type bucketShelf struct {
	*bucket
	ctx context.Context

	once  sync.Once
	began error
}

func (s *bucketShelf) parallel() bool { return true }

// begin takes the old bundle away, when all is ready for the new one.
func (s *bucketShelf) begin() error {
	s.once.Do(func() {
		s.began = s.bucket.write(s.ctx, s.publishingKey(), []byte("a bundle is being published; if nobody does, the next run repairs it\n"))
		if s.began == nil {
			s.began = s.remove(s.ctx, s.bundleKey()+manifestName)
		}
		if s.began == nil {
			s.began = s.removeAll(s.ctx, s.bundleKey())
		}
	})
	return s.began
}

func (s *bucketShelf) create(name string) (sink, error) {
	if err := s.begin(); err != nil {
		return nil, err
	}
	return s.bucket.create(s.ctx, s.bundleKey()+name)
}

// adopt has the store copy the object: the bytes do not come here.
func (s *bucketShelf) adopt(try, file, name string) (bool, error) {
	if err := s.begin(); err != nil {
		return false, err
	}
	opened, err := s.bucket.bucket(s.ctx)
	if err != nil {
		return false, err
	}
	err = opened.Copy(s.ctx, s.bundleKey()+name, s.partsKey(try+"/"+file), nil)
	return err == nil, found(err)
}
