package csvbundle

import (
	"context"
	"strings"

	"gocloud.dev/blob"
)

// fetchesIntoBucket is how many files of a part are on their way into an object
// store at a time: its client holds some 10 MB for each.
const fetchesIntoBucket = 3

func (b *bucket) fetches() int { return fetchesIntoBucket }

// leastPart is the least that an object store takes as a part of an upload:
// https://docs.aws.amazon.com/AmazonS3/latest/userguide/qfacts.html.
const leastPart = 5 << 20

func (b *bucket) createFile(ctx context.Context, try, name string) (sink, error) {
	return b.createWith(ctx, b.partsKey(try+"/"+name), &blob.WriterOptions{BufferSize: leastPart, MaxConcurrency: 1})
}

// dropFile has nothing to do: an object that was abandoned never appears.
func (b *bucket) dropFile(context.Context, string, string) error { return nil }

// keepFile has the store copy the object: nothing moves one.
func (b *bucket) keepFile(ctx context.Context, part, try, name, as string) error {
	opened, err := b.bucket(ctx)
	if err != nil {
		return err
	}
	if err := opened.Copy(ctx, b.partsKey(keptFolder(part)+"/"+as), b.partsKey(try+"/"+name), nil); err != nil {
		return found(err)
	}
	return b.remove(ctx, b.partsKey(try+"/"+name))
}

func (b *bucket) keptNames(ctx context.Context, part string) ([]string, error) {
	prefix := b.partsKey(keptFolder(part) + "/")
	keys, err := b.list(ctx, prefix)
	for i := range keys {
		keys[i] = strings.TrimPrefix(keys[i], prefix)
	}
	return keys, err
}

func (b *bucket) dropKept(ctx context.Context, part, name string) error {
	return b.remove(ctx, b.partsKey(keptFolder(part)+"/"+name))
}
