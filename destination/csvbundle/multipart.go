package csvbundle

import (
	"context"
	"errors"
	"net/url"

	"github.com/aws/aws-sdk-go-v2/service/s3"
)

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
