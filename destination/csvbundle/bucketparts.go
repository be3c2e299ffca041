package csvbundle

import (
	"context"
	"errors"
	"io"
	"path"
	"slices"
	"strings"
)

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
