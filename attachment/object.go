package attachment

import (
	"context"
	"net/url"

	"gocloud.dev/blob"
	"gocloud.dev/blob/fileblob"
	"gocloud.dev/blob/s3blob"
	"gocloud.dev/gcerrors"

	"farewell/destination"
	"farewell/migration"
)

// openBucket opens object stores that speak S3, and folders. Credentials are
// those that AWS's own SDK finds. A folder's files need none of the notes that
// fileblob makes beside those that it writes itself.
func openBucket(ctx context.Context, address string) (*blob.Bucket, error) {
	var mux blob.URLMux
	mux.RegisterBucket(s3blob.Scheme, new(s3blob.URLOpener))
	mux.RegisterBucket(fileblob.Scheme, &fileblob.URLOpener{Options: fileblob.Options{Metadata: fileblob.MetadataDontWrite}})
	if u, err := url.Parse(address); err == nil && mux.ValidBucketScheme(u.Scheme) {
		return mux.OpenBucketURL(ctx, u)
	}
	return mux.OpenBucket(ctx, address) // its error says which schemes there are
}

func (s *Store) openObject(ctx context.Context, a migration.Attachment, o *opened) error {
	if s.bucket == nil {
		return &destination.FileError{Code: migration.FileOriginNotAllowed, Text: "FAREWELL_ATTACHMENT_BUCKET names no bucket"}
	}
	r, err := s.bucket.NewReader(ctx, a.BlobKey, nil)
	switch gcerrors.Code(err) {
	case gcerrors.OK:
		o.from, o.size, o.framed = r, r.Size(), true
		return nil
	case gcerrors.NotFound:
		return &destination.FileError{Code: migration.FileNotFound, Text: "the bucket does not have it"}
	case gcerrors.InvalidArgument:
		return &destination.FileError{Code: migration.FileNotFound, Text: "its key is none that the bucket takes"}
	case gcerrors.PermissionDenied:
		return &destination.FileError{Code: migration.FileUnavailable, Text: "the bucket does not let us have it"}
	}
	return err // whether it names the key or not, it is never shown: see described
}
